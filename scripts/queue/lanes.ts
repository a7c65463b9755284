import { pauseLane, readQueueStats, resumeLane } from './operations.ts'
import type { LaneStats } from './operations.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { operate } from './answer.ts'
import type { Answer, QueueDeps } from './answer.ts'
import { age, several } from './table.ts'

export async function pause(deps: QueueDeps, lane: JobLane, reason: string | null): Promise<Answer> {
  const isDone = await operate(deps, (tx) => pauseLane(tx, lane, reason))
  const state = await stateOf(deps, lane)
  const goOn = `To go on: npm run queue -- resume ${lane}`
  const running = state.running === 0 ? 'nothing of it runs' : `${several(state.running, 'job')} of it still run`
  const said = isDone
    ? `${lane} is paused: nothing more of it is claimed; ${running}, and what comes in waits.`
    : `${lane} was paused already, for ${age(state.paused_seconds)}.`
  return { lines: [said, goOn], json: { lane, changed: isDone, is_paused: true }, exitCode: isDone ? 0 : 1 }
}

export async function resume(deps: QueueDeps, lane: JobLane): Promise<Answer> {
  const isDone = await operate(deps, (tx) => resumeLane(tx, lane))
  const state = await stateOf(deps, lane)
  const served = state.workers === 0 ? 'nobody serves it now' : `${several(state.workers, 'worker')} serve it`
  const said = isDone ? `${lane} goes on: ${several(state.due, 'job')} due, ${served}.` : `${lane} was not paused.`
  return {
    lines: [said, ...(isDone ? ['How it fares: npm run queue -- stats --watch'] : [])],
    json: { lane, changed: isDone, is_paused: false },
    exitCode: isDone ? 0 : 1,
  }
}

async function stateOf(deps: QueueDeps, name: JobLane): Promise<LaneStats> {
  const lane = (await operate(deps, readQueueStats)).find((one) => one.job_lane === name)
  if (lane === undefined) throw new Error(`job_lanes has no row for ${name}`)
  return lane
}

import { readQueueStats } from './operations.ts'
import type { LaneStats } from './operations.ts'
import { operate } from './answer.ts'
import type { Answer, QueueDeps } from './answer.ts'
import { age, count, left, paint, right, several, table } from './table.ts'
import type { Cell } from './table.ts'

export async function showStats(deps: QueueDeps): Promise<Answer> {
  const lanes = await operate(deps, readQueueStats)
  return {
    lines: [...statsTable(lanes), '', ...advice(lanes)],
    json: { lanes: lanes.map((lane) => ({ ...lane, pending: pendingOf(lane), is_paused: isPaused(lane) })) },
    exitCode: 0,
  }
}

const columns = [
  left('lane'),
  right('pending'),
  right('due'),
  right('scheduled'),
  right('retrying'),
  right('running'),
  right('dead'),
  right('oldest due'),
  right('done 5 min'),
  right('done 1 h'),
  right('workers'),
  left('state'),
]

const pendingOf = (lane: LaneStats): number => lane.due + lane.scheduled
const isPaused = (lane: LaneStats): boolean => lane.paused_seconds !== null

const statsTable = (lanes: readonly LaneStats[]): string[] =>
  table(
    columns,
    lanes.map((lane): Cell[] => [
      lane.job_lane,
      count(pendingOf(lane)),
      count(lane.due),
      count(lane.scheduled),
      count(lane.retrying),
      count(lane.running),
      lane.dead > 0 ? { text: count(lane.dead), style: 'red' } : '0',
      age(lane.oldest_due_seconds),
      count(lane.done_in_5_minutes),
      count(lane.done_in_hour),
      lane.workers === 0 ? { text: '0', style: 'yellow' } : count(lane.workers),
      isPaused(lane) ? { text: `paused ${age(lane.paused_seconds)}`, style: 'yellow' } : { text: 'open', style: 'dim' },
    ]),
  )

/** What is not as it should be, and what to do about it. */
function advice(lanes: readonly LaneStats[]): string[] {
  const unserved = lanes
    .filter((lane) => lane.workers === 0)
    .map((lane) => {
      const waiting = pendingOf(lane) > 0 ? `, and ${several(pendingOf(lane), 'job')} wait` : ''
      return warning(`nobody serves ${lane.job_lane}${waiting}: WORKER_LANES=${lane.job_lane} npm run worker`)
    })
  const paused = lanes.filter(isPaused).map((lane) => {
    const why = lane.pause_reason === null ? '' : ` (${lane.pause_reason})`
    return warning(`${lane.job_lane} is paused${why}; to go on: npm run queue -- resume ${lane.job_lane}`)
  })
  const dead = lanes.reduce((sum, lane) => sum + lane.dead, 0)
  const buried = dead === 0 ? [] : [warning(`${several(dead, 'dead letter')}: npm run queue -- dead-letters`)]
  const all = [...unserved, ...paused, ...buried]
  return all.length === 0 ? [paint('green', 'Nothing to do.')] : all
}

const warning = (words: string): string => paint('yellow', `! ${words}`)

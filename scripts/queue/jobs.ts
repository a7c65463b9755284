import postgres from 'postgres'
import {
  cancelJob,
  countDeadLetters,
  readDatabaseTime,
  readJobStatus,
  requeueDeadLetter,
  requeueDeadLetters,
} from './operations.ts'
import type { DeadLetterFilter } from './operations.ts'
import { operate } from './answer.ts'
import type { Answer, QueueDeps } from './answer.ts'
import { age, left, paint, several, table } from './table.ts'

export const retryJobs = async (deps: QueueDeps, ids: readonly string[]): Promise<Answer> =>
  answerFor(
    await eachJob(deps, ids, { done: 'requeued', act: requeueDeadLetter }),
    'Workers take them as soon as they have room: npm run queue -- stats',
  )

export const cancelJobs = async (deps: QueueDeps, ids: readonly string[]): Promise<Answer> =>
  answerFor(
    await eachJob(deps, ids, { done: 'cancelled', act: cancelJob }),
    'Their documents can be started again from the stage that failed: POST /api/process-document',
  )

type Outcome = { readonly job_id: string; readonly outcome: string; readonly isDone: boolean }
type Act = { readonly done: string; readonly act: (tx: postgres.ISql, id: string) => Promise<boolean> }

async function eachJob(deps: QueueDeps, ids: readonly string[], { done, act }: Act): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const id of ids) {
    const isDone = await operate(deps, (tx) => act(tx, id)).catch(stoppedProcessing)
    if (isDone === true) outcomes.push({ job_id: id, outcome: done, isDone })
    else outcomes.push({ job_id: id, outcome: isDone === false ? await whyNot(deps, id) : isDone, isDone: false })
  }
  return outcomes
}

async function whyNot(deps: QueueDeps, id: string): Promise<string> {
  const status = await operate(deps, (tx) => readJobStatus(tx, id))
  return status === null ? 'not found' : `left as it is: ${status}`
}

function stoppedProcessing(error: unknown): string {
  if (error instanceof postgres.PostgresError && error.code === '55000')
    return 'left as it is: processing is stopped for its patient'
  throw error
}

function answerFor(outcomes: readonly Outcome[], next: string): Answer {
  const [done, all] = [outcomes.filter(({ isDone }) => isDone).length, outcomes.length]
  const rows = outcomes.map(({ job_id: id, outcome, isDone }) => [
    id,
    { text: outcome, style: isDone ? ('green' as const) : ('yellow' as const) },
  ])
  return {
    lines: [...table([left('job'), left('outcome')], rows), '', done === 0 ? 'Nothing was changed.' : next],
    json: { done, jobs: outcomes.map(({ job_id, outcome }) => ({ job_id, outcome })) },
    exitCode: done === all ? 0 : 1,
  }
}

const batchSize = 100

/** In small transactions: what Ctrl-C finds done is done. Jobs that die again meanwhile are not taken twice. */
export async function retryAll(deps: QueueDeps, filter: DeadLetterFilter): Promise<Answer> {
  const startedAt = performance.now()
  const deadBefore = await operate(deps, readDatabaseTime)
  let requeued = 0
  for (;;) {
    const batch = await operate(deps, (tx) => requeueDeadLetters(tx, filter, { deadBefore, limit: batchSize }))
    if (batch === 0) break
    requeued += batch
  }
  const counts = await operate(deps, (tx) => countDeadLetters(tx, filter))
  const remaining = counts.reduce((sum, kind) => sum + kind.dead, 0)

  const took = age((performance.now() - startedAt) / 1000)
  const said =
    requeued === 0 ? 'No dead letter could be requeued.' : `${several(requeued, 'dead letter')} requeued (${took}).`
  const rest = `${several(remaining, 'dead letter')} of the kind left: processing is stopped for their patients, or they died since.`
  return {
    lines: [
      requeued === 0 ? said : paint('green', said),
      ...(remaining > 0 ? [rest] : []),
      ...(requeued > 0 ? ['How they fare: npm run queue -- stats --watch'] : []),
    ],
    json: { requeued, left: remaining },
    exitCode: requeued === 0 ? 1 : 0,
  }
}

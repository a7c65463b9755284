import { asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { holdLease } from '../../db/queries/jobs.ts'
import type { Logger } from '../../platform/log.ts'
import type { Attempt } from './attempt.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Capacity } from './capacity.ts'
import { leaseLost } from './errors.ts'
import type { RunContext } from './handler.ts'
import { serviceContextOf } from './settle.ts'

export type RunContextDeps = {
  readonly db: Database
  readonly workerId: string
  readonly log: Logger
  readonly bytes: ByteBudget
  readonly capacity: Capacity
}

/** What a handler sees of the engine. What costs something is made when it is asked for: many jobs need none of it. */
export function createRunContext(attempt: Attempt, deps: RunContextDeps): RunContext {
  const { job } = attempt
  const { db, workerId } = deps
  const inService = <T>(work: (tx: Tx) => Promise<T>) => asService(db, serviceContextOf(job), work)
  return {
    job,
    get signal() {
      return attempt.signal
    },
    get log() {
      return deps.log.child(namesOf(attempt))
    },
    read: inService,
    write: (work) =>
      inService(async (tx) => {
        if (attempt.reason !== null) throw attempt.reason
        const isHeld = await holdLease(tx, { workerId, jobId: job.id, attemptToken: job.attemptToken })
        if (!isHeld) throw leaseLost({ jobId: job.id })
        return await work(tx)
      }),
    holdBytes: (bytes, work) => deps.bytes.hold(bytes, work, attempt.signal),
    withCapacity: (request, call) => deps.capacity.call(request, call, { job, signal: attempt.signal, log: deps.log }),
  }
}

/** What every line of the log about an attempt says of it. */
export const namesOf = ({ job }: Attempt) => ({
  job_id: job.id,
  job_type: job.type,
  correlation_id: job.correlationId,
  attempt: job.attempt,
})

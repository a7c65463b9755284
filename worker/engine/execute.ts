import type { Attempt } from './attempt.ts'
import { badPayload, jobTimeout, unknownJob } from './errors.ts'
import { discard } from './handler.ts'
import type { Handler, RunContext } from './handler.ts'
import { outcomeOf } from './outcome.ts'
import type { Ending } from './outcome.ts'

export type ExecuteDeps = {
  readonly handlers: ReadonlyMap<string, Handler>
  readonly contextFor: (attempt: Attempt) => RunContext
}

/** Runs one attempt to its end: never throws, and ends soon after it is aborted even when the handler does not. */
export async function execute(attempt: Attempt, deps: ExecuteDeps): Promise<Ending> {
  const { job, reason } = attempt
  if (reason !== null) return outcomeOf(reason)
  const handler = deps.handlers.get(job.type)
  if (handler === undefined) return discard(unknownJob({ jobType: job.type }))
  const payload = handler.job.payload.safeParse(job.payload)
  if (!payload.success) return discard(badPayload())

  const { timeoutMs } = handler.job
  const timer = setTimeout(() => attempt.abort(jobTimeout({ timeoutMs })), timeoutMs)
  try {
    return await attempt.untilAborted(handler.run(payload.data, deps.contextFor(attempt)))
  } catch (error) {
    return outcomeOf(attempt.reason ?? error)
  } finally {
    clearTimeout(timer)
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import type { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { badPayload, jobTimeout, unknownJob } from './errors.ts'
import { discard } from './handler.ts'
import type { ClaimedJob, Handler, RunContext } from './handler.ts'
import { outcomeOf } from './outcome.ts'
import type { Ending } from './outcome.ts'

export type ExecuteDeps = {
  readonly handlers: ReadonlyMap<string, Handler>
  readonly log: Logger
  /** Fires when the lease is lost and when the worker stops; its reason says which. */
  readonly aborted: AbortSignal
  readonly contextFor: (job: ClaimedJob, run: { signal: AbortSignal; log: Logger }) => RunContext
}

/** Runs one attempt to its end: never throws, and ends soon after its signal even when the handler does not. */
export async function execute(job: ClaimedJob, deps: ExecuteDeps): Promise<Ending> {
  const handler = deps.handlers.get(job.type)
  if (handler === undefined) return discard(unknownJob({ jobType: job.type }))
  const payload = handler.job.payload.safeParse(job.payload)
  if (!payload.success) return discard(badPayload())

  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(jobTimeout({ timeoutMs: handler.job.timeoutMs })), handler.job.timeoutMs)
  const signal = AbortSignal.any([deps.aborted, timeout.signal])
  try {
    const context = deps.contextFor(job, { signal, log: deps.log })
    return await untilAborted(handler.run(payload.data, context), signal)
  } catch (error) {
    // What a handler throws when it is aborted is its own affair; what counts is why it was.
    return outcomeOf(signal.aborted ? signal.reason : error)
  } finally {
    clearTimeout(timer)
  }
}

// A handler that respects the signal ends within this time; one that does not is left to itself, fenced off.
const windDownMs = 1_000

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: abandoned, reject } = Promise.withResolvers<never>()
  const onAbort = () => {
    const reason: AppError = signal.reason
    void delay(windDownMs, undefined, { ref: false }).then(() => reject(reason))
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, abandoned])
  } finally {
    signal.removeEventListener('abort', onAbort)
    abandoned.catch(() => {})
  }
}

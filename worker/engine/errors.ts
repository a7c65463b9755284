import { defineError } from '../../platform/errors.ts'

export const leaseLost = defineError('lease_lost', 409, 'Another worker has taken this step over.')
export const jobCancelled = defineError('job_cancelled', 409, 'This step was cancelled.')
export const jobTimeout = defineError('job_timeout', 504, 'This step took too long.')
export const badPayload = defineError('bad_payload', 422, 'The job does not say what it should work on.')
export const unknownJob = defineError('unknown_job', 422, 'No worker knows how to do this kind of job.')
export const jobFailed = defineError('job_failed', 500, 'This step did not succeed.')
/** Not a failure: the job goes back as it came. */
export const workerStopping = defineError('worker_stopping', 503, 'The worker is shutting down.')

/** Thrown to end a run without spending a retry; handlers let it pass. */
export class SnoozeSignal extends Error {
  override readonly name = 'SnoozeSignal'
  readonly delayMs: number
  readonly reason: string

  constructor(delayMs: number, reason: string) {
    super('put off until there is capacity')
    this.delayMs = delayMs
    this.reason = reason
  }
}

import type { AppError } from '../../platform/errors.ts'
import type { Attempt } from './attempt.ts'
import { jobCancelled, leaseLost } from './errors.ts'

/** The attempts that this process holds: claimed, under way, or ended and not yet settled. */
export type RunningJobs = {
  readonly ids: readonly string[]
  /** An older attempt at the same job has lost its lease, whatever the heartbeat says: it is aborted. */
  add(attempt: Attempt): void
  remove(attempt: Attempt): void
  /** Aborts the job, or keeps in mind not to let it begin: the news of it may come before the answer to its claim. */
  cancel(jobId: string): void
  abortAll(reason: AppError): void
  /** Aborts those of the asked-about jobs that are not held any more. */
  keepOnly(held: ReadonlySet<string>, asked: readonly string[]): void
}

// Far more than are cancelled, in the whole fleet, while one claim is on its way.
const maxRemembered = 1_000

export function createRunningJobs(): RunningJobs {
  const byJobId = new Map<string, Attempt>()
  const cancelled = new Set<string>()
  return {
    get ids() {
      return [...byJobId.keys()]
    },
    add(attempt) {
      byJobId.get(attempt.job.id)?.abort(leaseLost({ jobId: attempt.job.id }))
      byJobId.set(attempt.job.id, attempt)
      if (cancelled.has(attempt.job.id)) attempt.abort(jobCancelled({ jobId: attempt.job.id }))
    },
    remove(attempt) {
      if (byJobId.get(attempt.job.id) === attempt) byJobId.delete(attempt.job.id)
    },
    cancel(jobId) {
      byJobId.get(jobId)?.abort(jobCancelled({ jobId }))
      cancelled.add(jobId)
      const [oldest] = cancelled
      if (cancelled.size > maxRemembered && oldest !== undefined) cancelled.delete(oldest)
    },
    abortAll(reason) {
      for (const attempt of byJobId.values()) attempt.abort(reason)
    },
    keepOnly(held, asked) {
      for (const id of asked) {
        if (!held.has(id)) byJobId.get(id)?.abort(leaseLost({ jobId: id }))
      }
    },
  }
}

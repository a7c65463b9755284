import type { AppError } from '../../platform/errors.ts'
import type { Attempt } from './attempt.ts'
import { leaseLost } from './errors.ts'

/** The attempts that this process holds: claimed, under way, or ended and not yet settled. */
export type RunningJobs = {
  readonly ids: readonly string[]
  /** An older attempt at the same job has lost its lease, whatever the heartbeat says: it is aborted. */
  add(attempt: Attempt): void
  remove(attempt: Attempt): void
  abortAll(reason: AppError): void
  /** Aborts those of the asked-about jobs that are not held any more. */
  keepOnly(held: ReadonlySet<string>, asked: readonly string[]): void
}

export function createRunningJobs(): RunningJobs {
  const byJobId = new Map<string, Attempt>()
  return {
    get ids() {
      return [...byJobId.keys()]
    },
    add(attempt) {
      byJobId.get(attempt.job.id)?.abort(leaseLost({ jobId: attempt.job.id }))
      byJobId.set(attempt.job.id, attempt)
    },
    remove(attempt) {
      if (byJobId.get(attempt.job.id) === attempt) byJobId.delete(attempt.job.id)
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

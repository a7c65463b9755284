import type { AppError } from '../../platform/errors.ts'
import type { ClaimedJob } from './handler.ts'
import { leaseLost } from './errors.ts'

type RunningJob = { readonly job: ClaimedJob; readonly abort: (reason: AppError) => void }

/** The attempts of this process that are under way. */
export type RunningJobs = {
  readonly ids: readonly string[]
  /** An older attempt at the same job has lost its lease, whatever the heartbeat says: it is aborted. */
  add(entry: RunningJob): void
  remove(job: ClaimedJob): void
  abortAll(reason: AppError): void
  /** Aborts those of the asked-about jobs that are not held any more. */
  keepOnly(held: ReadonlySet<string>, asked: readonly string[]): void
}

export function createRunningJobs(): RunningJobs {
  const byJobId = new Map<string, RunningJob>()
  return {
    get ids() {
      return [...byJobId.keys()]
    },
    add(entry) {
      byJobId.get(entry.job.id)?.abort(leaseLost({ jobId: entry.job.id }))
      byJobId.set(entry.job.id, entry)
    },
    remove(job) {
      if (byJobId.get(job.id)?.job.attemptToken === job.attemptToken) byJobId.delete(job.id)
    },
    abortAll(reason) {
      for (const entry of byJobId.values()) entry.abort(reason)
    },
    keepOnly(held, asked) {
      for (const id of asked) {
        if (!held.has(id)) byJobId.get(id)?.abort(leaseLost({ jobId: id }))
      }
    },
  }
}

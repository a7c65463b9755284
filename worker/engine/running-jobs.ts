import type { AppError } from '../../platform/errors.ts'
import type { Attempt } from './attempt.ts'
import { jobCancelled, leaseLost } from './errors.ts'

/** Which run of which job: a job that is claimed again is another attempt. Plain data, to be told to a thread. */
export type RunningAttempt = { readonly jobId: string; readonly attemptToken: string }

/** Told at once, in the order in which it happens. */
export type RunningWatcher = {
  readonly onBegin: (attempts: readonly Attempt[]) => void
  readonly onEnd: (attempt: Attempt) => void
}

/** The attempts that this process holds: claimed, under way, or ended and not yet settled. */
export type RunningJobs = {
  readonly ids: readonly string[]
  readonly attempts: readonly RunningAttempt[]
  /** An older attempt at the same job has lost its lease, whatever the heartbeat says: it is aborted. */
  add(attempts: readonly Attempt[]): void
  remove(attempt: Attempt): void
  /** Aborts the job, or keeps in mind not to let it begin: the news of it may come before the answer to its claim. */
  cancel(jobId: string): void
  abortAll(reason: AppError): void
  /** Aborts these attempts, as far as they are still the ones that run. */
  abortLost(lost: readonly RunningAttempt[]): void
  watch(watcher: RunningWatcher): void
}

// Far more than are cancelled, in the whole fleet, while one claim is on its way.
const maxRemembered = 1_000

export function createRunningJobs(): RunningJobs {
  const byJobId = new Map<string, Attempt>()
  const watchers: RunningWatcher[] = []
  const cancelled = new Set<string>()
  return {
    get ids() {
      return [...byJobId.keys()]
    },
    get attempts() {
      return [...byJobId.values()].map(namesOf)
    },
    add(attempts) {
      if (attempts.length === 0) return
      for (const attempt of attempts) {
        byJobId.get(attempt.job.id)?.abort(leaseLost({ jobId: attempt.job.id }))
        byJobId.set(attempt.job.id, attempt)
        if (cancelled.has(attempt.job.id)) attempt.abort(jobCancelled({ jobId: attempt.job.id }))
      }
      for (const watcher of watchers) watcher.onBegin(attempts)
    },
    remove(attempt) {
      if (byJobId.get(attempt.job.id) !== attempt) return
      byJobId.delete(attempt.job.id)
      for (const watcher of watchers) watcher.onEnd(attempt)
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
    abortLost(lost) {
      for (const { jobId, attemptToken } of lost) {
        const attempt = byJobId.get(jobId)
        if (attempt?.job.attemptToken === attemptToken) attempt.abort(leaseLost({ jobId }))
      }
    },
    watch(watcher) {
      watchers.push(watcher)
    },
  }
}

const namesOf = ({ job }: Attempt): RunningAttempt => ({ jobId: job.id, attemptToken: job.attemptToken })

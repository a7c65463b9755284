import { asService } from '../../db/actor.ts'
import type { ServiceContext, Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { databaseError, databaseUnavailable } from '../../db/errors.ts'
import { completeJob, failJob, handBackJobs, holdLease, rescheduleJob } from '../../db/queries/jobs.ts'
import type { AttemptKey } from '../../db/queries/jobs.ts'
import { backoffMs } from '../../platform/backoff.ts'
import type { AppError } from '../../platform/errors.ts'
import { wait } from '../../platform/wait.ts'
import { leaseLost } from './errors.ts'
import type { ClaimedJob, JobResult } from './handler.ts'
import { outcomeOf } from './outcome.ts'
import type { Ending } from './outcome.ts'

export type SettleDeps = {
  readonly db: Database
  readonly workerId: string
  /** Something will be due again then. */
  readonly wakeIn: (delayMs: number) => void
  /** Aborted when there is no time to wait for a database that is away: what is written now is tried once more. */
  readonly outOfTime: AbortSignal
}

/** What became of the job, as the database has it. */
export type Settled = 'completed' | 'retrying' | 'snoozed' | 'dead_letter' | 'handed_back' | 'lost'

/**
 * Writes how an attempt ended. Results, completion and the next job are one transaction, which holds only if the lease
 * is still held: after `lost` nothing of this attempt has been written. While the database is away the same transaction
 * is tried again, as long as there is time; if one of them did commit, the next finds the lease gone.
 */
export async function settle(job: ClaimedJob, ending: Ending, deps: SettleDeps): Promise<Settled> {
  const attempt: AttemptKey = { workerId: deps.workerId, jobId: job.id, attemptToken: job.attemptToken }
  try {
    return await whileUnavailable(() => write(job, ending, attempt, deps), deps.outOfTime)
  } catch (error) {
    const failed = outcomeOf(error)
    if (failed.kind === 'lost') return 'lost'
    // The results could not be stored: that is how this attempt ended.
    if (ending.kind === 'done') return await settle(job, failed, deps)
    throw error
  }
}

async function write(job: ClaimedJob, ending: Ending, attempt: AttemptKey, deps: SettleDeps): Promise<Settled> {
  const inService = <T>(work: (tx: Tx) => Promise<T>) => asService(deps.db, serviceContextOf(job), work)
  switch (ending.kind) {
    case 'done':
      return await inService((tx) => commitResults(tx, ending.commit, attempt))
    case 'retry':
      return await inService((tx) => giveUpAttempt(tx, attempt, { job, error: ending.error, isRetryable: true }, deps))
    case 'discard':
      return await inService((tx) => giveUpAttempt(tx, attempt, { job, error: ending.error, isRetryable: false }, deps))
    case 'snooze': {
      const isOurs = await inService((tx) => rescheduleJob(tx, attempt, ending))
      deps.wakeIn(ending.delayMs)
      return isOurs ? 'snoozed' : 'lost'
    }
    case 'handed_back':
      await inService((tx) => handBackJobs(tx, attempt.workerId, [attempt.jobId]))
      return 'handed_back'
    default:
      return 'lost'
  }
}

async function commitResults(
  tx: Tx,
  commit: ((tx: Tx) => Promise<JobResult | undefined>) | undefined,
  attempt: AttemptKey,
): Promise<Settled> {
  if (!(await holdLease(tx, attempt))) throw leaseLost({ jobId: attempt.jobId })
  const result = await commit?.(tx)
  if (!(await completeJob(tx, attempt, result))) throw leaseLost({ jobId: attempt.jobId })
  return 'completed'
}

async function giveUpAttempt(
  tx: Tx,
  attempt: AttemptKey,
  failure: { readonly job: ClaimedJob; readonly error: AppError; readonly isRetryable: boolean },
  deps: SettleDeps,
): Promise<Settled> {
  const { error, isRetryable, job } = failure
  const failed = await failJob(tx, attempt, {
    isRetryable,
    error: {
      code: error.code,
      message: error.detail ?? error.title,
      type: isRetryable ? 'transient' : 'permanent',
      stage: job.type,
    },
  })
  if (failed === null) return 'lost'
  if (failed.status === 'dead_letter') return 'dead_letter'
  deps.wakeIn(failed.retryInMs)
  return 'retrying'
}

/** On whose behalf a job writes; goes into the audit. */
export function serviceContextOf(job: ClaimedJob): ServiceContext {
  return {
    initiatedBy: job.initiatedBy,
    patientId: job.patientId,
    jobId: job.id,
    correlationId: job.correlationId,
  }
}

// About a minute: a restart of the database costs less than doing the work again, and whoever has taken the job over
// meanwhile has it.
const maxTries = 20

async function whileUnavailable<T>(work: () => Promise<T>, outOfTime: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const isLastTry = tries >= maxTries || outOfTime.aborted
      if (isLastTry || !databaseUnavailable.matches(databaseError(error))) throw error
      await wait(100 + backoffMs(tries, { baseMs: 250, maxMs: 4_000 }), { signal: outOfTime }).catch(() => {})
    }
  }
}

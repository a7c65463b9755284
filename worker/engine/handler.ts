import type { Tx } from '../../db/actor.ts'
import type { ClaimedRow } from '../../db/queries/claims.ts'
import type { ConsentPurpose } from '../../db/schema/consents.ts'
import type { JobDefinition, PayloadOf } from '../../jobs/job.ts'
import type { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'

/** One attempt at a job, as it was claimed, less what only the engine needs. */
export type ClaimedJob = Omit<ClaimedRow, 'priority' | 'fairTurn' | 'dueAtMs' | 'waitedMs'>

/** Kept in `job_queue.job_result`: counts, versions and ids, never content. */
export type JobResult = Readonly<Record<string, string | number | boolean | null>>

/** Whose consent a call needs; asked in the transaction that reserves its room: a withdrawal lets no more through. */
export type NeededConsent = { readonly patientId: string; readonly purpose: ConsentPurpose }

export type CapacityRequest = {
  readonly provider: string
  readonly endpoint: string
  readonly estimatedTokens: number
  /** null: nothing of anybody's leaves with this call. */
  readonly consent: NeededConsent | null
}

/** What a provider says of its own limits, with an answer. */
export type SaidLimits = {
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  /** How long it wants to be left alone after this answer; 0 mostly. */
  readonly pauseMs: number
}

/** What a call gave, and what it used as far as the service says. */
export type Answered<T> = {
  readonly value: T
  /** Not given: the estimate stays. */
  readonly tokensUsed?: number
  readonly costUsd?: number | null
  readonly said?: SaidLimits | null
}

export type RunContext = {
  readonly job: ClaimedJob
  /** Aborted when the run has had its time, when its lease is lost and when the worker must stop. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** A service transaction that first makes sure that the lease is still held, and throws `leaseLost` otherwise. */
  readonly write: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** For work that holds about so many bytes in memory: waits until all the jobs of this process leave room for them. */
  readonly holdBytes: <T>(bytes: number, work: () => Promise<T>) => Promise<T>
  readonly read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /**
   * Acquire, call, release with the truth. Waits in place for up to two seconds; when room is further off it throws a
   * snooze, which ends the run without spending a retry. So does a consent that has been withdrawn meanwhile: the next
   * run begins without it. An error with `retryAfterMs` and status 429 pauses the
   * endpoint for all workers. Let both pass through.
   */
  readonly withCapacity: <T>(request: CapacityRequest, call: () => Promise<Answered<T>>) => Promise<T>
}

/** How a run ended. An error that is thrown becomes one of these: see `outcomeOf`. */
export type Outcome =
  /** `commit` runs in the transaction that completes the job, after the lease has been secured. */
  | { readonly kind: 'done'; readonly commit?: (tx: Tx) => Promise<JobResult | undefined> }
  | { readonly kind: 'retry'; readonly error: AppError }
  /** No capacity, not a failure: no retry is spent. */
  | { readonly kind: 'snooze'; readonly delayMs: number; readonly reason: string }
  /** Straight to the dead letters: another try would end the same way. */
  | { readonly kind: 'discard'; readonly error: AppError }

export type Handler<Payload = unknown> = {
  readonly job: JobDefinition<Payload>
  run(payload: Payload, context: RunContext): Promise<Outcome>
}

/** One handler for each job of a registry: a missing one does not compile. */
export type HandlersFor<Jobs extends Readonly<Record<string, unknown>>> = {
  readonly [Name in keyof Jobs]: Handler<PayloadOf<Jobs[Name]>>
}

export const done = (commit?: (tx: Tx) => Promise<JobResult | undefined>): Outcome =>
  commit === undefined ? { kind: 'done' } : { kind: 'done', commit }
export const retry = (error: AppError): Outcome => ({ kind: 'retry', error })
export const snooze = (delayMs: number, reason: string): Outcome => ({ kind: 'snooze', delayMs, reason })
export const discard = (error: AppError): Outcome => ({ kind: 'discard', error })

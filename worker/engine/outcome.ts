import { databaseError } from '../../db/errors.ts'
import { AppError } from '../../platform/errors.ts'
import { SnoozeSignal, jobCancelled, jobFailed, leaseLost, workerStopping } from './errors.ts'
import { discard, retry, snooze } from './handler.ts'
import type { Outcome } from './handler.ts'

/** What execution can end in: a handler's outcome, or one of two ways in which the job is no longer ours to settle. */
export type Ending = Outcome | { readonly kind: 'lost' } | { readonly kind: 'handed_back' }

// The same input would be refused again. 408, 409, 423, 425 and 429 depend on the moment; 401 and 403 on a
// configuration that may be mended before the last retry.
const permanentStatuses = new Set([400, 404, 410, 413, 415, 422])

/** The one place where a thrown error becomes a decision. */
export function outcomeOf(error: unknown): Ending {
  if (error instanceof SnoozeSignal) return snooze(error.delayMs, error.reason)
  if (leaseLost.matches(error) || jobCancelled.matches(error)) return { kind: 'lost' }
  if (workerStopping.matches(error)) return { kind: 'handed_back' }
  if (error instanceof AppError) return permanentStatuses.has(error.status) ? discard(error) : retry(error)
  return retry(databaseError(error) ?? jobFailed({ cause: error }))
}

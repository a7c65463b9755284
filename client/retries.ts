import { reasonOf, throwIfAborted } from './abort.ts'
import { ExoraError } from './exora-error.ts'

export type RetryPolicy = {
  /** Tries in all; 1 turns retries off. */
  readonly attempts: number
  readonly baseMs: number
  readonly maxMs: number
}
export const usualRetries: RetryPolicy = { attempts: 6, baseMs: 500, maxMs: 20_000 }

/** `refused`: only where it is certain that the server did nothing. A second profile is not made because an answer was lost. */
export type Repeat = 'always' | 'refused'

/** A wait that is longer than this is the caller's to decide on. */
const longestAskedMs = 120_000
const passing = new Set([502, 503, 504])

export async function withRetries<T>(
  attempt: (number: number) => Promise<T>,
  { policy, repeat, signal }: { policy: RetryPolicy; repeat: Repeat; signal: AbortSignal | undefined },
): Promise<T> {
  for (let number = 1; ; number += 1) {
    throwIfAborted(signal)
    try {
      return await attempt(number)
    } catch (error) {
      if (signal?.aborted === true) throw reasonOf(signal)
      if (number >= policy.attempts || !passes(error, repeat)) throw error
      await pause(waitBefore(number, error, policy, Math.random()), signal)
    }
  }
}

/** Whether the same request may go through later. */
export function passes(error: unknown, repeat: Repeat): error is ExoraError {
  if (!(error instanceof ExoraError) || (error.retryAfterMs ?? 0) > longestAskedMs) return false
  if (error.status === 429 || error.code === 'overloaded') return true
  if (repeat === 'refused') return false
  return error.status === 0 || passing.has(error.status) || error.code === 'idempotency_in_progress'
}

/** Doubling with full jitter, never sooner than asked: many phones that lost one server do not come back as one. */
export function waitBefore(failed: number, error: ExoraError, policy: RetryPolicy, random01: number): number {
  const spreadMs = Math.min(policy.maxMs, policy.baseMs * 2 ** (failed - 1)) * random01
  return (error.retryAfterMs ?? 0) + spreadMs
}

export async function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal)
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      if (signal !== undefined) reject(reasonOf(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, waitMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

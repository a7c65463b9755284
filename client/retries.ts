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
/** An attempt that died with its server holds its place for 90 s; until then nobody else is let in. */
const longestHeldMs = 120_000
const passing = new Set([502, 503, 504])
const held = new Set(['idempotency_in_progress', 'upload_held'])

/** How much may fail in a row. */
export type Patience = {
  /** How long to wait before the next try; null: it was enough. */
  readonly waitAfter: (error: ExoraError) => number | null
  /** Something has arrived. */
  readonly renew: () => void
}

export function createPatience(policy: RetryPolicy): Patience {
  let failed = 0
  let heldSinceMs: number | null = null
  return {
    waitAfter: (error) => {
      if (held.has(error.code)) {
        heldSinceMs ??= Date.now()
        return Date.now() - heldSinceMs > longestHeldMs ? null : waitBefore(1, error, policy)
      }
      heldSinceMs = null
      failed += 1
      return failed >= policy.attempts ? null : waitBefore(failed, error, policy)
    },
    renew: () => {
      failed = 0
      heldSinceMs = null
    },
  }
}

export async function withRetries<T>(
  attempt: () => Promise<T>,
  { patience, repeat, signal }: { patience: Patience; repeat: Repeat; signal: AbortSignal | undefined },
): Promise<T> {
  for (;;) {
    throwIfAborted(signal)
    try {
      return await attempt()
    } catch (error) {
      if (signal?.aborted === true) throw reasonOf(signal)
      const waitMs = passes(error, repeat) ? patience.waitAfter(error) : null
      if (waitMs === null) throw error
      await pause(waitMs, signal)
    }
  }
}

/** Whether the same request may go through later. */
export function passes(error: unknown, repeat: Repeat): error is ExoraError {
  if (!(error instanceof ExoraError) || (error.retryAfterMs ?? 0) > longestAskedMs) return false
  if (error.status === 429 || error.code === 'overloaded') return true
  if (repeat === 'refused') return false
  return error.status === 0 || passing.has(error.status) || held.has(error.code)
}

/** Doubling, never sooner than asked, half of it by chance: many phones that lost one server do not come back as one. */
function waitBefore(failed: number, error: ExoraError, policy: RetryPolicy): number {
  return (error.retryAfterMs ?? 0) + doubled(failed, policy) * (0.5 + Math.random() / 2)
}

export const doubled = (failed: number, { baseMs, maxMs }: RetryPolicy): number =>
  Math.min(maxMs, baseMs * 2 ** (failed - 1))

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

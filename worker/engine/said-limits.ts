import type { Endpoint } from '../../db/queries/capacity.ts'
import type { SaidLimits } from './handler.ts'

export type LimitNews = {
  readonly retryAfterMs: number
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
}

// The database forgets a report after an hour.
const repeatAfterMs = 10 * 60_000
// A shorter pause is over before the others have heard of it.
const shortestPauseMs = 1_000

/** What providers say of their limits with every answer, and what of it is news to the fleet. */
export function createSaidLimits(): {
  newsOf(endpoint: Endpoint, said: SaidLimits | null): LimitNews | null
} {
  const told = new Map<string, { readonly limits: string; readonly at: number }>()
  return {
    newsOf({ provider, endpoint }, said) {
      if (said === null) return null
      const { requestsPerMinute, tokensPerMinute } = said
      const retryAfterMs = said.pauseMs >= shortestPauseMs ? said.pauseMs : 0
      const key = `${provider}/${endpoint}`
      const limits = `${requestsPerMinute}/${tokensPerMinute}`
      const last = told.get(key)
      const isKnown = last?.limits === limits && performance.now() - last.at < repeatAfterMs
      const saysNothing = requestsPerMinute === null && tokensPerMinute === null
      if (retryAfterMs === 0 && (isKnown || saysNothing)) return null
      told.set(key, { limits, at: performance.now() })
      return { retryAfterMs, requestsPerMinute, tokensPerMinute }
    },
  }
}

/**
 * `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests` and the same of tokens, as OpenAI sends them with
 * every answer. A reset says when the bucket would be full again, so room for one more is there after its share of that.
 */
import type { SaidLimits } from './provider.ts'

/** null: the service says nothing of its limits. */
export function limitsOf(headers: Headers): SaidLimits | null {
  const requests = bucketOf(headers, 'requests')
  const tokens = bucketOf(headers, 'tokens')
  if (requests.limit === null && tokens.limit === null) return null
  return {
    requestsPerMinute: requests.limit,
    tokensPerMinute: tokens.limit,
    pauseMs: Math.max(pauseFor(requests, 1), pauseFor(tokens, usualTokens)),
  }
}

type Bucket = { readonly limit: number | null; readonly remaining: number | null; readonly resetMs: number }

// A question with its answer.
const usualTokens = 3_000
const largestLimit = 2_147_483_647

function bucketOf(headers: Headers, kind: 'requests' | 'tokens'): Bucket {
  return {
    limit: limitOf(headers.get(`x-ratelimit-limit-${kind}`)),
    remaining: wholeNumber(headers.get(`x-ratelimit-remaining-${kind}`)),
    resetMs: durationMs(headers.get(`x-ratelimit-reset-${kind}`) ?? ''),
  }
}

function pauseFor({ limit, remaining, resetMs }: Bucket, wanted: number): number {
  if (remaining !== 0 || limit === null) return 0
  return Math.ceil(resetMs * Math.min(1, wanted / limit))
}

/** None, and what no column holds, is how some services say "unlimited". */
function limitOf(text: string | null): number | null {
  const limit = wholeNumber(text)
  return limit === null || limit === 0 || limit > largestLimit ? null : limit
}

const wholeNumber = (text: string | null): number | null =>
  text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : null

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** "8.64s", "6m0s", "120ms"; 0 for what is not a duration. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)]
  const total = parts.reduce((sum, [, value = '0', unit = 's']) => sum + Number(value) * (unitMs[unit] ?? 0), 0)
  return Number.isFinite(total) ? total : 0
}

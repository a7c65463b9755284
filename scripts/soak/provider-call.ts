import { defineError } from '../../platform/errors.ts'
import type { Answered } from '../../worker/engine/handler.ts'

const providerBusy = defineError('provider_busy', 429, 'The service has no room.')
const providerFailed = defineError('provider_failed', 502, 'The service failed.')

/** The client's side of `provider.ts`, as the product's providers do it: no retries of its own. */
export async function callProvider(url: string, signal: AbortSignal): Promise<Answered<string>> {
  const response = await fetch(url, { method: 'POST', signal })
  const text = await response.text()
  if (response.ok) return { value: text, tokensUsed: 80, costUsd: 0.001, said: saidOf(response) }
  if (response.status === 429)
    throw providerBusy({ retryAfterMs: Number(response.headers.get('retry-after') ?? '1') * 1_000 })
  throw providerFailed()
}

/** Another limit again and again, none of which is lower than ours. */
const saidOf = (response: Response) => ({
  requestsPerMinute: Number(response.headers.get('x-ratelimit-limit-requests')),
  tokensPerMinute: null,
  pauseMs: 0,
})

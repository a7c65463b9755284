import { defineError } from '../../platform/errors.ts'

const providerBusy = defineError('provider_busy', 429, 'The service has no room.')
const providerFailed = defineError('provider_failed', 502, 'The service failed.')

/** The client's side of `provider.ts`, as the product's providers do it: no retries of its own. */
export async function callProvider(
  url: string,
  signal: AbortSignal,
): Promise<{ readonly value: string; readonly tokensUsed: number }> {
  const response = await fetch(url, { method: 'POST', signal })
  const text = await response.text()
  if (response.ok) return { value: text, tokensUsed: 80 }
  if (response.status === 429)
    throw providerBusy({ retryAfterMs: Number(response.headers.get('retry-after') ?? '1') * 1_000 })
  throw providerFailed()
}

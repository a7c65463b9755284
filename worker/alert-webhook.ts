import { createHmac } from 'node:crypto'
import type { AlertDelivery } from '../db/queries/alerts.ts'
import { AppError } from '../platform/errors.ts'
import { fetchOnce } from '../platform/http.ts'

export type WebhookConfig = { readonly url: string; readonly secret: string | null }

const timeoutMs = 5_000
const maxAnswerBytes = 64 * 1024

/** Tells one alert, once. Null when it was taken (any 2xx), else a code: whoever asks owns the retries. */
export async function postAlert(
  config: WebhookConfig,
  delivery: AlertDelivery,
  context: { readonly environment: string; readonly signal: AbortSignal },
): Promise<string | null> {
  const body = JSON.stringify({
    alert_id: delivery.alertId,
    state: delivery.state,
    slo: delivery.slo,
    lane: delivery.lane,
    value: delivery.value,
    goal: delivery.goal,
    occurred_at: delivery.occurredAt,
    environment: context.environment,
  })
  const id = `${delivery.alertId}.${delivery.state}`
  try {
    const { status } = await fetchOnce(config.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signatureHeaders(config.secret, id, body) },
      body,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      signal: context.signal,
    })
    return status >= 200 && status < 300 ? null : `http_${status}`
  } catch (error) {
    if (context.signal.aborted) return 'worker_stopping'
    return error instanceof AppError ? error.code : 'internal_error'
  }
}

/**
 * As https://www.standardwebhooks.com has it: receivers check with any of its libraries, and know a repeated delivery by
 * its id. The time is that of sending, so that an old request cannot be sent again by somebody else.
 */
function signatureHeaders(secret: string | null, id: string, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === null) return headers
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}

const prefix = 'whsec_'
const keyOf = (secret: string) =>
  secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret)

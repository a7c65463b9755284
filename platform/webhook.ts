import { createHmac } from 'node:crypto'
import { AppError } from './errors.ts'
import { fetchOnce } from './http.ts'

export type WebhookConfig = { readonly url: string; readonly secret: string | null }

const timeoutMs = 5_000
const maxAnswerBytes = 64 * 1024

/** Tells something, once. Null when it was taken (any 2xx), else a code: whoever asks owns the retries. */
export async function postWebhook(
  config: WebhookConfig,
  message: { readonly id: string; readonly body: Readonly<Record<string, unknown>> },
  signal: AbortSignal,
): Promise<string | null> {
  const body = JSON.stringify(message.body)
  try {
    const { status } = await fetchOnce(config.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signatureHeaders(config.secret, message.id, body) },
      body,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      signal,
    })
    return status >= 200 && status < 300 ? null : `http_${status}`
  } catch (error) {
    signal.throwIfAborted()
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

import { defineError } from './errors.ts'

export const outboundTimeout = defineError(
  'outbound_timeout',
  504,
  'A service that we depend on did not answer in time.',
)
export const outboundUnreachable = defineError('outbound_unreachable', 502, 'A service that we depend on is not there.')
export const outboundTooLarge = defineError('outbound_too_large', 502, 'A service that we depend on answered too much.')

export type Outbound = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
  /** For connecting, headers and body together. */
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

export type OutboundAnswer = { readonly status: number; readonly headers: Headers; readonly body: Buffer }

/**
 * One request, never repeated here: whoever started the work owns its retries. Redirects are refused, since they
 * could carry a key or a document to a host that nobody configured.
 */
export async function fetchOnce(url: string, request: Outbound): Promise<OutboundAnswer> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout
  const { host } = new URL(url)
  try {
    const response = await fetch(url, {
      method: request.method ?? 'GET',
      headers: request.headers ?? {},
      redirect: 'error',
      signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    return { status: response.status, headers: response.headers, body: await readLimited(response, request.maxBytes) }
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason
    if (timeout.aborted) throw outboundTimeout({ host, timeoutMs: request.timeoutMs })
    if (outboundTooLarge.matches(error)) throw error
    throw outboundUnreachable({ host, cause: error })
  }
}

async function readLimited(response: Response, maxBytes: number): Promise<Buffer> {
  if (response.body === null) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw outboundTooLarge({ maxBytes })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

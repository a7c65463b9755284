/**
 * Google's own client over REST with an API key, and what it lacks: an abort that ends the request, and the Retry-After of
 * a failed answer. Both are had at the fetch that it makes for each call. Its retries are off: the job owns them.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ImageAnnotatorClient } from '@google-cloud/vision'
import { visionError } from './google-errors.ts'
import { retryAfterMs } from './google-pause.ts'
import { ocrMisconfigured } from './provider.ts'

export type VisionPlace = { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' }
export type VisionRequest = Extract<Parameters<ImageAnnotatorClient['batchAnnotateImages']>[0], object>

export type VisionClient = {
  /** The answer as the client gives it, not looked at. Errors are ours. */
  annotate(request: VisionRequest, call: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<unknown>
  close(): Promise<void>
}

type Call = { readonly signal: AbortSignal; askedForMs: number | null }

export function openVisionClient(apiKey: string, place: VisionPlace | undefined): VisionClient {
  const calls = new AsyncLocalStorage<Call>()
  const client = openClient(apiKey, place)
  watchFetch(client, calls)
  return {
    async annotate(request, { timeoutMs, signal }) {
      const call: Call = { signal, askedForMs: null }
      try {
        return await calls.run(call, () => client.batchAnnotateImages(request, { timeout: timeoutMs, retry: null }))
      } catch (error) {
        signal.throwIfAborted()
        throw visionError(error, call.askedForMs)
      }
    },
    close: () => client.close(),
  }
}

// Without a key the client would look for credentials on the network and bring the process down when there are none.
function openClient(apiKey: string, place: VisionPlace | undefined): ImageAnnotatorClient {
  if (apiKey === '') throw ocrMisconfigured({ reason: 'no API key' })
  process.env['METADATA_SERVER_DETECTION'] ??= 'none'
  // Set to anything, it has the client write pictures and answers to stderr.
  process.env['GOOGLE_SDK_NODE_LOGGING'] = ''
  const at = place === undefined ? {} : { apiEndpoint: place.host, port: place.port, protocol: place.protocol }
  return new ImageAnnotatorClient({ apiKey, fallback: true, ...at })
}

/**
 * Node's own: the one that the client brings emits an error that nobody hears when it is aborted before it has begun, and
 * the process dies of it. Pictures go where they were sent, and nowhere else.
 */
const ownFetch = { fetchImplementation: globalThis.fetch, redirect: 'error' } as const

function watchFetch({ auth }: ImageAnnotatorClient, calls: AsyncLocalStorage<Call>): void {
  const fetch = auth.fetch.bind(auth)
  auth.fetch = async <T>(...args: Parameters<typeof fetch<T>>) => {
    const call = calls.getStore()
    const [url, options] = args
    if (call === undefined || typeof url !== 'string') return await fetch<T>(...args)
    const theirs = options?.signal ?? null
    const signal = theirs === null ? call.signal : AbortSignal.any([theirs, call.signal])
    const response = await fetch<T>({ ...options, ...ownFetch, url, signal })
    call.askedForMs = retryAfterMs(response.headers.get('retry-after'))
    return response
  }
}

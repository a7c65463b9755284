/** Google Cloud Vision, `document_text_detection`: up to 16 pictures in a request. */
import { readAnswer } from './google-answer.ts'
import { openVisionClient } from './google-client.ts'
import type { VisionClient, VisionPlace } from './google-client.ts'
import { maxPictureBytes, maxPictures, visionRequest } from './google-request.ts'
import { ocrUnavailable } from './provider.ts'
import type { OcrBatches, OcrProvider } from './provider.ts'

export type GoogleVisionOptions = {
  readonly apiKey: string
  /** For a request of one picture; each more may take a tenth of it longer. */
  readonly timeoutMs?: number
  /** Hints; none: Vision finds out itself. */
  readonly languages?: readonly string[]
  /** Another place that speaks the same protocol: of a region (`eu-vision.googleapis.com`), for tests and proxies. */
  readonly endpoint?: VisionPlace | undefined
}

export function createGoogleVision(options: GoogleVisionOptions): OcrProvider {
  const { apiKey, timeoutMs = 30_000, languages = [], endpoint } = options
  let client: VisionClient | undefined
  const open = (): VisionClient => {
    client ??= openVisionClient(apiKey, endpoint)
    return client
  }
  const recognise: OcrBatches['recognise'] = async (images, { signal }) => {
    signal.throwIfAborted()
    const request = await visionRequest(images, languages)
    const call = { timeoutMs: Math.round(timeoutMs * (1 + (images.length - 1) / 10)), signal }
    return readAnswer(await open().annotate(request, call), images)
  }
  return {
    name: 'google-vision',
    version: 'v1',
    // 1.50 US dollars for a thousand, as published in 2025; the first thousand of a month may be free.
    costUsdPerPicture: 0.0015,
    // While one request is under way, the next one gathers.
    picturesAtOnce: 2 * maxPictures,
    batches: { maxPictures, maxBytes: maxPictureBytes, recognise },
    recognise: async (image, call) => {
      const [outcome] = await recognise([image], call)
      if (outcome?.kind === 'read') return outcome.result
      throw outcome?.error ?? ocrUnavailable()
    },
    close: async () => {
      await client?.close()
      client = undefined
    },
  }
}

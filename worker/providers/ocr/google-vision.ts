/**
 * Google Cloud Vision, `document_text_detection`, over REST with an API key. Retries are off: the job owns them.
 * Its answers leave out what is zero or unknown, so every field is read as if it might be missing.
 */
import { ImageAnnotatorClient } from '@google-cloud/vision'
import { z } from 'zod'
import { retryAfterMs, retryDelayMs } from './google-pause.ts'
import { meanConfidence, ocrRateLimited, ocrRefused, ocrUnavailable } from './provider.ts'
import type { OcrProvider, OcrResult, OcrWord } from './provider.ts'

export type GoogleVisionOptions = {
  readonly apiKey: string
  readonly timeoutMs?: number
  /** Another place that speaks the same protocol, for tests and proxies. */
  readonly endpoint?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' } | undefined
}

export function createGoogleVision({ apiKey, timeoutMs = 30_000, endpoint }: GoogleVisionOptions): OcrProvider {
  let client: ImageAnnotatorClient | undefined
  const waits: Waits = { askedForMs: null }
  const open = (): ImageAnnotatorClient => {
    client ??= openClient({ apiKey, endpoint, waits })
    return client
  }
  return {
    name: 'google-vision',
    version: 'v1',
    // 1.50 US dollars for a thousand, as published in 2025; the first thousand of a month may be free.
    costUsdPerPicture: 0.0015,
    picturesAtOnce: 16,
    recognise: async ({ png }, { signal }) => {
      signal.throwIfAborted()
      const content = Buffer.from(png)
      const request = { requests: [{ image: { content }, features: [{ type: 'DOCUMENT_TEXT_DETECTION' as const }] }] }
      const answer = open().batchAnnotateImages(request, { timeout: timeoutMs, retry: null })
      return readAnswer(await abortable(answer, signal).catch(translate(signal, waits)))
    },
    close: async () => {
      await client?.close()
      client = undefined
    },
  }
}

/** What the service last asked for; the wait is for the whole endpoint, so it does not matter which request met it. */
type Waits = { askedForMs: number | null }

type Opening = { readonly apiKey: string; readonly endpoint: GoogleVisionOptions['endpoint']; readonly waits: Waits }

// Without a key the client would look for credentials on the network and bring the process down when there are none.
function openClient({ apiKey, endpoint, waits }: Opening): ImageAnnotatorClient {
  if (apiKey === '') throw ocrRefused({ reason: 'no API key' })
  process.env['METADATA_SERVER_DETECTION'] ??= 'none'
  const place =
    endpoint === undefined ? {} : { apiEndpoint: endpoint.host, port: endpoint.port, protocol: endpoint.protocol }
  const client = new ImageAnnotatorClient({ apiKey, fallback: true, ...place })
  noteWaits(client, waits)
  return client
}

/** The client drops the headers of a failed answer, and with them Retry-After; its own fetch still has them. */
function noteWaits(client: ImageAnnotatorClient, waits: Waits): void {
  const { auth } = client
  const fetch = auth.fetch.bind(auth)
  auth.fetch = async <T>(...args: Parameters<typeof fetch<T>>) => {
    const response = await fetch<T>(...args)
    waits.askedForMs = retryAfterMs(response.headers.get('retry-after'))
    return response
  }
}

/** The client knows no abort: its answer is no longer waited for. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => {})
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const failureSchema = z.object({
  code: z.union([z.number(), z.string()]).optional(),
  message: z.string().optional(),
})

/** gRPC codes and HTTP statuses both appear, depending on where the answer broke. */
const rateLimited = new Set<unknown>([8, 429, '429'])
const refused = new Set<unknown>([3, 5, 7, 9, 16, 400, 401, 403, 404, 413, '400', '401', '403', '404', '413'])

function translate(signal: AbortSignal, waits: Waits): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted()
    const { code } = failureSchema.safeParse(error).data ?? {}
    // The client's messages may quote the answer; only its code goes on.
    const askedForMs = retryDelayMs(error) ?? waits.askedForMs
    if (rateLimited.has(code)) throw ocrRateLimited({ code, retryAfterMs: askedForMs ?? defaultRetryMs })
    if (refused.has(code)) throw ocrRefused({ code })
    throw ocrUnavailable({ code, ...(askedForMs === null ? {} : { retryAfterMs: askedForMs }) })
  }
}

const defaultRetryMs = 30_000

const vertexSchema = z.object({ x: z.number().nullish(), y: z.number().nullish() })
const wordSchema = z.object({
  confidence: z.number().nullish(),
  boundingBox: z.object({ vertices: z.array(vertexSchema).nullish() }).nullish(),
  symbols: z
    .array(z.object({ text: z.string().nullish(), confidence: z.number().nullish(), property: z.unknown() }))
    .nullish(),
})
const listOf = <T extends z.ZodType>(item: T) => z.array(item).nullish()
const answerSchema = z.tuple([
  z.object({
    responses: z
      .array(
        z.object({
          error: z.object({ code: z.number().nullish() }).nullish(),
          fullTextAnnotation: z
            .object({
              pages: listOf(
                z.object({ blocks: listOf(z.object({ paragraphs: listOf(z.object({ words: listOf(wordSchema) })) })) }),
              ),
            })
            .nullish(),
        }),
      )
      .min(1),
  }),
])

function readAnswer(answer: unknown): OcrResult {
  const parsed = answerSchema.safeParse(Array.isArray(answer) ? answer.slice(0, 1) : answer)
  const response = parsed.data?.[0].responses[0]
  if (response === undefined) throw ocrUnavailable({ reason: 'malformed answer' })
  const code = response.error?.code ?? 0
  if (code !== 0) translate(new AbortController().signal, { askedForMs: null })({ code })
  let line = 0
  const words = (response.fullTextAnnotation?.pages ?? []).flatMap(({ blocks }) =>
    (blocks ?? []).flatMap(({ paragraphs }, block) =>
      (paragraphs ?? []).flatMap((paragraph) => {
        const found = wordsOf(paragraph.words ?? [], { block, line })
        line = (found.at(-1)?.line ?? line) + 1
        return found
      }),
    ),
  )
  return { words, confidence01: meanConfidence(words) }
}

const breakSchema = z.object({
  detectedBreak: z.object({ type: z.union([z.string(), z.number()]).nullish() }).nullish(),
})
/** By name and by number: SPACE 1, SURE_SPACE 2, EOL_SURE_SPACE 3, HYPHEN 4, LINE_BREAK 5. */
const endsLine = new Set<unknown>(['EOL_SURE_SPACE', 'HYPHEN', 'LINE_BREAK', 3, 4, 5])
const endsWord = new Set<unknown>([...endsLine, 'SPACE', 'SURE_SPACE', 1, 2])

type Word = z.infer<typeof wordSchema>
type Joining = { text: string; box: OcrWord['box'] | null; confidences: number[] }

/** Vision parts "mmol/L" and "5.1" into several words; only its breaks say where a printed word ends. */
function wordsOf(words: readonly Word[], start: { block: number; line: number }): OcrWord[] {
  const found: OcrWord[] = []
  let line = start.line
  let open: Joining = { text: '', box: null, confidences: [] }
  const close = (): void => {
    const confidence01 = open.confidences.reduce((sum, value) => sum + value, 0) / Math.max(open.confidences.length, 1)
    if (open.text !== '' && open.box !== null)
      found.push({ text: open.text, confidence01, box: open.box, line, block: start.block })
    open = { text: '', box: null, confidences: [] }
  }
  for (const word of words) {
    const last = word.symbols?.at(-1)
    const broken = breakSchema.safeParse(last?.property).data?.detectedBreak?.type
    open = joined(open, word)
    if (endsWord.has(broken)) close()
    if (endsLine.has(broken)) line++
  }
  close()
  return found
}

function joined(open: Joining, word: Word): Joining {
  const text = (word.symbols ?? []).map((symbol) => symbol.text ?? '').join('')
  const box = boxOf(word)
  const known = open.box
  return {
    text: open.text + text,
    // Confidence 0 stands for "not given".
    confidences: [...open.confidences, (word.confidence ?? 0) === 0 ? 0.8 : (word.confidence ?? 0)],
    box:
      known === null || box === null
        ? (box ?? known)
        : [
            Math.min(known[0], box[0]),
            Math.min(known[1], box[1]),
            Math.max(known[2], box[2]),
            Math.max(known[3], box[3]),
          ],
  }
}

/** A coordinate of 0 is left out; the order of the corners follows the text, so the extremes are taken. */
function boxOf(word: Word): OcrWord['box'] | null {
  const vertices = word.boundingBox?.vertices ?? []
  if (vertices.length === 0) return null
  const xs = vertices.map(({ x }) => x ?? 0)
  const ys = vertices.map(({ y }) => y ?? 0)
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

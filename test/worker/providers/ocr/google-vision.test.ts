import tap, { test } from 'tap'
import { createGoogleVision } from '../../../../worker/providers/ocr/google-vision.ts'
import type { OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import type { Teardown } from '../../../support/postgres.ts'
import { startVisionServer, visionAnswer, visionWord } from '../../../support/vision-server.ts'
import type { VisionServer } from '../../../support/vision-server.ts'

const image = { png: Buffer.from('not looked at'), widthPx: 800, heightPx: 1000, dpi: 200, surface: 'clean' as const }
const signal = new AbortController().signal

type Reader = { readonly server: VisionServer; readonly ocr: OcrProvider }

async function open(t: Teardown, timeoutMs: number): Promise<Reader> {
  const server = await startVisionServer()
  const endpoint = { host: '127.0.0.1', port: server.port, protocol: 'http' as const }
  const ocr = createGoogleVision({ apiKey: 'a-key', timeoutMs, endpoint })
  t.teardown(async () => {
    await ocr.close()
    await server.close()
  })
  return { server, ocr }
}

// The client takes half a second to build, so that one serves all tests.
const shared = open(tap, 5_000)

/** With a service that has been asked for nothing and finds no word. */
async function start(): Promise<Reader> {
  const { server, ocr } = await shared
  server.requests.splice(0)
  server.answer = { kind: 'json', body: { responses: [{}] } }
  return { server, ocr }
}

void test('words come with boxes in pixels, also where a coordinate is left out', async (t) => {
  const { server, ocr } = await start()
  server.answer = {
    kind: 'json',
    body: visionAnswer(
      visionWord('Sodium', [0, 0, 120, 30], 'SPACE'),
      visionWord('140', [200, 0, 260, 30], 'LINE_BREAK'),
    ),
  }
  const { words, confidence01 } = await ocr.recognise(image, { signal })
  t.same(
    words.map(({ text, box }) => [text, box]),
    [
      ['Sodium', [0, 0, 120, 30]],
      ['140', [200, 0, 260, 30]],
    ],
  )
  t.ok(Math.abs(confidence01 - 0.97) < 1e-6)
})

void test('parts of a printed word are put together, lines are told apart', async (t) => {
  const { server, ocr } = await start()
  server.answer = {
    kind: 'json',
    body: visionAnswer(
      visionWord('4', [0, 0, 10, 30], null),
      visionWord('.', [11, 20, 14, 30], null),
      visionWord('2', [15, 0, 25, 30], 'SPACE'),
      visionWord('mmol', [40, 0, 90, 30], null, 0),
      visionWord('/L', [91, 0, 110, 30], 'EOL_SURE_SPACE'),
      visionWord('next', [0, 50, 60, 80], 'LINE_BREAK'),
    ),
  }
  const { words } = await ocr.recognise(image, { signal })
  t.same(
    words.map(({ text, line }) => [text, line]),
    [
      ['4.2', 0],
      ['mmol/L', 0],
      ['next', 1],
    ],
  )
  t.same(words[0]?.box, [0, 0, 25, 30])
})

void test('the key goes in a header and the request asks for document text', async (t) => {
  const { server, ocr } = await start()
  t.same((await ocr.recognise(image, { signal })).words, [])
  t.equal(server.requests[0]?.key, 'a-key')
  t.match(JSON.stringify(server.requests[0]?.body), /"features":\[\{"type":(?:11|"DOCUMENT_TEXT_DETECTION")\}\]/)
})

void test('a spent limit is told apart from a broken service and from a refusal, and nothing is tried twice', async (t) => {
  const { server, ocr } = await start()
  const failure = (status: number, code: string, headers = {}) => ({
    kind: 'json' as const,
    status,
    headers,
    body: { error: { code: status, message: 'no', status: code } },
  })
  server.answer = failure(429, 'RESOURCE_EXHAUSTED', { 'retry-after': '7' })
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_rate_limited' })
  server.answer = failure(500, 'INTERNAL')
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_unavailable' })
  server.answer = failure(503, 'UNAVAILABLE')
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_unavailable' })
  server.answer = failure(403, 'PERMISSION_DENIED')
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_refused' })
  t.equal(server.requests.length, 4)
})

void test('the wait that the service asks for is passed on', async (t) => {
  const { server, ocr } = await start()
  const body = { error: { code: 429, message: 'no', status: 'RESOURCE_EXHAUSTED' } }
  server.answer = { kind: 'json', status: 429, headers: { 'retry-after': '7' }, body }
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_rate_limited', retryAfterMs: 7000 })
  const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '12.5s' }
  server.answer = { kind: 'json', status: 429, body: { error: { ...body.error, details: [retryInfo] } } }
  await t.rejects(
    ocr.recognise(image, { signal }),
    { code: 'ocr_rate_limited', retryAfterMs: 12_500 },
    'in the details of the error as well',
  )
  const away = { error: { code: 503, message: 'no', status: 'UNAVAILABLE' } }
  const date = new Date(Date.now() + 60_000).toUTCString()
  server.answer = { kind: 'json', status: 503, headers: { 'retry-after': date }, body: away }
  const failure: unknown = await ocr.recognise(image, { signal }).catch((error: unknown) => error)
  t.match(failure, { code: 'ocr_unavailable' })
  const waitMs = Number(Object(failure).retryAfterMs)
  t.ok(waitMs > 50_000 && waitMs <= 60_000, 'and when it is away, as a date')
})

void test('a refusal of the one picture inside a good answer is a refusal', async (t) => {
  const { server, ocr } = await start()
  server.answer = { kind: 'json', body: { responses: [{ error: { code: 3, message: 'Bad image data.' } }] } }
  await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_refused' })
})

void test('a reset, a cut-off answer and silence are a service that is not available', async (t) => {
  const { server, ocr } = await open(t, 400)
  for (const kind of ['reset', 'cut off', 'silence'] as const) {
    server.answer = { kind }
    await t.rejects(ocr.recognise(image, { signal }), { code: 'ocr_unavailable' }, kind)
  }
})

void test('an abort is not waited out', async (t) => {
  const { server, ocr } = await start()
  server.answer = { kind: 'silence' }
  const controller = new AbortController()
  const reading = ocr.recognise(image, { signal: controller.signal })
  controller.abort(new Error('lease lost'))
  await t.rejects(reading, { message: 'lease lost' })
})

void test('without a key it refuses instead of looking for credentials', async (t) => {
  await t.rejects(createGoogleVision({ apiKey: '' }).recognise(image, { signal }), { code: 'ocr_refused' })
})

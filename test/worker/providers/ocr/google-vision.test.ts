import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import tap, { test } from 'tap'
import { ConfigurationError } from '../../../../platform/env.ts'
import { readWorkerConfig } from '../../../../worker/config.ts'
import { createGoogleVision } from '../../../../worker/providers/ocr/google-vision.ts'
import type { OcrImage, OcrOutcome, OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import type { Teardown } from '../../../support/postgres.ts'
import { line, madeResponse } from '../../../support/vision-answer.ts'
import { startVisionServer } from '../../../support/vision-server.ts'
import type { VisionServer } from '../../../support/vision-server.ts'

const image = { png: Buffer.from('not looked at'), widthPx: 800, heightPx: 1000, dpi: 200, surface: 'clean' as const }
const signal = new AbortController().signal

type Reader = { readonly server: VisionServer; readonly ocr: OcrProvider }

async function open(t: Teardown, languages: readonly string[]): Promise<Reader> {
  const server = await startVisionServer()
  const endpoint = { host: '127.0.0.1', port: server.port, protocol: 'http' as const }
  const ocr = createGoogleVision({ apiKey: 'a-key', timeoutMs: 600_000, endpoint, languages })
  t.teardown(async () => {
    await ocr.close()
    await server.close()
  })
  return { server, ocr }
}

process.env['GOOGLE_SDK_NODE_LOGGING'] = '*'
// The client takes half a second to build, so that one serves all tests.
const shared = open(tap, ['en'])

/** With a service that has been asked for nothing and finds no word. */
async function start(): Promise<Reader> {
  const { server, ocr } = await shared
  server.requests.splice(0)
  server.answer = { kind: 'each', response: {} }
  return { server, ocr }
}

const batch = async (ocr: OcrProvider, images: readonly OcrImage[]): Promise<readonly OcrOutcome[]> =>
  (await ocr.batches?.recognise(images, { signal })) ?? []
const saying = (text: string) => madeResponse([[line(text, 100, 100)]])
const textOf = (outcome: OcrOutcome | undefined) =>
  outcome?.kind === 'read' ? outcome.result.words.map(({ text }) => text).join(' ') : outcome?.error.code

void test('the key goes in a header; the request asks for document text in the languages that are set', async (t) => {
  const { server, ocr } = await start()
  t.same(await ocr.recognise(image, { signal }), { words: [], confidence01: 0, uprightTurn: 0 })
  const [asked] = server.requests
  t.equal(asked?.key, 'a-key')
  t.match(JSON.stringify(asked?.body), /"features":\[\{"type":(?:11|"DOCUMENT_TEXT_DETECTION")\}\]/)
  t.match(JSON.stringify(asked?.body), /"imageContext":\{"languageHints":\["en"\]\}/)
})

void test('nothing of a picture or an answer is written down, also where Google’s own logging is on', async (t) => {
  const { server, ocr } = await start()
  server.answer = { kind: 'each', response: saying('Jane Citizen') }
  const written = t.capture(process.stderr, 'write')
  t.equal((await ocr.recognise(image, { signal })).words.length, 2)
  t.same(written(), [])
})

void test('several pictures go in one request, and each gets its own words back', async (t) => {
  const { server, ocr } = await start()
  const images = ['first', 'second', 'third'].map((text) => ({ ...image, png: Buffer.from(text) }))
  server.answer = { kind: 'responses', responses: [saying('page one'), {}, saying('page three')] }
  t.same((await batch(ocr, images)).map(textOf), ['page one', '', 'page three'])
  t.same(
    server.requests.map(({ pictures }) => pictures.map((picture) => Buffer.from(picture, 'base64').toString())),
    [['first', 'second', 'third']],
  )
})

void test('one picture that is refused fails alone, with its own kind of failure', async (t) => {
  const { server, ocr } = await start()
  const failed = (code: number) => ({ error: { code, message: 'Bad image data: Jane Citizen' } })
  const codes = [3, 8, 13, 14, 4, 7]
  server.answer = { kind: 'responses', responses: [saying('page one'), ...codes.map(failed), { error: {} }] }
  t.same(
    (
      await batch(
        ocr,
        Array.from({ length: 8 }, () => image),
      )
    ).map(textOf),
    [
      'page one',
      'ocr_refused',
      'ocr_rate_limited',
      'ocr_unavailable',
      'ocr_unavailable',
      'ocr_unavailable',
      'ocr_misconfigured',
      '',
    ],
  )
})

void test('an answer for fewer pictures than were sent is nobody’s answer', async (t) => {
  const { server, ocr } = await start()
  server.answer = { kind: 'responses', responses: [saying('page one')] }
  await t.rejects(batch(ocr, [image, image]), { code: 'ocr_unavailable' })
  server.answer = { kind: 'json', body: {} }
  await t.rejects(batch(ocr, [image, image]), { code: 'ocr_unavailable' })
})

void test('a picture that is too large for a request is sent smaller in bytes, not in pixels', async (t) => {
  const { server, ocr } = await start()
  const size = { width: 3_000, height: 3_000 }
  const noise = { raw: { ...size, channels: 1 as const } }
  const png = await sharp(randomBytes(size.width * size.height), noise)
    .png({ compressionLevel: 0 })
    .toBuffer()
  await ocr.recognise({ ...image, png, widthPx: size.width, heightPx: size.height }, { signal })
  const [asked] = server.requests
  t.ok((asked?.bytes ?? 0) < 10_000_000)
  const sent = await sharp(Buffer.from(asked?.pictures[0] ?? '', 'base64')).metadata()
  t.match(sent, { format: 'jpeg', ...size })
})

void test('an abort is not waited out, and hangs up', async (t) => {
  const { server, ocr } = await start()
  server.answer = { kind: 'silence' }
  const controller = new AbortController()
  const reading = ocr.recognise(image, { signal: controller.signal })
  await server.arrived(1)
  controller.abort(new Error('lease lost'))
  await t.rejects(reading, { message: 'lease lost' })
  t.equal(await server.requests[0]?.end, 'hung up')
})

void test('an abort before anything was sent is one, too', async (t) => {
  const { server, ocr } = await start()
  const controller = new AbortController()
  const reading = ocr.recognise(image, { signal: controller.signal })
  controller.abort(new Error('lease lost'))
  await t.rejects(reading, { message: 'lease lost' })
  t.same(server.requests, [])
})

void test('place, key and languages come from the environment', (t) => {
  const read = (env: Record<string, string>) => readWorkerConfig(env).googleVision
  t.equal(read({}), null, 'without a key nothing leaves the machine')
  t.same(read({ GOOGLE_CLOUD_API_KEY: 'k' }), { apiKey: 'k', endpoint: undefined, languages: ['en'] })
  const eu = { GOOGLE_VISION_ENDPOINT: 'eu-vision.googleapis.com', GOOGLE_VISION_LANGUAGES: 'de, fr' }
  t.same(read({ GOOGLE_CLOUD_API_KEY: 'k', ...eu }), {
    apiKey: 'k',
    endpoint: { host: 'eu-vision.googleapis.com', port: 443, protocol: 'https' },
    languages: ['de', 'fr'],
  })
  t.same(read({ GOOGLE_CLOUD_API_KEY: 'k', GOOGLE_VISION_LANGUAGES: 'auto' })?.languages, [])
  t.throws(() => read({ GOOGLE_CLOUD_API_KEY: 'k', GOOGLE_VISION_LANGUAGES: 'en;de' }), ConfigurationError)
  t.end()
})

void test('without a key it refuses to work instead of looking for credentials', async (t) => {
  await t.rejects(createGoogleVision({ apiKey: '' }).recognise(image, { signal }), { code: 'ocr_misconfigured' })
})

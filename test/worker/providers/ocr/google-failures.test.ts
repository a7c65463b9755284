import { inspect } from 'node:util'
import tap, { test } from 'tap'
import { AppError } from '../../../../platform/errors.ts'
import { createGoogleVision } from '../../../../worker/providers/ocr/google-vision.ts'
import { errorInfo, startVisionServer, visionFailure } from '../../../support/vision-server.ts'
import type { VisionAnswer } from '../../../support/vision-server.ts'

const image = { png: Buffer.from('not looked at'), widthPx: 800, heightPx: 1000, dpi: 200, surface: 'clean' as const }
const signal = new AbortController().signal

const shared = (async () => {
  const server = await startVisionServer()
  const endpoint = { host: '127.0.0.1', port: server.port, protocol: 'http' as const }
  // Building one is most of the time of this file.
  const ocr = createGoogleVision({ apiKey: 'a-key', timeoutMs: 2_500, endpoint })
  tap.teardown(() => ocr.close())
  return { server, ocr }
})()

type Expected = { readonly code: string; readonly retryAfterMs?: number | null }
type Case = readonly [name: string, answer: VisionAnswer, expected: Expected]

const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
const quotaFailure = {
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ subject: 'project', description: 'Requests per minute' }],
}
const busy = (retryAfterMs: number) => ({ code: 'ocr_rate_limited', retryAfterMs })
const away = { code: 'ocr_unavailable', retryAfterMs: null }
const misconfigured = { code: 'ocr_misconfigured', retryAfterMs: null }
const refused = { code: 'ocr_refused', retryAfterMs: null }

const cases: readonly Case[] = [
  ['429 with Retry-After', visionFailure(429, 'RESOURCE_EXHAUSTED', { headers: { 'retry-after': '7' } }), busy(7_000)],
  [
    '429 with RetryInfo, which comes before the header',
    visionFailure(429, 'RESOURCE_EXHAUSTED', {
      headers: { 'retry-after': '7' },
      details: [quotaFailure, retryInfo('12.5s')],
    }),
    busy(12_500),
  ],
  ['429 that says nothing', visionFailure(429, 'RESOURCE_EXHAUSTED'), busy(30_000)],
  ['429 of a proxy', { kind: 'text', status: 429, text: '<p>slow</p>', headers: { 'retry-after': '3' } }, busy(3_000)],
  [
    '403 for a spent quota',
    visionFailure(403, 'PERMISSION_DENIED', { details: [errorInfo('RATE_LIMIT_EXCEEDED')] }),
    busy(30_000),
  ],
  [
    'billing that is off pauses for ten minutes',
    visionFailure(403, 'PERMISSION_DENIED', { details: [errorInfo('BILLING_DISABLED')] }),
    { code: 'ocr_unavailable', retryAfterMs: 600_000 },
  ],
  [
    '400 for a wrong key',
    visionFailure(400, 'INVALID_ARGUMENT', { details: [errorInfo('API_KEY_INVALID')] }),
    misconfigured,
  ],
  ['401', visionFailure(401, 'UNAUTHENTICATED'), misconfigured],
  ['403 for a key', visionFailure(403, 'PERMISSION_DENIED'), misconfigured],
  [
    '403 for an API that is off',
    visionFailure(403, 'PERMISSION_DENIED', { details: [errorInfo('SERVICE_DISABLED')] }),
    misconfigured,
  ],
  ['404 of a wrong address', { kind: 'text', status: 404, text: '<h1>Not found</h1>' }, misconfigured],
  ['400 for a picture', visionFailure(400, 'INVALID_ARGUMENT'), refused],
  ['a redirect', { kind: 'text', status: 307, text: '', headers: { location: '/v1/images:annotate' } }, away],
  ['413', { kind: 'text', status: 413, text: '<h1>Too large</h1>' }, refused],
  ['408', visionFailure(408, 'CANCELLED'), away],
  ['500', visionFailure(500, 'INTERNAL'), away],
  ['502 of a proxy', { kind: 'text', status: 502, text: '<h1>Bad gateway: Jane Citizen</h1>' }, away],
  ['502 without a word', { kind: 'text', status: 502, text: '' }, away],
  ['503', visionFailure(503, 'UNAVAILABLE'), away],
  [
    '503 with Retry-After',
    visionFailure(503, 'UNAVAILABLE', { headers: { 'retry-after': '20' } }),
    { code: 'ocr_unavailable', retryAfterMs: 20_000 },
  ],
  ['504', visionFailure(504, 'DEADLINE_EXCEEDED'), away],
  ['a connection that is reset', { kind: 'reset' }, away],
  ['one that is reset in the body', { kind: 'reset in the body' }, away],
  ['an answer that is cut off', { kind: 'cut off' }, away],
  ['an answer that is no JSON', { kind: 'text', status: 200, text: 'Jane Citizen' }, away],
  ['an answer that is empty', { kind: 'text', status: 200, text: '' }, away],
  ['an answer of another form', { kind: 'json', body: { responses: 'Jane Citizen' } }, away],
  ['an answer without responses', { kind: 'json', body: { responses: [] } }, away],
  [
    'a word of another form',
    { kind: 'each', response: { fullTextAnnotation: { pages: [{ blocks: 'Jane Citizen' }] } } },
    away,
  ],
]

void test('each failure is of its kind, says when to come back, and nothing of what was read or answered', async (t) => {
  const { server, ocr } = await shared
  for (const [name, answer, expected] of cases) {
    server.answer = answer
    const before = server.requests.length
    const error: unknown = await ocr.recognise(image, { signal }).catch((failure: unknown) => failure)
    t.ok(error instanceof AppError, name)
    t.match(error, expected, name)
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), /Jane|Citizen|diabetes/, `${name}: no content`)
    t.equal(server.requests.length, before + 1, `${name}: not tried twice`)
  }
})

void test('a date in Retry-After is a wait as well', async (t) => {
  const { server, ocr } = await shared
  const date = new Date(Date.now() + 60_000).toUTCString()
  server.answer = visionFailure(503, 'UNAVAILABLE', { headers: { 'retry-after': date } })
  const failure: unknown = await ocr.recognise(image, { signal }).catch((error: unknown) => error)
  const waitMs = failure instanceof AppError ? (failure.retryAfterMs ?? 0) : 0
  t.ok(waitMs > 50_000 && waitMs <= 60_000)
})

void test('silence is a service that is away, and so is one that nobody runs', async (t) => {
  const { server, ocr } = await shared
  server.answer = { kind: 'silence' }
  await t.rejects(ocr.recognise(image, { signal }), away)
  t.equal(await server.requests.at(-1)?.end, 'hung up')
  await server.close()
  await t.rejects(ocr.recognise(image, { signal }), away)
})

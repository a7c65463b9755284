import { sql } from 'drizzle-orm'
import tap, { test } from 'tap'
import { SnoozeSignal } from '../../../worker/engine/errors.ts'
import { leaseLost } from '../../../worker/engine/errors.ts'
import { serve } from '../../support/actors.ts'
import { decide } from '../../support/consents.ts'
import { outsideReading } from '../../support/outside-reading.ts'
import { line, madeResponse } from '../../support/vision-answer.ts'
import { errorInfo, visionFailure } from '../../support/vision-server.ts'
import type { VisionAnswer } from '../../support/vision-server.ts'

const shared = outsideReading(tap)

const image = { png: Buffer.from('not looked at'), widthPx: 800, heightPx: 1000, dpi: 200, surface: 'clean' as const }
const page = madeResponse([[line('page one', 100, 100)]])
const pictures = (count: number) => Array.from({ length: count }, () => image)

void test('pictures that are read side by side are one request; each of them is counted and paid for', async (t) => {
  const { begin, vision, used } = await shared
  const { read, use } = await begin()
  vision.answer = { kind: 'each', response: page }
  const results = await Promise.all(pictures(5).map(read))
  t.equal(use, 'asked')
  t.same(
    results.map(({ words }) => words.map(({ text }) => text).join(' ')),
    pictures(5).map(() => 'page one'),
  )
  t.same(
    vision.requests.map((request) => request.pictures.length),
    [5],
  )
  t.same(await used(), { is_blocked: false, in_use: 0, requests: 1, pictures: 5, cost_usd: 0.0075 })
})

type End = { readonly code: string } | { readonly reason: string }
type Case = readonly [name: string, answer: VisionAnswer, end: End, pause?: 'pauses']

const away = { code: 'ocr_unavailable' }
const cases: readonly Case[] = [
  [
    '429',
    visionFailure(429, 'RESOURCE_EXHAUSTED', { headers: { 'retry-after': '30' } }),
    { reason: 'provider_busy' },
    'pauses',
  ],
  [
    '503 that says when',
    visionFailure(503, 'X', { headers: { 'retry-after': '30' } }),
    { reason: 'provider_busy' },
    'pauses',
  ],
  [
    'billing that is off',
    visionFailure(403, 'PERMISSION_DENIED', { details: [errorInfo('BILLING_DISABLED')] }),
    { reason: 'provider_busy' },
    'pauses',
  ],
  [
    'all pictures busy in a good answer',
    { kind: 'each', response: { error: { code: 8 } } },
    { reason: 'provider_busy' },
    'pauses',
  ],
  ['500', visionFailure(500, 'INTERNAL'), away],
  ['502', { kind: 'text', status: 502, text: '<h1>Bad gateway</h1>' }, away],
  ['504', visionFailure(504, 'DEADLINE_EXCEEDED'), away],
  ['a wrong key', visionFailure(403, 'PERMISSION_DENIED'), { code: 'ocr_misconfigured' }],
  ['a picture that is refused', { kind: 'each', response: { error: { code: 3 } } }, { code: 'ocr_refused' }],
  ['413', { kind: 'text', status: 413, text: '' }, { code: 'ocr_refused' }],
  ['a reset', { kind: 'reset' }, away],
  ['a reset in the body', { kind: 'reset in the body' }, away],
  ['half an answer', { kind: 'cut off' }, away],
  ['no JSON', { kind: 'text', status: 200, text: 'Jane Citizen' }, away],
  ['an answer for one of two', { kind: 'responses', responses: [page] }, away],
  ['silence', { kind: 'silence' }, away],
]

void test('whatever becomes of a request, its room is free again, and the fleet pauses where it was asked to', async (t) => {
  const { begin, vision, used, startAfresh } = await shared
  const { read } = await begin()
  for (const [name, answer, end, pause] of cases) {
    await startAfresh()
    vision.answer = answer
    const ends = await Promise.allSettled(pictures(2).map(read))
    for (const each of ends) t.match(each, { status: 'rejected', reason: end }, name)
    const now = await used()
    t.match(now, { in_use: 0, is_blocked: pause === 'pauses' }, name)
    t.ok(Number(now?.['pictures']) >= 2, `${name}: the pictures have been sent, and count`)
  }
})

void test('one picture of several that is at fault leaves the others their words', async (t) => {
  const { begin, vision, used, startAfresh } = await shared
  await startAfresh()
  const { read } = await begin()
  vision.answer = { kind: 'responses', responses: [page, { error: { code: 3, message: 'Bad image data.' } }, page] }
  const inside = await Promise.allSettled(pictures(3).map(read))
  t.match(inside, [{ status: 'fulfilled' }, { reason: { code: 'ocr_refused' } }, { status: 'fulfilled' }])
  t.match(await used(), { in_use: 0, requests: 1, pictures: 3 })

  await startAfresh()
  const bad = { ...image, png: Buffer.from('the bad one') }
  const sent = bad.png.toString('base64')
  vision.answer = (request) =>
    request.pictures.includes(sent) ? visionFailure(400, 'INVALID_ARGUMENT') : { kind: 'each', response: page }
  const together = await Promise.allSettled([image, bad, image].map(read))
  t.match(together, [{ status: 'fulfilled' }, { reason: { code: 'ocr_refused' } }, { status: 'fulfilled' }])
  t.match(await used(), { in_use: 0, is_blocked: false })
})

void test('a busy moment for one picture pauses the fleet, and the others keep their words', async (t) => {
  const { begin, vision, used, startAfresh } = await shared
  await startAfresh()
  const { read } = await begin()
  vision.answer = { kind: 'responses', responses: [page, { error: { code: 8 } }] }
  const ends = await Promise.allSettled(pictures(2).map(read))
  t.match(ends, [{ status: 'fulfilled' }, { reason: { code: 'ocr_rate_limited' } }])
  t.match(await used(), { in_use: 0, is_blocked: true })
})

void test('a run that loses its job hangs up, and its room is free again', async (t) => {
  const { begin, vision, used, startAfresh } = await shared
  await startAfresh()
  const { attempt, read } = await begin()
  vision.answer = { kind: 'silence' }
  const before = vision.requests.length
  const reading = Promise.allSettled(pictures(2).map(read))
  await vision.arrived(before + 1)
  attempt.abort(leaseLost())
  t.match(await reading, [{ reason: { code: 'lease_lost' } }, { reason: { code: 'lease_lost' } }])
  t.equal(await vision.requests.at(-1)?.end, 'hung up')
  t.match(await used(), { in_use: 0 })
})

void test('consent withdrawn while a request is under way: what gathers for the next one never leaves', async (t) => {
  const { db, person, begin, vision, startAfresh } = await shared
  await startAfresh()
  const { read } = await begin()
  const before = vision.requests.length
  const withdrawn = Promise.withResolvers<void>()
  vision.answer = async () => {
    await withdrawn.promise
    return { kind: 'each', response: page }
  }
  const first = read(image)
  await vision.arrived(before + 1)
  const others = Promise.allSettled(pictures(3).map(read))
  await decide(db, person, 'withdrawn', { purpose: 'outside_ocr' })
  withdrawn.resolve()
  t.equal((await first).words.length, 2, 'what was under way has been paid for')
  for (const end of await others) {
    t.ok(end.status === 'rejected' && end.reason instanceof SnoozeSignal)
    t.match(end, { reason: { reason: 'consent_withdrawn', delayMs: 0 } })
  }
  t.equal(vision.requests.length, before + 1)
  t.equal((await begin()).use, 'no_consent', 'the next run begins without')
  const [open] = await serve(
    db,
    sql`select count(*)::int as held from api_capacity_reservations where released_at is null`,
  )
  t.same(open, { held: 0 })
})

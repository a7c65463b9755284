import { test } from 'tap'
import { gatherPictures } from '../../../../worker/providers/ocr/batching.ts'
import { ocrRefused, ocrUnavailable } from '../../../../worker/providers/ocr/provider.ts'
import type { OcrBatches, OcrImage, OcrOutcome } from '../../../../worker/providers/ocr/provider.ts'

const picture = (name: string, bytes = 10): OcrImage => ({
  png: Buffer.from(name.padEnd(bytes)),
  widthPx: 800,
  heightPx: 1000,
  dpi: 200,
  surface: 'clean',
})
const nameOf = ({ png }: OcrImage) => Buffer.from(png).toString().trim()
const read = (image: OcrImage): OcrOutcome => ({
  kind: 'read',
  result: {
    words: [{ text: nameOf(image), confidence01: 1, box: [0, 0, 1, 1], line: 0, block: 0 }],
    confidence01: 1,
  },
})

/** A service whose answers wait until they are let go. */
function service(limits: Partial<OcrBatches> = {}) {
  const asked: string[][] = []
  const signals: AbortSignal[] = []
  const answers: PromiseWithResolvers<readonly OcrOutcome[]>[] = []
  const recognise = gatherPictures({
    maxPictures: 4,
    maxBytes: 1_000,
    recognise: (images, { signal }) => {
      asked.push(images.map(nameOf))
      signals.push(signal)
      const answer = Promise.withResolvers<readonly OcrOutcome[]>()
      answers.push(answer)
      return answer.promise
    },
    ...limits,
  })
  const outcomesOf = (request: number) => (asked[request] ?? []).map((name) => read(picture(name)))
  return {
    asked,
    signals,
    ask: async (image: OcrImage, signal = new AbortController().signal) => {
      const { words } = await recognise(image, { signal })
      return words[0]?.text
    },
    answer: (request: number, outcomes = outcomesOf(request)) => answers[request]?.resolve(outcomes),
    fail: (request: number, error: unknown) => answers[request]?.reject(error),
  }
}

/** All that can happen without an answer has happened. */
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

void test('what is asked at the same time goes in one request, and each gets its own answer', async (t) => {
  const { ask, asked, answer } = service()
  const reading = Promise.all(['a', 'b', 'c'].map((name) => ask(picture(name))))
  await settled()
  t.same(asked, [['a', 'b', 'c']])
  answer(0)
  t.same(await reading, ['a', 'b', 'c'])
})

void test('while a request is under way the next one gathers, and goes as soon as that ends', async (t) => {
  const { ask, asked, answer } = service()
  const first = ask(picture('a'))
  await settled()
  const others = [ask(picture('b'))]
  await settled()
  others.push(ask(picture('c')))
  await settled()
  t.same(asked, [['a']])
  answer(0)
  await first
  await settled()
  t.same(asked, [['a'], ['b', 'c']])
  answer(1)
  t.same(await Promise.all(others), ['b', 'c'])
})

void test('a full request does not wait for the one before it, by number and by bytes', async (t) => {
  const { ask, asked, answer } = service()
  const reading = Promise.all('abcdefghi'.split('').map((name) => ask(picture(name))))
  await settled()
  t.same(asked, [
    ['a', 'b', 'c', 'd'],
    ['e', 'f', 'g', 'h'],
  ])
  answer(0)
  answer(1)
  await settled()
  answer(2)
  t.equal((await reading).join(''), 'abcdefghi')

  const large = service()
  const pictures = [picture('a', 600), picture('b', 600), picture('c', 5_000), picture('d')]
  const all = Promise.all(pictures.map((image) => large.ask(image)))
  await settled()
  t.same(large.asked, [['a'], ['b'], ['c']])
  for (const request of [0, 1, 2]) large.answer(request)
  await settled()
  large.answer(3)
  t.same(await all, ['a', 'b', 'c', 'd'])
})

void test('one picture’s failure is its own; a request’s failure is that of all its pictures', async (t) => {
  const { ask, answer, fail } = service()
  const reading = Promise.allSettled([ask(picture('a')), ask(picture('b'))])
  await settled()
  answer(0, [read(picture('a')), { kind: 'failed', error: ocrRefused() }])
  t.match(await reading, [{ value: 'a' }, { reason: { code: 'ocr_refused' } }])

  const another = Promise.allSettled([ask(picture('c')), ask(picture('d'))])
  await settled()
  fail(1, ocrUnavailable())
  t.match(await another, [{ reason: { code: 'ocr_unavailable' } }, { reason: { code: 'ocr_unavailable' } }])
})

void test('a request that is refused because of one picture is asked again in halves, until that one is alone', async (t) => {
  const asked: string[][] = []
  const recognise = gatherPictures({
    maxPictures: 16,
    maxBytes: 1_000,
    recognise: (images) => {
      asked.push(images.map(nameOf))
      if (images.some((image) => nameOf(image) === 'bad')) return Promise.reject(ocrRefused())
      return Promise.resolve(images.map(read))
    },
  })
  const { signal } = new AbortController()
  const names = ['a', 'b', 'bad', 'd']
  const ends = await Promise.allSettled(names.map((name) => recognise(picture(name), { signal })))
  t.same(
    ends.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  )
  t.same(asked, [['a', 'b', 'bad', 'd'], ['a', 'b'], ['bad', 'd'], ['bad'], ['d']])
})

void test('who gives up is not waited for; the request ends when nobody waits for it any more', async (t) => {
  const { ask, asked, signals, answer } = service()
  const [one, other, third] = [new AbortController(), new AbortController(), new AbortController()]
  const first = ask(picture('a'), one.signal)
  const second = ask(picture('b'), other.signal)
  await settled()
  one.abort(new Error('no longer'))
  await t.rejects(first, { message: 'no longer' })
  t.equal(signals[0]?.aborted, false, 'another picture is still wanted')
  const queued = ask(picture('c'), third.signal)
  third.abort(new Error('not sent yet'))
  await t.rejects(queued, { message: 'not sent yet' })
  other.abort(new Error('nobody'))
  await t.rejects(second, { message: 'nobody' })
  t.equal(signals[0]?.aborted, true)
  answer(0)
  await settled()
  t.same(asked, [['a', 'b']], 'what was given up before is never sent')
})

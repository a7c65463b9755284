import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { findInFile } from '../../../worker/pipeline/pass1-find.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { answeredStatuses, answeredTypes } from '../../../worker/providers/ai/provider.ts'
import { AppError } from '../../../platform/errors.ts'
import { printDocument } from '../../clinical/extraction/print-document.ts'
import type { Reply } from '../../contracts/ai-provider.ts'
import { startAiServer } from '../../support/ai-server.ts'
import { said } from '../../support/answers.ts'

const document = printDocument([
  'Patient: Quennell, Maude   DOB: 3 March 1951',
  { text: 'Assessment', kind: 'heading' },
  'She denies any zorbitis. Her husband has quandrosis. Possible febrosis since 2019.',
  '[ ] Smolderosis  [x] Plectosis',
  { text: 'Medications', kind: 'heading' },
  'Xarbolin 20 mg tablets twice daily with food, ceased in May',
  { text: 'Results', kind: 'heading' },
  'Zorbin 20.5 mmol/L (10 - 30), Febrin <0.5 ug/L',
  'Haemoglobin 131 g/L (120 - 160)',
  ...Array.from(
    { length: 60 },
    (_, line) => `On day ${line} nothing in particular was said of anything at all, at length.`,
  ),
])
const byRules = findFacts(document)
const words = document.text.split(/\s+/)

/** xorshift: the same answers for the same seed, on every machine. */
function randomFrom(seed: number) {
  let state = seed * 2_654_435_761 + 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0]
  return { below, pick }
}
type Random = ReturnType<typeof randomFrom>

function someWords({ below }: Random, most: number): string {
  const from = below(words.length)
  const run = words.slice(from, from + 1 + below(most))
  return below(4) === 0 ? `${run.join(' ')} invented ${below(100)}` : run.join(' ')
}

function someFact(random: Random): Record<string, unknown> {
  const { below, pick } = random
  const maybe = (most: number) => (below(2) === 0 ? null : someWords(random, most))
  const quote = someWords(random, 12)
  const fact = said({
    type: pick(answeredTypes),
    status: pick(answeredStatuses),
    quote,
    name: below(3) === 0 ? someWords(random, 2) : (quote.split(' ')[below(3)] ?? quote),
    value: maybe(1),
    unit: maybe(1),
    reference_range: maybe(3),
    date: maybe(3),
    dose: maybe(2),
    route: maybe(1),
    frequency: maybe(2),
    reaction: maybe(1),
    relationship: maybe(1),
  })
  if (below(12) > 0) return fact
  const keys = Object.keys(fact)
  return { ...fact, [keys[below(keys.length)] ?? 'type']: pick([undefined, 7, '', 'poem', [], {}]) }
}

function someReply(random: Random): Reply {
  const { below, pick } = random
  const facts = Array.from({ length: below(12) }, () => someFact(random))
  const content = JSON.stringify({ facts })
  const body = (changes: Record<string, unknown>) =>
    JSON.stringify({
      model: pick(['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'house-blend']),
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content, refusal: null } }],
      usage: { prompt_tokens: below(2000), completion_tokens: below(500) },
      ...changes,
    })
  const ending = (finish_reason: string) =>
    body({
      choices: [{ finish_reason, message: { role: 'assistant', content: content.slice(0, below(content.length)) } }],
    })
  const bytes = (text: string, status = 200): Reply => ({ kind: 'bytes', status, body: text, ends: 'whole' })
  return pick<() => Reply>([
    () => bytes(body({})),
    () => bytes(body({})),
    () => bytes(body({})),
    () => bytes(ending('length')),
    () => bytes(ending('content_filter')),
    () => bytes(ending('stop')),
    () => ({ kind: 'refusal' }),
    () => bytes(body({ usage: undefined, choices: pick<unknown>([[], null, 'x', [{}]]) })),
    () => bytes(pick(['null', '[]', '"x"', '{}', 'not JSON', ''])),
    () => ({ kind: 'bytes', status: 200, body: body({}).slice(0, 60), ends: 'broken' }),
    () => ({ kind: 'status', status: pick([400, 401, 403, 404, 413, 422, 429, 500, 502, 503]) }),
    () => ({ kind: 'status', status: 429, code: 'insufficient_quota' }),
    () => ({ kind: 'reset' }),
  ])()
}

test('whatever a model answers, the pass ends as it may and no fact stands on nothing', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini', timeoutMs: 5_000 })
  const { signal } = new AbortController()
  let kept = 0
  for (let seed = 1; seed <= 120; seed += 1) {
    const random = randomFrom(seed)
    const ai = {
      provider,
      scope: random.pick(['whole', 'unread'] as const),
      deidentify: random.pick([null, { names: ['Maude Quennell'], bornOn: '1951-03-03' }]),
      ask: (question: Parameters<typeof provider.find>[0]) => {
        far.answersWith(someReply(random))
        return provider.find(question, { signal })
      },
    }
    const ended = await findInFile(document, { rules: () => byRules, ai }).catch((error: unknown) => error)
    if (ended instanceof AppError) {
      const isPassing = ['ai_unavailable', 'ai_rate_limited'].includes(ended.code)
      if (!isPassing) t.fail(`seed ${seed}: ${ended.code}`)
      continue
    }
    const faults = faultsOf(ended)
    if (faults.length > 0) t.same(faults, [], `seed ${seed}`)
    kept += factsOfModel(ended).length
  }
  t.ok(kept > 15, `${kept} facts were taken`)
})

test('what never leaves is never in a question', async (t) => {
  const asked: string[] = []
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  far.answersWith({ kind: 'facts', facts: [] }, { kind: 'facts', facts: [] }, { kind: 'facts', facts: [] })
  await findInFile(document, {
    rules: findFacts,
    ai: {
      provider,
      scope: 'unread',
      deidentify: { names: [], bornOn: null },
      ask: (question) => {
        asked.push(question.text)
        return provider.find(question, { signal: new AbortController().signal })
      },
    },
  })
  const sent = asked.join('\n') + JSON.stringify(far.asked)
  t.notMatch(sent, /Quennell|Maude|1951/)
  t.notMatch(sent, /Haemoglobin/, 'what the rules have read is not asked for')
  t.match(sent, /nothing in particular/)
})

type Ended = Awaited<ReturnType<typeof findInFile>>

const isFound = (ended: unknown): ended is Ended => typeof ended === 'object' && ended !== null && 'runs' in ended
const factsOfModel = (ended: unknown) =>
  isFound(ended) ? ended.runs.filter(({ provider }) => provider === 'openai').flatMap(({ facts }) => facts) : []

/** What may not be, of any fact of a model. */
function faultsOf(ended: unknown): string[] {
  if (!isFound(ended)) return ['it ended in no state']
  return factsOfModel(ended).flatMap(({ fact, sources }) => {
    const flat = document.text.replaceAll(/\s+/g, ' ')
    const parts = [
      fact.text,
      fact.value,
      fact.unit,
      fact.referenceRange,
      fact.detail.dose,
      fact.detail.frequency,
      fact.detail.route,
    ]
    const at = sources[0].textStart
    const name = document.text.slice(at, at + sources[0].textLength)
    const isOthers = /zorbitis|quandrosis|Smolderosis/.test(name)
    return [
      ...parts
        .filter((part) => part !== null && part !== undefined && !flat.includes(part))
        .map((part) => `not printed: ${part}`),
      ...sources
        .filter(({ textStart, textLength, quote }) => document.text.slice(textStart, textStart + textLength) !== quote)
        .map(() => 'a quote that is another'),
      ...(isOthers && ['present', 'historical'].includes(fact.status)
        ? [`asserted: ${name} ${fact.status} ${fact.type}`]
        : []),
    ]
  })
}

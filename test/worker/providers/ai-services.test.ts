/** What services that "speak OpenAI" answer to a request that they do not know in every part, and what they cost. */
import { test } from 'tap'
import { z } from 'zod'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { costUsd } from '../../../worker/providers/ai/prices.ts'
import { answer } from '../../../worker/providers/ai/provider.ts'
import { createOpenAiNarrator } from '../../../worker/providers/narration/openai.ts'
import { toldStories } from '../../../worker/providers/narration/provider.ts'
import { metformin, question, type Reply } from '../../contracts/ai-provider.ts'
import { startAiServer, type AiServer } from '../../support/ai-server.ts'

const refusal = (status: number, body: unknown): Reply => ({
  kind: 'bytes',
  status,
  body: JSON.stringify(body),
  ends: 'whole',
})
const oneFact: Reply = { kind: 'facts', facts: [metformin] }
const signal = () => new AbortController().signal
const asking = (far: AiServer, model = 'gpt-4o-mini', timeoutMs?: number) => {
  const provider = createOpenAi({
    apiKey: 'k',
    baseUrl: far.url,
    model,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  return () => provider.find(question, { signal: signal() })
}

test('a service without JSON schemas is asked in words, and remembered', async (t) => {
  const bodies: readonly (readonly [string, number, unknown])[] = [
    ['DeepSeek', 400, { error: { message: 'This response_format type is unavailable now', param: null } }],
    ['Groq', 400, { error: { message: 'The model only supports response formats: [json text].' } }],
    ['LM Studio', 400, { error: "'response_format.type' must be 'json_object' or 'text'" }],
    [
      'llama.cpp',
      500,
      { error: { code: 500, message: 'response_format type must be one of "text", got: json_schema' } },
    ],
    ['vLLM', 400, { object: 'error', message: 'guided_json is not supported', code: 400 }],
  ]
  for (const [who, status, body] of bodies) {
    const far = await startAiServer(t)
    const find = asking(far)
    far.answersWith(refusal(status, body), oneFact, oneFact)
    t.match((await find()).outcome, { kind: 'facts', facts: [{ name: 'Metformin' }] }, who)
    t.match(far.asked[1], { response_format: { type: 'json_object' } })
    t.match(JSON.stringify(far.asked[1]), /JSON schema.*additionalProperties/, 'the schema stands in the words')
    await find()
    t.equal(far.asked.length, 3, 'what was learned is not asked again')
  }
})

test('a service that knows no form at all is asked in words alone', async (t) => {
  const far = await startAiServer(t)
  const no = refusal(400, { error: { message: 'unknown field response_format' } })
  far.answersWith(no, no, {
    kind: 'malformed',
    content: `<think>Well…</think>\n\`\`\`json\n${JSON.stringify({ facts: [] })}\n\`\`\``,
  })
  t.same((await asking(far)()).outcome, { kind: 'facts', facts: [] })
  t.notOk('response_format' in z.looseObject({}).parse(far.asked[2]))
  far.answersWith(no)
  await t.rejects(
    asking(far)(),
    { code: 'ai_unavailable' },
    'another provider of the same service asks from the beginning',
  )
})

test('other names of fields are found out, one by one', async (t) => {
  const far = await startAiServer(t)
  far.answersWith(
    refusal(422, {
      detail: [{ type: 'extra_forbidden', loc: ['body', 'store'], msg: 'Extra inputs are not permitted' }],
    }),
    refusal(400, { error: { message: 'Unrecognized request argument supplied: max_completion_tokens' } }),
    oneFact,
  )
  t.match((await asking(far)()).outcome, { kind: 'facts' })
  t.match(far.asked[2], { max_tokens: 8_000, response_format: { type: 'json_schema' } })
  t.notOk('store' in z.looseObject({}).parse(far.asked[2]))
})

test('a model that thinks has room for it', async (t) => {
  const far = await startAiServer(t)
  for (const [model, room] of [
    ['o4-mini', 24_000],
    ['openai/gpt-5-mini', 24_000],
    ['gpt-5-chat-latest', 8_000],
    ['gpt-4o', 8_000],
  ] as const) {
    far.answersWith(oneFact)
    await asking(far, model)()
    t.match(far.asked.at(-1), { max_completion_tokens: room }, model)
  }
  t.notMatch(JSON.stringify(far.asked), /temperature|top_p|seed/, 'they take none of these')
})

test('more than a model takes at once is asked in parts, whoever says it', async (t) => {
  const far = await startAiServer(t)
  for (const [status, body] of [
    [
      400,
      { error: { code: 'context_length_exceeded', message: "This model's maximum context length is 8192 tokens." } },
    ],
    [400, { object: 'error', message: "This model's maximum context length is 4096 tokens.", code: 400 }],
    [400, { error: { message: 'prompt is too long' } }],
    [413, {}],
    [429, { error: { code: 'rate_limit_exceeded', message: 'Request too large for gpt-4o on tokens per min' } }],
  ] as const) {
    far.answersWith(refusal(status, body))
    t.match(await asking(far)(), { outcome: { kind: 'cut_off' }, tokensIn: 0, costUsd: 0 }, JSON.stringify(body))
  }
})

test('an error that comes with the status of an answer is an error', async (t) => {
  const far = await startAiServer(t)
  for (const [code, wanted] of [
    [429, 'ai_rate_limited'],
    [402, 'ai_quota_spent'],
    [502, 'ai_unavailable'],
    ['server_error', 'ai_unavailable'],
    [401, 'ai_misconfigured'],
  ] as const) {
    far.answersWith(refusal(200, { error: { code, message: 'no' } }))
    await t.rejects(asking(far)(), { code: wanted }, String(code))
  }
})

test('how long to wait, and when waiting does not help', async (t) => {
  const far = await startAiServer(t)
  const rows: readonly (readonly [Reply, object])[] = [
    [
      { kind: 'status', status: 429, headers: { 'retry-after-ms': '250' } },
      { code: 'ai_rate_limited', retryAfterMs: 250 },
    ],
    [{ kind: 'status', status: 429, code: 'billing_hard_limit_reached' }, { code: 'ai_quota_spent' }],
    [{ kind: 'status', status: 402 }, { code: 'ai_quota_spent' }],
    [
      { kind: 'status', status: 402, headers: { 'retry-after': '9' } },
      { code: 'ai_rate_limited', retryAfterMs: 9_000 },
    ],
    [
      { kind: 'status', status: 503, headers: { 'retry-after': '3' } },
      { code: 'ai_unavailable', retryAfterMs: 3_000 },
    ],
    [{ kind: 'status', status: 529 }, { code: 'ai_unavailable' }],
    [refusal(429, { error: { type: 'insufficient_quota', code: null, message: 'no' } }), { code: 'ai_quota_spent' }],
    [refusal(400, { error: { code: 'content_filter', message: 'filtered' } }), { code: 'ai_refused' }],
    [refusal(404, { error: { code: 'model_not_found', message: 'no such model' } }), { code: 'ai_misconfigured' }],
  ]
  for (const [reply, wanted] of rows) {
    far.answersWith(reply)
    const failed: unknown = await asking(far)().then(
      () => null,
      (error: unknown) => error,
    )
    t.match(failed, wanted, JSON.stringify(reply))
  }
})

test('an answer without end is not held, and one that is odd is none', async (t) => {
  const far = await startAiServer(t)
  far.answersWith({ kind: 'malformed', content: 'x'.repeat(10_000_000) })
  await t.rejects(asking(far)(), { code: 'ai_refused' }, 'ten megabytes')
  const odd: readonly (readonly [string, string])[] = [
    ['deep', `{"facts":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['no number', '{"facts":[{"value":NaN}]}'],
    ['empty', ''],
    ['two objects', '{"facts":[]}{"facts":[]}'],
    ['nothing of what was asked', '{"patient":"somebody"}'],
  ]
  for (const [what, content] of odd) {
    far.answersWith({ kind: 'malformed', content })
    t.match((await asking(far)()).outcome, { kind: 'malformed' }, what)
  }
  far.answersWith({ kind: 'malformed', content: '{"facts":[1],"facts":[]}' })
  t.same((await asking(far)()).outcome, { kind: 'facts', facts: [] }, 'of a key that comes twice the last counts')
})

test('a narrator that trickles is given up, and one that breaks off is away', async (t) => {
  const far = await startAiServer(t)
  const narrator = createOpenAiNarrator({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini', timeoutMs: 300 })
  for (const ends of ['never', 'broken'] as const) {
    far.answersWith({ kind: 'bytes', status: 200, body: '{"id":"c1","choices":[', ends })
    await t.rejects(narrator.narrate({ events: [] }, { signal: signal() }), { code: 'ai_unavailable' }, ends)
  }
  far.answersWith(refusal(400, { error: { code: 'context_length_exceeded', message: 'context length' } }))
  t.match((await narrator.narrate({ events: [] }, { signal: signal() })).outcome, { kind: 'cut_off' })
})

test('what had been read before costs less', (t) => {
  t.equal(costUsd('gpt-4o-mini', { tokensIn: 1_000_000, tokensOut: 0 }), 0.15)
  t.equal(costUsd('gpt-4o-mini-2024-07-18', { tokensIn: 1_000_000, tokensCached: 1_000_000, tokensOut: 0 }), 0.075)
  t.equal(costUsd('o4-mini', { tokensIn: 1, tokensOut: 1 }), null)
  t.end()
})

const strict: z.ZodType<object> = z.lazy(() =>
  z.union([
    z.strictObject({
      $schema: z.string().optional(),
      type: z.literal('object'),
      properties: z.record(z.string(), strict),
      required: z.array(z.string()),
      additionalProperties: z.literal(false),
    }),
    z.strictObject({ type: z.literal('array'), items: strict }),
    z.strictObject({ type: z.enum(['string', 'null']), enum: z.array(z.string()).optional() }),
    z.strictObject({ type: z.tuple([z.literal('string'), z.literal('null')]) }),
    z.strictObject({ anyOf: z.array(strict) }),
  ]),
)

test('schemas hold to what strict answers may have: every key required, none beside, no other keyword', (t) => {
  for (const schema of [z.toJSONSchema(answer), z.toJSONSchema(toldStories)]) {
    t.ok(strict.safeParse(schema).success)
    const text = JSON.stringify(schema)
    for (const [, keys = ''] of text.matchAll(/"required":\[([^\]]*)\]/g)) t.ok(keys.length > 0)
    t.equal(text.match(/"required"/g)?.length, text.match(/"additionalProperties":false/g)?.length)
  }
  const fact = z.toJSONSchema(answer.shape.facts.element)
  t.same(fact.required?.toSorted(), Object.keys(fact.properties ?? {}).toSorted())
  t.end()
})

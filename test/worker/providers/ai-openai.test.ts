import { test } from 'tap'
import { createAiProvider } from '../../../worker/providers/ai/index.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { keepsTheContract, metformin, question } from '../../contracts/ai-provider.ts'
import { startAiServer } from '../../support/ai-server.ts'

test('a service that speaks chat completions keeps the contract', async (t) => {
  const far = await startAiServer(t)
  await keepsTheContract(t, createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' }), far)
})

test('the document stands between fences and the schema is strict', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  far.answersWith({ kind: 'facts', facts: [metformin] })
  const answer = await provider.find(question, { signal: new AbortController().signal })
  t.match(far.asked[0], {
    model: 'gpt-4o-mini',
    store: false,
    response_format: { type: 'json_schema', json_schema: { strict: true, schema: { additionalProperties: false } } },
    messages: [{ role: 'system' }, { role: 'user', content: /={20}\n[\s\S]*Metformin[\s\S]*\n={20}$/ }],
  })
  t.ok(Math.abs((answer.costUsd ?? 0) - 0.000045) < 1e-9, 'the price of the model that answered')
})

test('what the service says of its limits comes with the answer', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const saidWith = async (headers: Record<string, string>) => {
    far.answersWith({ kind: 'facts', facts: [], headers })
    return (await provider.find(question, { signal: new AbortController().signal })).said
  }
  const full = {
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-remaining-requests': '499',
    'x-ratelimit-reset-requests': '120ms',
    'x-ratelimit-limit-tokens': '200000',
    'x-ratelimit-remaining-tokens': '199000',
    'x-ratelimit-reset-tokens': '300ms',
  }
  t.same(await saidWith(full), { requestsPerMinute: 500, tokensPerMinute: 200_000, pauseMs: 0 })
  t.same(
    await saidWith({
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1m0s',
    }),
    { requestsPerMinute: 3, tokensPerMinute: null, pauseMs: 20_000 },
    'a third of a full bucket is one request',
  )
  const spent = { ...full, 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '59.7s' }
  t.equal((await saidWith(spent))?.pauseMs, 896)
  t.equal(await saidWith({}), null, 'nothing said')
  t.equal(await saidWith({ 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-limit-tokens': '0' }), null)
})

test('an abort ends the call at once with the reason of the abort', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const stop = new AbortController()
  far.answersWith({ kind: 'silence' })
  const call = provider.find(question, { signal: stop.signal })
  await far.nextAsked()
  stop.abort(new Error('the lease was lost'))
  await t.rejects(call, { message: 'the lease was lost' })
})

test('a service that stays silent is given up after its time', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini', timeoutMs: 150 })
  far.answersWith({ kind: 'silence' })
  await t.rejects(provider.find(question, { signal: new AbortController().signal }), { code: 'ai_unavailable' })
})

test('without a key there is no provider, and nothing leaves the machine', async (t) => {
  t.equal(await createAiProvider(null), null)
})

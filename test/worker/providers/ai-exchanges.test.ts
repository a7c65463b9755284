import { createHash } from 'node:crypto'
import { test } from 'tap'
import { z } from 'zod'
import { answer } from '../../../worker/providers/ai/provider.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { instructions, messagesFor, promptVersion } from '../../../worker/providers/ai/prompt.ts'
import { metformin, question, type Reply } from '../../contracts/ai-provider.ts'
import { startAiServer } from '../../support/ai-server.ts'

const facts = JSON.stringify({ facts: [metformin] })
const body = (changes: Record<string, unknown>) =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_750_000_000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        logprobs: null,
        message: { role: 'assistant', content: facts, refusal: null, annotations: [] },
      },
    ],
    usage: {
      prompt_tokens: 900,
      completion_tokens: 80,
      total_tokens: 980,
      prompt_tokens_details: { cached_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_1',
    ...changes,
  })
const message = (content: unknown, more: Record<string, unknown> = {}) => ({
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...more }],
})
const whole = (text: string, status = 200): Reply => ({ kind: 'bytes', status, body: text, ends: 'whole' })

test('answers in the shapes that services give them', async (t) => {
  const rows: readonly (readonly [string, Reply, object])[] = [
    [
      'the maker’s own',
      whole(body({})),
      { outcome: { kind: 'facts' }, tokensIn: 900, tokensOut: 80, modelAnswered: 'gpt-4o-mini-2024-07-18' },
    ],
    [
      'content in parts',
      whole(
        body(
          message([
            { type: 'text', text: facts.slice(0, 20) },
            { type: 'text', text: facts.slice(20) },
          ]),
        ),
      ),
      { outcome: { kind: 'facts', facts: [{ name: 'Metformin' }] } },
    ],
    [
      'a filter that ends it',
      whole(body(message('', { finish_reason: 'content_filter' }))),
      { outcome: { kind: 'refused' } },
    ],
    [
      'no usage',
      whole(body({ usage: undefined })),
      { outcome: { kind: 'facts' }, tokensIn: Number, tokensOut: Number },
    ],
    [
      'a usage that is none',
      whole(body({ usage: { prompt_tokens: -1, completion_tokens: 'many' } })),
      { outcome: { kind: 'facts' } },
    ],
    ['no model', whole(body({ model: null })), { modelAnswered: 'gpt-4o-mini' }],
    [
      'more fields than were asked for',
      whole(body(message(JSON.stringify({ facts: [{ ...metformin, mood: 1 }], note: 'x' })))),
      { outcome: { kind: 'facts' } },
    ],
    [
      'a fact without its quote',
      whole(body(message(JSON.stringify({ facts: [{ ...metformin, quote: undefined }] })))),
      { outcome: { kind: 'malformed', faults: ['facts.0.quote: invalid_type'] } },
    ],
    ['no choices', whole(body({ choices: [] })), { outcome: { kind: 'malformed', faults: ['no answer'] } }],
    ['choices that are none', whole(body({ choices: 'x' })), { outcome: { kind: 'malformed' } }],
    ['null', whole('null'), { outcome: { kind: 'malformed' } }],
    ['a list', whole('[]'), { outcome: { kind: 'malformed' } }],
  ]
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  for (const [what, reply, wanted] of rows) {
    far.answersWith(reply)
    const given = await provider.find(question, { signal: new AbortController().signal })
    t.match(given, wanted, what)
    t.ok(given.tokensIn > 0 && given.tokensOut >= 0, `${what} is counted`)
  }
})

test('a body that breaks off or never ends is a service that is away, not an answer', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini', timeoutMs: 300 })
  for (const ends of ['broken', 'never'] as const) {
    far.answersWith({ kind: 'bytes', status: 200, body: body({}).slice(0, 200), ends })
    await t.rejects(provider.find(question, { signal: new AbortController().signal }), { code: 'ai_unavailable' }, ends)
  }
  far.answersWith(whole('{"id": "cut'))
  await t.rejects(
    provider.find(question, { signal: new AbortController().signal }),
    { code: 'ai_unavailable' },
    'half a body',
  )
})

test('a wrong form goes back with its faults, and an answer has its measure', async (t) => {
  const far = await startAiServer(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  far.answersWith({ kind: 'facts', facts: [] })
  const repair = { content: '{"facts":[{}]}', faults: ['facts.0.quote: invalid_type'] }
  await provider.find({ ...question, repair }, { signal: new AbortController().signal })
  t.match(far.asked[0], {
    max_completion_tokens: 8_000,
    messages: [
      { role: 'system' },
      { role: 'user' },
      { role: 'assistant', content: repair.content },
      { role: 'user', content: /facts\.0\.quote: invalid_type/ },
    ],
  })
})

test('the words of the prompt and its version change together', (t) => {
  const asked = messagesFor({ ...question, repair: { content: 'c', faults: ['f'] } })
  const words = JSON.stringify([instructions, asked, z.toJSONSchema(answer)])
  const digest = createHash('sha256').update(words).digest('hex').slice(0, 16)
  t.equal(`${promptVersion} ${digest}`, 'find-2 f4fc252d5324ddb1')
  t.end()
})

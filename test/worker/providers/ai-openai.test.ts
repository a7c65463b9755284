import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { createAiProvider } from '../../../worker/providers/ai/index.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { keepsTheContract, metformin, question, type FarSide, type Reply } from '../../contracts/ai-provider.ts'
import type { Teardown } from '../../support/postgres.ts'

test('a service that speaks chat completions keeps the contract', async (t) => {
  const far = await startService(t)
  await keepsTheContract(t, createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' }), far)
})

test('the document stands between fences and the schema is strict', async (t) => {
  const far = await startService(t)
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

test('an abort ends the call at once with the reason of the abort', async (t) => {
  const far = await startService(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const stop = new AbortController()
  far.answersWith({ kind: 'silence' })
  const call = provider.find(question, { signal: stop.signal })
  await far.nextAsked()
  stop.abort(new Error('the lease was lost'))
  await t.rejects(call, { message: 'the lease was lost' })
})

test('a service that stays silent is given up after its time', async (t) => {
  const far = await startService(t)
  const provider = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini', timeoutMs: 150 })
  far.answersWith({ kind: 'silence' })
  await t.rejects(provider.find(question, { signal: new AbortController().signal }), { code: 'ai_unavailable' })
})

test('without a key there is no provider, and nothing leaves the machine', async (t) => {
  t.equal(await createAiProvider(null), null)
})

async function startService(t: Teardown): Promise<FarSide & { url: string; nextAsked(): Promise<void> }> {
  const replies: Reply[] = []
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      asked.push(body)
      server.emit('asked')
      const reply = replies.shift()
      return reply === undefined ? response.destroy() : give(reply, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    answersWith: (...next) => void replies.push(...next),
    nextAsked: async () => void (await once(server, 'asked')),
  }
}

async function readJson(request: AsyncIterable<unknown>): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString())
}

function give(reply: Reply, response: ServerResponse): void {
  if (reply.kind === 'silence') return
  if (reply.kind === 'reset') response.destroy()
  else if (reply.kind === 'status') {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    response.end(JSON.stringify({ error: { message: 'no', type: 'x', code: reply.code ?? null } }))
  } else {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(completion(reply)))
  }
}

function completion(reply: Exclude<Reply, { kind: 'silence' | 'reset' | 'status' }>) {
  const content = { facts: '', cut_off: '{"facts":[{', refusal: null, malformed: '' }[reply.kind]
  const text =
    reply.kind === 'facts'
      ? JSON.stringify({ facts: reply.facts })
      : reply.kind === 'malformed'
        ? reply.content
        : content
  return {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: reply.kind === 'facts' ? (reply.model ?? 'gpt-4o-mini') : 'gpt-4o-mini',
    choices: [
      {
        index: 0,
        finish_reason: reply.kind === 'cut_off' ? 'length' : 'stop',
        message: { role: 'assistant', content: text, refusal: reply.kind === 'refusal' ? 'I cannot.' : null },
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
  }
}

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FarSide, Reply } from '../contracts/ai-provider.ts'
import { startLoopback } from './loopback.ts'
import type { Teardown } from './postgres.ts'

export type AiServer = FarSide & { readonly url: string; nextAsked(): Promise<void> }

/** Speaks OpenAI's chat completions on the loopback, with the answers that it was given, in turn. */
export async function startAiServer(t: Teardown): Promise<AiServer> {
  const replies: Reply[] = []
  const asked: unknown[] = []
  const { url, server } = await startLoopback(t, ({ body }, response, self) => {
    const question: unknown = JSON.parse(body)
    asked.push(question)
    self.emit('asked')
    const reply = replies.shift()
    if (reply === undefined) response.destroy()
    else give(reply, response)
  })
  return {
    url: `${url}/v1`,
    asked,
    answersWith: (...next) => void replies.push(...next),
    nextAsked: async () => void (await once(server, 'asked')),
  }
}

function give(reply: Reply, response: ServerResponse): void {
  if (reply.kind === 'silence') return
  if (reply.kind === 'reset') response.destroy()
  else if (reply.kind === 'bytes') giveBytes(reply, response)
  else if (reply.kind === 'status') {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
    response.end(JSON.stringify({ error: { message: 'no', type: 'x', code: reply.code ?? null } }))
  } else {
    const headers = reply.kind === 'facts' ? reply.headers : {}
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(completion(reply)))
  }
}

function giveBytes(reply: Extract<Reply, { kind: 'bytes' }>, response: ServerResponse): void {
  const { status, headers, body, ends } = reply
  response.writeHead(status, {
    'content-type': 'application/json',
    ...headers,
    ...(ends === 'whole' ? {} : { 'content-length': String(Buffer.byteLength(body) + 10) }),
  })
  if (ends === 'whole') response.end(body)
  else response.write(body, () => (ends === 'broken' ? response.destroy() : undefined))
}

function completion(reply: Exclude<Reply, { kind: 'silence' | 'reset' | 'status' | 'bytes' }>) {
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

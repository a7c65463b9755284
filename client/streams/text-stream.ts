import { unreachable } from '../exora-error.ts'
import { reach } from '../transport.ts'
import type { Transport } from '../transport.ts'
import { openXhrStream, silenceMs } from './xhr-stream.ts'

export type Opening = {
  readonly path: string
  readonly lastId: string | null
  readonly connection: AbortController
}

/** The text of an event stream as it comes. React Native's own fetch cannot stream, its XMLHttpRequest can. */
export async function* openTextStream(transport: Transport, opening: Opening): AsyncGenerator<string> {
  const { path, lastId, connection } = opening
  const headers = {
    accept: 'text/event-stream',
    ...(lastId === null ? {} : { 'last-event-id': lastId }),
  }
  const url = transport.urlOf(path)
  if (!('body' in Response.prototype)) {
    yield* openXhrStream(transport, { url, headers, connection })
    return
  }
  const answer = await transport.once(url, headers, (to, all) =>
    transport.fetch(to, { headers: all, signal: connection.signal }),
  )
  if (answer.body === null) throw unreachable(new TypeError('the answer has no body'))
  const reader = answer.body.getReader()
  const decoder = new TextDecoder()
  const leave = () => connection.abort(unreachable(new Error('the stream fell silent')))
  try {
    for (;;) {
      const silence = setTimeout(leave, silenceMs)
      const { value, done } = await reach(() => reader.read()).finally(() => clearTimeout(silence))
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

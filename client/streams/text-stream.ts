import { unreachable } from '../exora-error.ts'
import { reach } from '../transport.ts'
import type { Answer, Transport } from '../transport.ts'
import type { Connection } from './connection.ts'
import { streamByXhr } from './xhr-stream.ts'

/** An answer whose text is read as it comes. */
export type TextStream = Answer & {
  /** Null: there is no more. */
  readonly next: () => Promise<string | null>
  readonly close: () => void
}

export type Opening = {
  readonly path: string
  readonly lastId: string | null
  readonly connection: Connection
}

/** React Native's own fetch cannot stream, its XMLHttpRequest can. */
const canFetchStream = () => 'body' in Response.prototype

export async function* openTextStream(transport: Transport, opening: Opening): AsyncGenerator<string> {
  const { path, lastId, connection } = opening
  const headers = {
    accept: 'text/event-stream',
    ...(lastId === null ? {} : { 'last-event-id': lastId }),
  }
  const stream = await connection.hear(() =>
    transport.once(transport.urlOf(path), headers, (url, all) =>
      canFetchStream() ? streamByFetch(transport, url, all, connection) : streamByXhr(url, all, connection.signal),
    ),
  )
  try {
    for (;;) {
      const chunk = await connection.hear(() => reach(stream.next))
      if (chunk === null) return
      yield chunk
    }
  } finally {
    stream.close()
  }
}

async function streamByFetch(
  transport: Transport,
  url: string,
  headers: Readonly<Record<string, string>>,
  { signal }: Connection,
): Promise<TextStream> {
  const answer = await transport.fetch(url, { headers, signal })
  const decoder = new TextDecoder()
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null
  return {
    status: answer.status,
    headers: answer.headers,
    text: () => answer.text(),
    next: async () => {
      if (answer.body === null) throw unreachable(new TypeError('the answer has no body'))
      reader ??= answer.body.getReader()
      const { value, done } = await reader.read()
      return done ? null : decoder.decode(value, { stream: true })
    },
    close: () => void reader?.cancel().catch(() => {}),
  }
}

import { reasonOf, throwIfAborted } from '../abort.ts'
import { doubled, passes, pause } from '../retries.ts'
import type { CallOptions, Transport } from '../transport.ts'
import { createConnection, usualSilenceMs } from './connection.ts'
import { createEventParser } from './parse-events.ts'
import type { StreamedEvent } from './parse-events.ts'
import { openTextStream } from './text-stream.ts'

export type FollowOptions = CallOptions & {
  /** The id of the last event that is known. */
  readonly after?: string | number | undefined
  /** So long without a word, and the connection is made anew; the server gives a sign of life every 15 s. */
  readonly silenceMs?: number | undefined
}

/**
 * One stream that outlives its connections: comes back where it broke off with `Last-Event-ID`, after as long as the
 * server asked for, longer each time that nothing came. Ends with the signal, and with what waiting does not cure.
 */
export async function* followEvents(
  transport: Transport,
  path: string,
  { signal, after, silenceMs = usualSilenceMs }: FollowOptions = {},
): AsyncGenerator<StreamedEvent> {
  const { retries } = transport
  let lastId = after === undefined ? null : String(after)
  let retryMs = retries.baseMs
  for (let failed = 1; ; failed += 1) {
    throwIfAborted(signal)
    const connection = createConnection(signal, silenceMs)
    let retryAfterMs = 0
    try {
      const parse = createEventParser()
      for await (const chunk of openTextStream(transport, { path, lastId, connection })) {
        for (const part of parse(chunk)) {
          if ('retryMs' in part) retryMs = Math.min(part.retryMs, retries.maxMs)
          else failed = 0
          if (!('event' in part)) continue
          lastId = part.id ?? lastId
          yield part
        }
      }
    } catch (error) {
      if (signal?.aborted === true) throw reasonOf(signal)
      if (!passes(error, 'always')) throw error
      retryAfterMs = error.retryAfterMs ?? 0
    } finally {
      connection.close()
    }
    // Never sooner than asked, and not all together.
    const spreadMs = doubled(failed, { ...retries, baseMs: retryMs }) * (1 + Math.random() / 2)
    await pause(retryAfterMs + spreadMs, signal)
  }
}

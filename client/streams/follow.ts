import { ExoraError } from '../exora-error.ts'
import { passes, pause, waitBefore } from '../retries.ts'
import type { Transport } from '../transport.ts'
import { createEventParser } from './parse-events.ts'
import type { StreamedEvent } from './parse-events.ts'
import { openTextStream } from './text-stream.ts'

export type FollowOptions = {
  readonly signal?: AbortSignal | undefined
  /** The id of the last event that is known; from the beginning, if left out. */
  readonly after?: string | number | undefined
}

/**
 * One stream that outlives its connections: comes back where it broke off with `Last-Event-ID`, after as long as the
 * server asked for, longer each time that nothing came. Ends with the signal, and with what waiting does not cure.
 */
export async function* followEvents(
  transport: Transport,
  path: string,
  { signal, after }: FollowOptions = {},
): AsyncGenerator<StreamedEvent> {
  let lastId = after === undefined ? null : String(after)
  let retryMs = transport.retries.baseMs
  for (let failed = 1; ; failed += 1) {
    const connection = new AbortController()
    const leave = () => connection.abort(signal?.reason)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', leave, { once: true })
    let broke = ended
    try {
      const parse = createEventParser()
      for await (const chunk of openTextStream(transport, { path, lastId, connection })) {
        for (const part of parse(chunk)) {
          if ('retryMs' in part) retryMs = Math.min(part.retryMs, transport.retries.maxMs)
          else {
            lastId = part.id ?? lastId
            failed = 0
            yield part
          }
        }
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (!passes(error, 'always')) throw error
      broke = error
    } finally {
      signal?.removeEventListener('abort', leave)
    }
    await pause(waitBefore(failed, broke, { ...transport.retries, baseMs: retryMs }, 0.5 + Math.random() / 2), signal)
  }
}

/** Streams end when their token does, or their server; that is no failure. */
const ended = new ExoraError({
  code: 'unreachable',
  status: 0,
  detail: 'The stream has ended.',
  correlation_id: null,
  errors: [],
  limit: null,
  retryAfterMs: null,
})

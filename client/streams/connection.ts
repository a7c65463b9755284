import { reasonOf } from '../abort.ts'
import { unreachable } from '../exora-error.ts'

/** One attempt at a stream. It is given up when the caller says so, and when nothing was heard for too long. */
export type Connection = {
  readonly signal: AbortSignal
  /**
   * Waits for what the server says next. A line that has died without a word, as when a phone changes its network, would
   * be waited on for ever; so would a platform that does not end a wait when it is told to.
   */
  readonly hear: <T>(work: () => Promise<T>) => Promise<T>
  readonly close: () => void
}

/** The server says something every 15 s. */
export const usualSilenceMs = 50_000

export function createConnection(signal: AbortSignal | undefined, silenceMs: number): Connection {
  const controller = new AbortController()
  let onGivenUp = nobody
  const giveUp = (reason: unknown) => {
    onGivenUp(reason)
    controller.abort(reason)
  }
  const onAbort = () => signal !== undefined && giveUp(reasonOf(signal))
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    hear: async (work) => {
      const timer = setTimeout(() => giveUp(unreachable(new Error('nothing was heard for too long'))), silenceMs)
      try {
        return await new Promise((resolve, reject) => {
          onGivenUp = reject
          if (controller.signal.aborted) reject(reasonOf(controller.signal))
          else work().then(resolve, reject)
        })
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => {
      signal?.removeEventListener('abort', onAbort)
      controller.abort()
    },
  }
}

const nobody: (reason: unknown) => void = () => {}

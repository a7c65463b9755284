import { setImmediate } from 'node:timers/promises'
import type { Attempt } from './attempt.ts'

/** Attempts that ended well and have nothing to write are settled together: one statement for all that ended since the last. */
export type Completions = {
  /** Ended, and not yet known to the database. */
  readonly pending: number
  add(attempt: Attempt): void
  whenEmpty(): Promise<void>
}

export type CompletionsOptions = {
  /** The ids of those that were still held. */
  readonly send: (attempts: readonly Attempt[]) => Promise<ReadonlySet<string>>
  /** For each of a batch that could not be sent; never rejects. */
  readonly settleAlone: (attempt: Attempt) => Promise<void>
  readonly onSettled: (attempt: Attempt, settled: 'completed' | 'lost') => void
  /** There is room for more. */
  readonly onFreed: () => void
}

// Back-pressure makes the batches: while one is on its way the next one grows. No timer, so nothing waits when it is quiet.
export function createCompletions(options: CompletionsOptions): Completions {
  let next: Attempt[] = []
  let onTheirWay = 0
  let sending: Promise<void> | null = null

  const isSending = () => sending !== null

  async function sendAll(): Promise<void> {
    // What ends in the same turn of the event loop goes together.
    await setImmediate()
    while (next.length > 0) {
      const batch = next
      next = []
      onTheirWay = batch.length
      await sendBatch(batch)
      onTheirWay = 0
      options.onFreed()
    }
    sending = null
  }

  async function sendBatch(batch: readonly Attempt[]): Promise<void> {
    const held = await options.send(batch).catch(() => null)
    // Whatever was wrong, it may be wrong with one of them: alone each of them meets it and is judged by it.
    if (held === null) await Promise.all(batch.map((attempt) => options.settleAlone(attempt)))
    else for (const attempt of batch) options.onSettled(attempt, held.has(attempt.job.id) ? 'completed' : 'lost')
  }

  return {
    get pending() {
      return next.length + onTheirWay
    },
    add(attempt) {
      next.push(attempt)
      sending ??= sendAll()
    },
    async whenEmpty() {
      while (isSending()) await sending
    },
  }
}

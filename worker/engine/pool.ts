import pLimit from 'p-limit'
import type { Attempt } from './attempt.ts'

/** Slots for attempts, and the line of those that were claimed ahead of a slot. */
export type Pool = {
  readonly size: number
  readonly running: number
  /** Claimed and not begun. */
  readonly waiting: number
  resize(size: number): void
  /** In this order, as slots are free. */
  begin(attempts: readonly Attempt[]): void
  /** Takes those out that have not begun. */
  takeWaiting(): readonly Attempt[]
  /** Resolves when nothing runs. */
  whenIdle(): Promise<void>
}

export type PoolOptions = {
  readonly size: number
  /** Never rejects. */
  readonly work: (attempt: Attempt) => Promise<void>
  readonly onFreed: () => void
}

export function createPool(options: PoolOptions): Pool {
  const limit = pLimit(options.size)
  const running = new Set<Promise<void>>()
  let line: Attempt[] = []

  function fill(): void {
    while (running.size < limit.concurrency) {
      const next = line.shift()
      if (next === undefined) return
      run(next)
    }
  }

  function run(attempt: Attempt): void {
    const slot = limit(options.work, attempt).finally(() => {
      running.delete(slot)
      fill()
      options.onFreed()
    })
    running.add(slot)
  }

  return {
    get size() {
      return limit.concurrency
    },
    get running() {
      return running.size
    },
    get waiting() {
      return line.length
    },
    resize(size) {
      const grew = size > limit.concurrency
      limit.concurrency = size
      if (!grew) return
      fill()
      options.onFreed()
    },
    begin(attempts) {
      line.push(...attempts)
      fill()
    },
    takeWaiting() {
      const taken = line
      line = []
      return taken
    },
    async whenIdle() {
      while (running.size > 0) await Promise.allSettled(running)
    },
  }
}

import pLimit from 'p-limit'

/** Slots for jobs. Nothing waits inside: the claim loop asks for as many jobs as there are free slots. */
export type Pool = {
  readonly size: number
  readonly running: number
  readonly free: number
  resize(size: number): void
  /** `onFreed` is called when the slot is free again. */
  run(work: () => Promise<void>): void
  /** Resolves when nothing runs. */
  whenIdle(): Promise<void>
}

export function createPool(options: { readonly size: number; readonly onFreed: () => void }): Pool {
  const limit = pLimit(options.size)
  const running = new Set<Promise<void>>()

  return {
    get size() {
      return limit.concurrency
    },
    get running() {
      return running.size
    },
    get free() {
      return Math.max(0, limit.concurrency - running.size)
    },
    resize(size) {
      const grew = size > limit.concurrency
      limit.concurrency = size
      if (grew) options.onFreed()
    },
    run(work) {
      const slot = limit(work).finally(() => {
        running.delete(slot)
        options.onFreed()
      })
      running.add(slot)
    },
    async whenIdle() {
      while (running.size > 0) await Promise.allSettled(running)
    },
  }
}

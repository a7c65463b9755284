import type { ReadTrace } from '../../db/queries/read-traces.ts'

/** Oldest first. Reads that equal one that still waits are counted with it; what has been taken once counts no more. */
export type TraceQueue = {
  /** False where there is none like it, and it has to be added. */
  count(trace: ReadTrace): boolean
  add(trace: ReadTrace): void
  take(most: number): readonly ReadTrace[]
  /** It may have been written all the same, and is sent again as it was. */
  putBack(traces: readonly ReadTrace[]): void
  readonly size: () => number
}

type Waiting = { readonly trace: ReadTrace; count: number }

export function createTraceQueue(): TraceQueue {
  const queue: Waiting[] = []
  const countable = new Map<string, Waiting>()
  return {
    count: (trace) => {
      const known = countable.get(keyOf(trace))
      if (known === undefined) return false
      known.count += trace.count
      return true
    },
    add: (trace) => {
      const waiting = { trace, count: trace.count }
      queue.push(waiting)
      countable.set(keyOf(trace), waiting)
    },
    take: (most) => {
      const taken = queue.splice(0, most)
      for (const waiting of taken) {
        const key = keyOf(waiting.trace)
        if (countable.get(key) === waiting) countable.delete(key)
      }
      return taken.map(({ trace, count }) => ({ ...trace, count }))
    },
    putBack: (traces) => {
      queue.unshift(...traces.map((trace) => ({ trace, count: trace.count })))
    },
    size: () => queue.length,
  }
}

/** The correlation ids of equal reads differ; the row carries that of the first, the request log has all of them. */
function keyOf(trace: ReadTrace): string {
  const { account_id, view, record_id, basis, grant_id, client_address } = trace
  return [account_id, view, record_id, basis, grant_id, client_address].join(' ')
}

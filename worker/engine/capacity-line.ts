/**
 * The callers of one process for one outside service. They stand in line: only the first asks the database, so that one
 * connection waits for the endpoint's row, not twenty. What it is told shapes how many jobs this process takes on: one
 * less when a caller has to be put off for a while, one more when there was room and nobody else waited for it; one alone
 * while the endpoint is closed, and as many as before as soon as it opens.
 */
import pLimit from 'p-limit'
import { wait } from '../../platform/wait.ts'

export type CapacityLine = {
  /** Counts the job among those that call; call what comes back when its call is over. */
  enter(jobId: string): () => void
  /** One after the other, in the order of arrival. */
  inTurn<T>(ask: () => Promise<T>): Promise<T>
  /** Who comes just after others were put off would hear the same: those ask at a walking pace. */
  untilWorthAsking(arrivedAt: number, signal: AbortSignal): Promise<void>
  /** Until the time is over or, where that makes room, one of our own calls has been given back. */
  untilRoom(delayMs: number, signal: AbortSignal, wakesOn: 'giving_back' | 'time'): Promise<void>
  granted(): void
  putOff(retryAfterMs: number): void
  gaveBack(): void
  /** Limits or pauses were changed: what was learned of them holds no longer. */
  forget(): void
  /** How many jobs of this kind it makes sense to run here. */
  readonly usefulJobs: number
}

const slowestPaceMs = 1_000
// So far off, the minute is used up whoever asks: nothing is learned about how many should.
const closedMs = 5_000

export function createCapacityLine(onChange: () => void): CapacityLine {
  const first = pLimit(1)
  const calls = new Map<string, number>()
  const sleepers = new Set<() => void>()
  let usefulJobs = Number.POSITIVE_INFINITY
  // What it was before the endpoint closed, and will be when it opens.
  let whenOpen: number | null = null
  let putOffAt = Number.NEGATIVE_INFINITY
  let paceMs = 0

  function beUsefulTo(jobs: number): void {
    if (jobs === usefulJobs) return
    usefulJobs = jobs
    onChange()
  }

  function gaveBack(): void {
    for (const wake of sleepers) wake()
  }

  return {
    get usefulJobs() {
      return usefulJobs
    },
    enter(jobId) {
      calls.set(jobId, (calls.get(jobId) ?? 0) + 1)
      return () => {
        const left = (calls.get(jobId) ?? 1) - 1
        if (left === 0) calls.delete(jobId)
        else calls.set(jobId, left)
      }
    },
    inTurn: (ask) => first(ask),
    async untilWorthAsking(arrivedAt, signal) {
      const remainingMs = putOffAt + paceMs - performance.now()
      if (arrivedAt > putOffAt && remainingMs > 0) await sleep(sleepers, remainingMs, signal)
    },
    async untilRoom(delayMs, signal, wakesOn) {
      await sleep(wakesOn === 'giving_back' ? sleepers : new Set(), delayMs, signal)
    },
    granted() {
      paceMs = 0
      const opened = whenOpen
      whenOpen = null
      if (opened !== null) beUsefulTo(opened)
      else if (first.pendingCount === 0) beUsefulTo(usefulJobs + 1)
    },
    putOff(retryAfterMs) {
      putOffAt = performance.now()
      paceMs = Math.min(slowestPaceMs, retryAfterMs / 4)
      if (retryAfterMs > closedMs) {
        whenOpen ??= usefulJobs
        beUsefulTo(1)
        return
      }
      beUsefulTo(Math.max(1, Math.min(usefulJobs, calls.size) - 1))
    },
    gaveBack,
    forget() {
      paceMs = 0
      whenOpen = null
      beUsefulTo(Number.POSITIVE_INFINITY)
      gaveBack()
    },
  }
}

async function sleep(sleepers: Set<() => void>, delayMs: number, signal: AbortSignal): Promise<void> {
  const woken = new AbortController()
  const wake = () => woken.abort()
  sleepers.add(wake)
  try {
    await wait(delayMs, { signal: AbortSignal.any([signal, woken.signal]) })
  } catch {
    signal.throwIfAborted()
  } finally {
    sleepers.delete(wake)
  }
}

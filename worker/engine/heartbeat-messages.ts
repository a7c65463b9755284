import type { Connection } from '../../db/client.ts'
import type { Attempt } from './attempt.ts'
import type { RunningAttempt } from './running-jobs.ts'

/** What the heartbeat's thread is born with. */
export type ThreadStart = {
  readonly connection: Connection
  readonly workerId: string
  readonly leaseMs: number
  readonly attempts: readonly RunningAttempt[]
  readonly memory: SharedArrayBuffer
}

/**
 * What the thread is told. `ended` happened before `begun`. Both are attempts as one text: a message is copied, and
 * thousands of objects a second cost more than short jobs do.
 */
export type Told =
  | { readonly kind: 'changed'; readonly ended: string; readonly begun: string }
  | { readonly kind: 'stop' }

export const attemptsToText = (attempts: readonly Attempt[]): string =>
  attempts.map(({ job }) => `${job.id} ${job.attemptToken}`).join()

export const attemptsOfText = (text: string): readonly RunningAttempt[] =>
  text === ''
    ? []
    : text.split(',').map((attempt) => ({ jobId: attempt.slice(0, 36), attemptToken: attempt.slice(37) }))

/** What the thread tells. */
export type Heard =
  | { readonly kind: 'tried' }
  | { readonly kind: 'lost'; readonly attempts: readonly RunningAttempt[] }
  | { readonly kind: 'failed'; readonly error: unknown }

/**
 * When the database last confirmed a heartbeat, in memory that both threads see: a message would wait until the main
 * thread has time for it, and seem late.
 */
export type BeatMemory = {
  readonly buffer: SharedArrayBuffer
  /** `askedAtMs` is monotonic: the lease counts from when the database wrote it, which is not before we asked. */
  confirm(askedAtMs: number): void
  readonly confirmedAtMs: number
  readonly lastBeatAt: Date | null
}

export function openBeatMemory(buffer = new SharedArrayBuffer(16)): BeatMemory {
  const cells = new BigInt64Array(buffer)
  return {
    buffer,
    confirm(askedAtMs) {
      Atomics.store(cells, 0, BigInt(Math.round(askedAtMs)))
      Atomics.store(cells, 1, BigInt(Date.now()))
    },
    get confirmedAtMs() {
      return Number(Atomics.load(cells, 0))
    },
    get lastBeatAt() {
      const at = Number(Atomics.load(cells, 1))
      return at === 0 ? null : new Date(at)
    },
  }
}

/** A clock that goes on whatever happens to the time of day, the same for all threads of the process. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000

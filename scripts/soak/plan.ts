import type { JobLane } from '../../db/schema/queue.ts'

/** What happens to a soak besides its load. */
export type Trouble = 'kill' | 'freeze' | 'term' | 'cut' | 'stop_fast' | 'stop_immediate'

export type SoakPlan = {
  readonly seed: number
  readonly loadMs: number
  /** Null: as many as come within the time. */
  readonly jobs: number | null
  readonly jobsPerSecond: number
  /** Sending waits while more than these are alive. */
  readonly maxAlive: number
  readonly poisonJobs: number
  /** Which lanes each worker serves. */
  readonly workers: readonly (readonly JobLane[])[]
  readonly leaseMs: number
  /** A deck that is shuffled and dealt. */
  readonly troubles: readonly Trouble[]
  readonly deals: 'once' | 'until_the_load_ends'
  readonly troubleEveryMs: number
  readonly deleteFinishedAfterMs: number
  readonly limits: ProviderLimits
  readonly settleMs: number
}

export type ProviderLimits = { readonly requestsPerMinute: number; readonly concurrentRequests: number }

// One worker serves quick jobs alone, so that it claims ahead of its slots.
const everything: readonly JobLane[] = ['fast_queue', 'ai_queue', 'background']
const quickOnly: readonly JobLane[] = ['fast_queue']

/** What `npm run soak` does: calls are held back by the limit of a minute, and everything happens many times. */
export function longPlan(minutes: number, seed: number): SoakPlan {
  return {
    seed,
    loadMs: minutes * 60_000,
    jobs: null,
    jobsPerSecond: 120,
    maxAlive: 1_500,
    poisonJobs: Math.ceil(minutes * 2),
    workers: [quickOnly, everything, everything, everything],
    leaseMs: 3_000,
    troubles: ['kill', 'kill', 'kill', 'freeze', 'freeze', 'term', 'cut', 'cut', 'stop_fast', 'stop_immediate'],
    deals: 'until_the_load_ends',
    troubleEveryMs: 2_500,
    deleteFinishedAfterMs: 15_000,
    limits: { requestsPerMinute: 300, concurrentRequests: 6 },
    settleMs: 120_000,
  }
}

/** What the test suite does: every kind of trouble once. */
export function shortPlan(seed: number): SoakPlan {
  return {
    ...longPlan(1, seed),
    loadMs: 60_000,
    jobs: 1_000,
    maxAlive: 250,
    poisonJobs: 1,
    workers: [quickOnly, everything, everything],
    leaseMs: 2_000,
    troubles: ['kill', 'freeze', 'term', 'cut', 'stop_fast', 'stop_immediate'],
    deals: 'once',
    troubleEveryMs: 1_500,
    deleteFinishedAfterMs: 4_000,
    limits: { requestsPerMinute: 300, concurrentRequests: 4 },
  }
}

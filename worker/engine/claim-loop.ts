import { setImmediate } from 'node:timers/promises'
import type { ClaimedRow } from '../../db/queries/jobs.ts'
import type { Logger } from '../../platform/log.ts'
import { backoffMs } from '../../platform/backoff.ts'
import type { Pool } from './pool.ts'

/**
 * Why the queue is looked at. All lead to the same thing: one claim for as many jobs as there are free slots.
 * A freed slot alone does not, when the last claim found less than it asked for and nothing has been heard since.
 */
export type WakeReason = 'start' | 'listening' | 'notification' | 'slot' | 'due' | 'poll' | 'error'

export type ClaimLoop = {
  start(): void
  stop(): void
  readonly wake: (reason: WakeReason) => void
  /** There will be something to claim then. */
  readonly wakeIn: (delayMs: number) => void
}

export type ClaimLoopOptions = {
  readonly pool: Pool
  readonly claim: (max: number) => Promise<readonly ClaimedRow[]>
  readonly begin: (job: ClaimedRow) => void
  readonly onClaim: (reason: WakeReason, found: number) => void
  readonly pollMs: number | null
  readonly log: Logger
}

// state: stopped → idle ⇄ claiming → (paused → idle) → stopped. While claiming or paused, wakes are only remembered.
export function createClaimLoop(options: ClaimLoopOptions): ClaimLoop {
  const { pool, log } = options
  let state: 'stopped' | 'idle' | 'claiming' | 'paused' = 'stopped'
  // Something may be waiting that we have not seen.
  let mayHaveMore = true
  let lastReason: WakeReason = 'start'
  let failures = 0
  let pollTimer: NodeJS.Timeout | undefined
  const dueTimers = new Set<NodeJS.Timeout>()

  function wake(reason: WakeReason): void {
    if (reason !== 'slot') {
      mayHaveMore = true
      lastReason = reason
    }
    if (state === 'idle' && mayHaveMore && pool.free > 0) void claimUntilDry()
  }

  async function claimUntilDry(): Promise<void> {
    state = 'claiming'
    // What ends or is notified in the same turn of the event loop belongs to the same claim.
    await setImmediate()
    try {
      while (isClaiming() && mayHaveMore && pool.free > 0) {
        const wanted = pool.free
        mayHaveMore = false
        const found = await options.claim(wanted)
        for (const job of found) options.begin(job)
        options.onClaim(lastReason, found.length)
        if (found.length === wanted) mayHaveMore = true
      }
      failures = 0
      if (isClaiming()) state = 'idle'
    } catch (error) {
      mayHaveMore = true
      failures += 1
      log.warn({ error, failures }, 'claiming failed')
      pause()
    }
  }

  // `stop` may have been called while we waited for the database.
  const isClaiming = () => state === 'claiming'

  function pause(): void {
    if (!isClaiming()) return
    state = 'paused'
    at(100 + backoffMs(failures, { baseMs: 500, maxMs: 10_000 }), () => {
      state = 'idle'
      wake('error')
    })
  }

  function at(delayMs: number, then: () => void): void {
    if (state === 'stopped') return
    const timer = setTimeout(
      () => {
        dueTimers.delete(timer)
        then()
      },
      Math.max(0, delayMs),
    )
    dueTimers.add(timer)
  }

  function schedulePoll(pollMs: number): void {
    // Half to one and a half, so that workers do not look all at once.
    pollTimer = setTimeout(
      () => {
        wake('poll')
        if (state !== 'stopped') schedulePoll(pollMs)
      },
      pollMs * (0.5 + Math.random()),
    )
  }

  return {
    start() {
      state = 'idle'
      if (options.pollMs !== null) schedulePoll(options.pollMs)
      wake('start')
    },
    stop() {
      state = 'stopped'
      clearTimeout(pollTimer)
      for (const timer of dueTimers) clearTimeout(timer)
      dueTimers.clear()
    },
    wake,
    wakeIn: (delayMs) => at(delayMs, () => wake('due')),
  }
}

import { setImmediate } from 'node:timers/promises'
import type { ClaimedRow } from '../../db/queries/claims.ts'
import type { Logger } from '../../platform/log.ts'
import { backoffMs } from '../../platform/backoff.ts'

/**
 * Why the queue is looked at. All lead to the same thing: one claim for as many jobs as there is room for.
 * A freed slot alone does not, when the last claim found less than it asked for and nothing has been heard since.
 */
export type WakeReason = 'start' | 'listening' | 'notification' | 'echo' | 'slot' | 'due' | 'poll' | 'error'

export type ClaimLoop = {
  start(): void
  /** Resolves when a claim that was under way has been answered. */
  stop(): Promise<void>
  readonly wake: (reason: WakeReason) => void
  /** There will be something to claim then. */
  readonly wakeIn: (delayMs: number) => void
  /** The time between polls has become another. */
  readonly repoll: () => void
}

export type ClaimLoopOptions = {
  /** How many jobs may be claimed now; zero also when it is better to wait for more room. */
  readonly room: () => number
  readonly claim: (max: number) => Promise<readonly ClaimedRow[]>
  readonly begin: (jobs: readonly ClaimedRow[]) => void
  readonly onClaim: (reason: WakeReason, found: number) => void
  /** Asked before each poll; null switches polling off. */
  readonly pollMs: () => number | null
  readonly log: Logger
}

// Of transactions that insert at the same moment only one notifies; the others commit about then.
const echoesMs = [20, 100]

// state: stopped → idle ⇄ claiming → (paused → idle) → stopped. While claiming or paused, wakes are only remembered.
export function createClaimLoop(options: ClaimLoopOptions): ClaimLoop {
  const { log, room } = options
  let state: 'stopped' | 'idle' | 'claiming' | 'paused' = 'stopped'
  // Something may be waiting that we have not seen.
  let mayHaveMore = true
  let lastReason: WakeReason = 'start'
  let failures = 0
  let echoes = 0
  let lookedAt = 0
  let claiming: Promise<void> = Promise.resolve()
  let pollTimer: NodeJS.Timeout | undefined
  const dueTimers = new Set<NodeJS.Timeout>()

  function wake(reason: WakeReason): void {
    if (reason !== 'slot') {
      mayHaveMore = true
      lastReason = reason
    }
    if (reason === 'notification') awaitEchoes()
    if (state === 'idle' && mayHaveMore && room() > 0) claiming = claimUntilDry()
  }

  async function claimUntilDry(): Promise<void> {
    state = 'claiming'
    // What ends or is notified in the same turn of the event loop belongs to the same claim.
    await setImmediate()
    try {
      for (let wanted = room(); isClaiming() && mayHaveMore && wanted > 0; wanted = room()) {
        mayHaveMore = false
        lookedAt = performance.now()
        const found = await options.claim(wanted)
        options.begin(found)
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

  function awaitEchoes(): void {
    if (echoes > 0) return
    const heardAt = performance.now()
    for (const delayMs of echoesMs) {
      echoes += 1
      at(delayMs, () => {
        echoes -= 1
        // Where there is always something to do, others have looked since.
        if (lookedAt < heardAt + delayMs / 2) wake('echo')
      })
    }
  }

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

  function schedulePoll(): void {
    clearTimeout(pollTimer)
    const pollMs = options.pollMs()
    if (pollMs === null || state === 'stopped') return
    // Half to one and a half, so that workers do not look all at once.
    pollTimer = setTimeout(
      () => {
        wake('poll')
        schedulePoll()
      },
      pollMs * (0.5 + Math.random()),
    )
  }

  return {
    start() {
      state = 'idle'
      schedulePoll()
      wake('start')
    },
    async stop() {
      state = 'stopped'
      clearTimeout(pollTimer)
      for (const timer of dueTimers) clearTimeout(timer)
      dueTimers.clear()
      await claiming
    },
    wake,
    wakeIn: (delayMs) => at(delayMs, () => wake('due')),
    repoll: schedulePoll,
  }
}

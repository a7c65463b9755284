import type { AllowanceAnswer, AllowanceRequest } from '../../../db/queries/request-limits.ts'
import type { Clock } from '../../../platform/clock.ts'
import { granted, idleMs, isForgettable, isIdle, mayTrust, newAllowance, owe } from './held-allowance.ts'
import { refused, settle, takeBack, takesAhead, wantFor } from './held-allowance.ts'
import type { Budget, Decision, HeldAllowance } from './held-allowance.ts'

/**
 * Token buckets that all servers share. Their level is in the database; each server takes a few tokens ahead and tells in
 * batches what it let through, so that a request seldom waits for an answer and many share one statement.
 *
 * A server lets through at most 1 % of a budget without having asked, and holds at most 2 % of it ahead: by so much for
 * each server, and one request, a minute may hold more than it should. What was too much is owed and missing afterwards.
 * Budgets below 100 a minute are always asked for.
 *
 * While the database does not answer, nobody is refused: those who ask first wait `patienceMs`, the others not at all.
 */
export type Allowances = {
  take(budget: Budget, caller: string): Promise<Decision>
  stop(): Promise<void>
}

export type TakeAllowances = (wanted: readonly AllowanceRequest[]) => Promise<readonly AllowanceAnswer[]>

const flushMs = 100
const patienceMs = 250
const awayMs = 1_000
const batch = 500

export function createAllowances(
  takeFromDatabase: TakeAllowances,
  { monotonicMs: now }: { readonly monotonicMs: Clock['monotonicMs'] },
  onFailure: (error: unknown) => void,
): Allowances {
  const callers = new Map<string, HeldAllowance>()
  const due = new Set<string>()
  let flushing: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let awayUntil = -Infinity
  const isAway = () => now() < awayUntil
  const sweeper = setInterval(sweep, idleMs).unref()

  async function take(budget: Budget, caller: string): Promise<Decision> {
    const held = callers.get(caller) ?? newAllowance(budget, now())
    callers.set(caller, held)
    held.usedAt = now()
    // Of many who waited for one answer some may find its tokens spent: they ask again, until there are none.
    for (;;) {
      if (held.ahead > 0) return spendAhead(held, caller)
      if (now() < held.refusedUntil) return refused(held, now())
      if (isAway() || mayTrust(held)) return trust(held, caller)
      await answerFor(held, caller)
    }
  }

  function spendAhead(held: HeldAllowance, caller: string): Decision {
    held.ahead -= 1
    if (held.ahead === 0 && takesAhead(held)) flushIn(flushMs, caller)
    return granted(held, now())
  }

  function trust(held: HeldAllowance, caller: string): Decision {
    owe(held, 1)
    flushIn(flushMs, caller)
    return granted(held, now())
  }

  /** Resolves when the database has answered for this caller, or has not for too long. */
  async function answerFor(held: HeldAllowance, caller: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const limit = setTimeout(() => {
      // Until what is under way has come to an end.
      awayUntil = Infinity
      resolve()
    }, patienceMs)
    held.waiting.push(resolve)
    due.add(caller)
    void flush()
    await promise
    clearTimeout(limit)
  }

  function flushIn(delayMs: number, caller: string): void {
    due.add(caller)
    timer ??= setTimeout(() => void flush(), delayMs).unref()
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    flushing ??= flushAll().finally(() => {
      flushing = null
      if (due.size > 0) timer ??= setTimeout(() => void flush(), isAway() ? awayMs : 0).unref()
    })
    return flushing
  }

  /** Whoever becomes due meanwhile shares the next statement. */
  async function flushAll(): Promise<void> {
    while (due.size > 0) {
      const asked = [...due].slice(0, batch).map((caller) => askFor(caller))
      if (!(await flushBatch(asked.filter((one) => one !== null)))) return
    }
  }

  function askFor(caller: string): Asked | null {
    due.delete(caller)
    const held = callers.get(caller)
    if (held === undefined) return null
    const row = wantFor(held, caller, now())
    // Who comes while this is under way waits for the next answer: this one was not asked for them.
    return { held, row, waiters: held.waiting.splice(0) }
  }

  async function flushBatch(asked: readonly Asked[]): Promise<boolean> {
    try {
      const answers = new Map((await takeFromDatabase(asked.map(({ row }) => row))).map((row) => [row.caller, row]))
      awayUntil = -Infinity
      for (const { held, row } of asked) settle(held, row, answers.get(row.caller), now())
      return true
    } catch (error) {
      awayUntil = now() + awayMs
      onFailure(error)
      for (const { held, row } of asked) {
        takeBack(held, row)
        if (held.owed > 0) due.add(row.caller)
      }
      return false
    } finally {
      for (const { waiters } of asked) for (const resolve of waiters) resolve()
    }
  }

  function sweep(): void {
    for (const [caller, held] of callers) {
      if (isForgettable(held, now())) callers.delete(caller)
      else if (isIdle(held, now()) && held.ahead > 0) flushIn(flushMs, caller)
    }
  }

  return {
    take,
    stop: async () => {
      clearInterval(sweeper)
      if (timer !== null) clearTimeout(timer)
      await flushing
    },
  }
}

type Asked = {
  readonly held: HeldAllowance
  readonly row: AllowanceRequest
  readonly waiters: readonly (() => void)[]
}

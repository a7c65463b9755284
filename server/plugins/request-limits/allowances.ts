import type { AllowanceAnswer, AllowanceRequest } from '../../../db/queries/request-limits.ts'
import type { Clock } from '../../../platform/clock.ts'
import { decideAlone, giveBackOne, granted, idleMs, isForgettable, isIdle, mayTrust } from './held-allowance.ts'
import { newAllowance, owe, refused, settle, takeBack, takesAhead, wantFor } from './held-allowance.ts'
import type { Budget, Decision, HeldAllowance } from './held-allowance.ts'

/**
 * Token buckets that all servers share. Their level is in the database; each server takes a few tokens ahead and tells in
 * batches what it let through, so that a request seldom waits for an answer and many share one statement.
 *
 * A server lets through at most 1 % of a budget without having asked, and holds at most 2 % of it ahead: by so much for
 * each server, and one request, a minute may hold more than it should. What was too much is owed and missing afterwards.
 * Budgets below 100 a minute are always asked for.
 *
 * While the database does not answer, each server counts alone: those who ask first wait `patienceMs`, the others not at
 * all, and nobody is refused who is within the budget here.
 */
export type Allowances = {
  take(budget: Budget, caller: string): Promise<Decision>
  /** What was taken cost nothing after all. */
  giveBack(caller: string): void
  stop(): Promise<void>
}

export type TakeAllowances = (wanted: readonly AllowanceRequest[]) => Promise<readonly AllowanceAnswer[]>

const flushMs = 100
const farewellMs = 250
const awayMs = 1_000
const batch = 500
// Some twenty MB. Whoever invents callers (addresses are cheap) makes us forget others, and costs them an answer.
const maxCallers = 50_000

export function createAllowances(
  takeFromDatabase: TakeAllowances,
  { monotonicMs: now }: { readonly monotonicMs: Clock['monotonicMs'] },
  onFailure: (error: unknown) => void,
  patienceMs: number,
): Allowances {
  const callers = new Map<string, HeldAllowance>()
  // Before those who are only due: somebody waits for them.
  const asking = new Set<HeldAllowance>()
  const due = new Set<HeldAllowance>()
  let flushing: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let awayUntil = -Infinity
  let isStopped = false
  const isAway = () => now() < awayUntil
  const sweeper = setInterval(sweep, idleMs).unref()

  async function take(budget: Budget, caller: string): Promise<Decision> {
    const held = callers.get(caller) ?? begin(budget, caller)
    held.usedAt = now()
    // Of many who waited for one answer some may find its tokens spent: they ask again, until there are none.
    for (;;) {
      if (held.ahead > 0) return spendAhead(held)
      if (now() < held.refusedUntil) return refused(held, now())
      if (isAway()) return countAlone(held)
      if (mayTrust(held)) return trust(held)
      await answerFor(held)
    }
  }

  function begin(budget: Budget, caller: string): HeldAllowance {
    if (callers.size >= maxCallers) forgetEldest()
    const held = newAllowance(budget, caller, now())
    callers.set(caller, held)
    return held
  }

  function forgetEldest(): void {
    for (const held of callers.values()) {
      if (held.waiting.length > 0) continue
      callers.delete(held.caller)
      due.delete(held)
      return
    }
  }

  function spendAhead(held: HeldAllowance): Decision {
    held.ahead -= 1
    if (held.ahead === 0 && takesAhead(held)) flushIn(flushMs, held)
    return granted(held, now())
  }

  function trust(held: HeldAllowance): Decision {
    owe(held, 1)
    flushIn(flushMs, held)
    return granted(held, now())
  }

  function countAlone(held: HeldAllowance): Decision {
    const decision = decideAlone(held, now())
    if (decision.kind === 'granted') flushIn(awayMs, held)
    return decision
  }

  /** Resolves when the database has answered for this caller, or has not for too long. */
  async function answerFor(held: HeldAllowance): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const limit = setTimeout(() => {
      // Until what is under way has come to an end.
      awayUntil = flushing === null ? now() + awayMs : Infinity
      resolve()
    }, patienceMs)
    held.waiting.push(resolve)
    asking.add(held)
    void flush()
    await promise
    clearTimeout(limit)
  }

  function flushIn(delayMs: number, held: HeldAllowance): void {
    due.add(held)
    if (!isStopped) timer ??= setTimeout(() => void flush(), delayMs).unref()
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    flushing ??= flushAll().finally(() => {
      flushing = null
      if (asking.size + due.size > 0 && !isStopped)
        timer ??= setTimeout(() => void flush(), isAway() ? awayMs : 0).unref()
    })
    return flushing
  }

  /** Whoever becomes due meanwhile shares the next statement. */
  async function flushAll(): Promise<void> {
    while (asking.size + due.size > 0) {
      if (!(await flushBatch(nextBatch().map((held) => askFor(held))))) return
    }
  }

  /** One of each name: who was forgotten in between may be there twice. */
  function nextBatch(): readonly HeldAllowance[] {
    const byCaller = new Map<string, HeldAllowance>()
    for (const some of [asking, due]) {
      for (const held of some) {
        if (byCaller.size === batch) break
        if (!byCaller.has(held.caller)) byCaller.set(held.caller, held)
      }
    }
    return [...byCaller.values()]
  }

  function askFor(held: HeldAllowance): Asked {
    asking.delete(held)
    due.delete(held)
    const row = wantFor(held, now())
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
        if (held.owed !== 0 && callers.get(held.caller) === held) due.add(held)
      }
      return false
    } finally {
      for (const { waiters } of asked) for (const resolve of waiters) resolve()
    }
  }

  function sweep(): void {
    for (const [caller, held] of callers) {
      if (isForgettable(held, now())) callers.delete(caller)
      else if (isIdle(held, now()) && held.ahead > 0) flushIn(flushMs, held)
    }
  }

  return {
    take,
    giveBack: (caller) => {
      const held = callers.get(caller)
      if (held === undefined) return
      giveBackOne(held)
      flushIn(isAway() ? awayMs : flushMs, held)
    },
    stop: async () => {
      isStopped = true
      clearInterval(sweeper)
      if (timer !== null) clearTimeout(timer)
      // A database that is away must not hold up the end.
      await Promise.race([flushing, new Promise((resolve) => setTimeout(resolve, farewellMs).unref())])
    },
  }
}

type Asked = {
  readonly held: HeldAllowance
  readonly row: AllowanceRequest
  readonly waiters: readonly (() => void)[]
}

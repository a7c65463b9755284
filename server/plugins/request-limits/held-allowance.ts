import type { AllowanceAnswer, AllowanceRequest } from '../../../db/queries/request-limits.ts'

/** So many requests a minute, all of them at once if need be. */
export type Budget = { readonly name: string; readonly perMinute: number }

export type Decision = {
  readonly kind: 'granted' | 'refused'
  /** As far as this server knows. */
  readonly remaining: number
  /** Until the budget is whole again; where it is refused, until the next request may come. */
  readonly resetMs: number
}

/** What this server has of one caller's budget, and what it owes. */
export type HeldAllowance = {
  readonly budget: Budget
  readonly caller: string
  /** Taken from the database and not spent yet. */
  ahead: number
  /** Let through and not told to the database yet; negative: given back. */
  owed: number
  /** Told, and not answered yet. */
  underWay: number
  available: number
  availableAt: number
  refusedUntil: number
  usedAt: number
  waiting: (() => void)[]
}

const trustShare = 0.01
const aheadShare = 0.02
/** What has been held for so long without use is given back; a caller unheard of for so long is forgotten. */
export const idleMs = 2_000
const forgetMs = 120_000
const msPerMinute = 60_000

export function newAllowance(budget: Budget, caller: string, now: number): HeldAllowance {
  return {
    budget,
    caller,
    ahead: 0,
    owed: 0,
    underWay: 0,
    available: budget.perMinute,
    availableAt: now,
    refusedUntil: -Infinity,
    usedAt: now,
    waiting: [],
  }
}

export const mayTrust = ({ budget, owed, underWay }: HeldAllowance): boolean =>
  owed + underWay < Math.floor(budget.perMinute * trustShare)

export const takesAhead = ({ budget }: HeldAllowance): boolean => budget.perMinute * aheadShare >= 2

export function owe(held: HeldAllowance, requests: number): void {
  held.owed = Math.min(held.owed + requests, held.budget.perMinute)
}

export function granted(held: HeldAllowance, now: number): Decision {
  const { budget, ahead, owed, underWay } = held
  const level = Math.min(levelOf(held, now) + ahead, budget.perMinute)
  const remaining = Math.min(Math.max(0, Math.floor(level - owed - underWay)), budget.perMinute)
  return { kind: 'granted', remaining, resetMs: (budget.perMinute - remaining) * refillMs(budget) }
}

export const refused = ({ refusedUntil }: HeldAllowance, now: number): Decision => ({
  kind: 'refused',
  remaining: 0,
  resetMs: refusedUntil - now,
})

/**
 * Nobody can be asked: this server counts as if it were alone, from what it knew last. What it will have to tell leaks
 * away as the budget fills, so that an hour without the database is not held against anybody when it is back.
 */
export function decideAlone(held: HeldAllowance, now: number): Decision {
  const { budget } = held
  const refilled = (now - held.availableAt) / refillMs(budget)
  held.owed = Math.max(0, held.owed - refilled)
  held.available = levelOf(held, now)
  held.availableAt = now
  if (held.available < 1) return { kind: 'refused', remaining: 0, resetMs: (1 - held.available) * refillMs(budget) }
  held.available -= 1
  owe(held, 1)
  const remaining = Math.floor(held.available)
  return { kind: 'granted', remaining, resetMs: (budget.perMinute - remaining) * refillMs(budget) }
}

/** What to ask for next; what was owed is under way from here on. */
export function wantFor(held: HeldAllowance, now: number): AllowanceRequest {
  const { perMinute } = held.budget
  const waiting = held.waiting.length
  const isGivenBack = isIdle(held, now)
  const owed = Math.ceil(held.owed)
  const spent = isGivenBack ? owed - held.ahead : owed
  if (isGivenBack) held.ahead = 0
  held.underWay = Math.max(spent, 0)
  held.owed = 0
  // Callers below half of what is trusted are only counted: nothing is held for them.
  const isBusy = waiting > 0 || held.underWay > (perMinute * trustShare) / 2
  const wanted = isGivenBack || !isBusy ? 0 : Math.max(1, Math.floor(perMinute * aheadShare), waiting)
  return { caller: held.caller, perMinute, spent, wanted }
}

/** Without an answer: the row was forgotten in this very moment, because the budget was whole. */
export function settle(
  held: HeldAllowance,
  asked: AllowanceRequest,
  answer: AllowanceAnswer | undefined,
  now: number,
): void {
  held.underWay = 0
  held.ahead += answer?.granted ?? asked.wanted
  held.available = answer?.available ?? held.budget.perMinute
  held.availableAt = now
  if (answer !== undefined && asked.wanted > 0 && answer.granted === 0) held.refusedUntil = now + answer.retryAfterMs
}

/** What nobody answered for is owed again. */
export function takeBack(held: HeldAllowance, asked: AllowanceRequest): void {
  held.underWay = 0
  owe(held, asked.spent)
}

/**
 * What was taken and turned out to cost nothing is there for the next. It is told to the database, where a budget that has
 * filled up meanwhile gains nothing by it; kept here it could be spent in one go with that.
 */
export function giveBackOne(held: HeldAllowance): void {
  const { perMinute } = held.budget
  held.owed = Math.max(held.owed - 1, -perMinute)
  held.available = Math.min(held.available + 1, perMinute)
  held.refusedUntil = -Infinity
}

export const isIdle = (held: HeldAllowance, now: number): boolean =>
  held.waiting.length === 0 && now - held.usedAt >= idleMs

export const isForgettable = (held: HeldAllowance, now: number): boolean =>
  isIdle(held, now) && now - held.usedAt > forgetMs && held.ahead + held.owed + held.underWay === 0

const levelOf = ({ budget, available, availableAt }: HeldAllowance, now: number): number =>
  Math.min(available + (now - availableAt) / refillMs(budget), budget.perMinute)

const refillMs = ({ perMinute }: Budget) => msPerMinute / perMinute

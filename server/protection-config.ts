import { totalmem } from 'node:os'
import { wholeNumber } from '../platform/env.ts'
import type { z } from 'zod'

/** How much of each kind one caller may ask for in a minute, all servers together; null: without a limit. */
export type RequestLimits = {
  readonly account: number | null
  readonly uploads: number | null
  readonly streams: number | null
  readonly address: number | null
  /** Wrong passwords from one address, whoever's they are. */
  readonly signIn: number | null
  /** Of these, wrong passwords of one account: whoever mistypes theirs again and again does not shut out the house. */
  readonly signInHere: number | null
  /** Wrong passwords of one account, wherever they come from. */
  readonly signInAccount: number | null
  /** What is left to one address for one account when strangers have used up the account's, or the address's. */
  readonly signInReserve: number | null
  readonly signUp: number | null
  /** Mails that somebody who is not signed in asks for, from one address. */
  readonly messages: number | null
}

/** Past these a server asks to come back before it begins any work. */
export type OverloadLimits = {
  readonly eventLoopMs: number
  readonly rssBytes: number
  readonly databaseMs: number
}

/** How long a client may take, and how slowly its body may come. */
export type Patience = {
  readonly headersMs: number
  readonly requestMs: number
  readonly keepAliveMs: number
  readonly bodyWindowMs: number
  readonly bodyBytesPerSecond: number
}

export type ProtectionConfig = {
  readonly requestLimits: RequestLimits
  /** How long a request waits to be counted with those of other servers; after that each server counts alone. */
  readonly countPatienceMs: number
  readonly overload: OverloadLimits
  readonly patience: Patience
}

const seconds = () => wholeNumber({ min: 1, max: 86_400 })

export const protectionEnv = {
  RATE_LIMIT_ACCOUNT: wholeNumber().default(3_000),
  RATE_LIMIT_UPLOADS: wholeNumber().default(1_200),
  RATE_LIMIT_STREAMS: wholeNumber().default(300),
  RATE_LIMIT_ADDRESS: wholeNumber().default(3_000),
  RATE_LIMIT_SIGN_IN: wholeNumber().default(10),
  RATE_LIMIT_SIGN_IN_ACCOUNT: wholeNumber().default(30),
  RATE_LIMIT_SIGN_UP: wholeNumber().default(60),
  RATE_LIMIT_MESSAGES: wholeNumber().default(20),
  RATE_LIMIT_PATIENCE_MS: wholeNumber({ min: 10, max: 60_000 }).default(250),
  OVERLOAD_EVENT_LOOP_MS: wholeNumber({ min: 50 }).default(1_000),
  OVERLOAD_RSS_MB: wholeNumber().default(0),
  OVERLOAD_DATABASE_MS: wholeNumber({ min: 100 }).default(10_000),
  HEADERS_TIMEOUT_SECONDS: seconds().default(20),
  // Long enough for 50 MB over a poor line (1.4 Mbit/s); worse lines need a resumable upload.
  REQUEST_TIMEOUT_SECONDS: seconds().default(300),
  KEEP_ALIVE_SECONDS: seconds().default(72),
  BODY_WINDOW_SECONDS: seconds().default(20),
  BODY_MIN_BYTES_PER_SECOND: wholeNumber({ min: 1 }).default(500),
}

type Env = { readonly [Name in keyof typeof protectionEnv]: z.output<(typeof protectionEnv)[Name]> } & {
  readonly AUTH_SIGN_IN_LIMIT: boolean
}

export function protectionOf(env: Env): ProtectionConfig {
  return {
    requestLimits: {
      account: limitOf(env.RATE_LIMIT_ACCOUNT),
      uploads: limitOf(env.RATE_LIMIT_UPLOADS),
      streams: limitOf(env.RATE_LIMIT_STREAMS),
      address: limitOf(env.RATE_LIMIT_ADDRESS),
      ...signInLimits(env),
    },
    countPatienceMs: env.RATE_LIMIT_PATIENCE_MS,
    overload: {
      eventLoopMs: env.OVERLOAD_EVENT_LOOP_MS,
      rssBytes: env.OVERLOAD_RSS_MB === 0 ? mostOfTheMachine() : env.OVERLOAD_RSS_MB * bytesPerMb,
      databaseMs: env.OVERLOAD_DATABASE_MS,
    },
    patience: {
      headersMs: env.HEADERS_TIMEOUT_SECONDS * msPerS,
      requestMs: Math.max(env.REQUEST_TIMEOUT_SECONDS, env.HEADERS_TIMEOUT_SECONDS) * msPerS,
      keepAliveMs: env.KEEP_ALIVE_SECONDS * msPerS,
      bodyWindowMs: env.BODY_WINDOW_SECONDS * msPerS,
      bodyBytesPerSecond: env.BODY_MIN_BYTES_PER_SECOND,
    },
  }
}

const notLimited = {
  signIn: null,
  signInHere: null,
  signInAccount: null,
  signInReserve: null,
  signUp: null,
  messages: null,
} as const satisfies Partial<RequestLimits>

function signInLimits(env: Env): Pick<RequestLimits, keyof typeof notLimited> {
  if (!env.AUTH_SIGN_IN_LIMIT) return notLimited
  return {
    signIn: limitOf(env.RATE_LIMIT_SIGN_IN),
    signInHere: limitOf(Math.ceil(env.RATE_LIMIT_SIGN_IN / 2)),
    signInAccount: limitOf(env.RATE_LIMIT_SIGN_IN_ACCOUNT),
    signInReserve: 1,
    signUp: limitOf(env.RATE_LIMIT_SIGN_UP),
    messages: limitOf(env.RATE_LIMIT_MESSAGES),
  }
}

const bytesPerMb = 1_000_000
const msPerS = 1_000

const limitOf = (perMinute: number): number | null => (perMinute === 0 ? null : perMinute)

/** Of the container where there is one: past nine tenths of it the kernel is about to end us. */
function mostOfTheMachine(): number {
  const constrained = process.constrainedMemory()
  const all = totalmem()
  return 0.9 * (constrained > 0 && constrained < all ? constrained : all)
}

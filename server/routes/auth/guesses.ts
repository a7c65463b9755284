import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../../db/client.ts'
import { addressesOfSessions } from '../../../db/queries/logins.ts'
import { tooManyRequests, unauthenticated } from '../../plugins/errors.ts'
import { addressOf } from '../../plugins/request-limits/request-limits.ts'
import type { Admitted } from '../../plugins/request-limits/request-limits.ts'
import type { RouteDeps } from '../../types.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { emailTaken, passwordRefused, relay, signInRefused } from './relay.ts'
import { sessionSchema } from './schema.ts'

export type Guess = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Whose secret it is; null where somebody only finds out that an account exists. */
  readonly email: string | null
}

/**
 * Guessing is limited twice: what comes from one address, whoever is meant, and what is meant for one account, wherever it
 * comes from. Both are taken before the secret is looked at and given back when it was right, so that a house full of
 * people who know their passwords spends nothing, and a thousand guesses at once are counted all the same.
 *
 * Nobody locks others out. Who guesses at one account uses up half of what the address has; who has used up all of it
 * leaves one guess a minute to each account that is signed in from there, and strangers who use up an account's budget
 * leave one to each address. Otherwise it makes no difference whether there is such an account.
 */
export async function countGuess<T>(limits: GuessLimits, guess: Guess, tryIt: () => Promise<T>): Promise<T> {
  const taken: Admitted[] = []
  const giveBack = () => {
    for (const one of taken) one.giveBack()
  }
  try {
    for await (const one of admit(limits, guess)) taken.push(one)
    const answer = await tryIt()
    giveBack()
    return answer
  } catch (error) {
    if (!isWrong(error)) giveBack()
    throw error
  }
}

export type GuessLimits = Pick<RouteDeps, 'db' | 'limiter'>

async function* admit({ db, limiter }: GuessLimits, { request, reply, email }: Guess): AsyncGenerator<Admitted> {
  const address = addressOf(request)
  if (email === null) {
    yield await limiter.admit('signIn', address, reply)
    return
  }
  const account = budgetOf(email)
  const here = `${address} ${account}`
  yield await limiter.admit('signInHere', here, reply)
  let isReserveTaken = false
  const reserve = async (mayHaveIt: () => Promise<boolean>, refusal: unknown): Promise<Admitted> => {
    if (!tooManyRequests.matches(refusal) || !(await mayHaveIt())) throw refusal
    if (isReserveTaken) return { giveBack: () => {} }
    isReserveTaken = true
    return await limiter.admit('signInReserve', here, null)
  }
  yield await limiter
    .admit('signIn', address, reply)
    .catch((refusal: unknown) => reserve(() => isSignedInFrom(db, email, address), refusal))
  yield await limiter
    .admit('signInAccount', account, null)
    .catch((refusal: unknown) => reserve(async () => true, refusal))
}

async function isSignedInFrom(db: Database, email: string, address: string): Promise<boolean> {
  const seen = await addressesOfSessions(db, email)
  return seen.some((ip) => addressOf({ ip }) === address)
}

/** What is kept of an address: enough to know it again. */
const budgetOf = (email: string): string => createHash('sha256').update(email.trim().toLowerCase()).digest('hex')

/**
 * A password that is asked for again, counted with those at sign-in: whoever has got hold of a session, in whatever
 * spelling of its token, may guess no more than anybody.
 */
export async function countPasswordOfSession<T>(
  limits: GuessLimits,
  asked: { readonly accounts: EmbeddedAccounts; readonly request: FastifyRequest; readonly reply: FastifyReply },
  tryIt: () => Promise<T>,
): Promise<T> {
  const { accounts, request, reply } = asked
  const session = sessionSchema.parse(
    await relay(accounts, request, reply, { path: '/auth/get-session', method: 'GET' }),
  )
  if (session === null) throw unauthenticated()
  return await countGuess(limits, { request, reply, email: session.user.email }, tryIt)
}

const isWrong = (error: unknown) => [signInRefused, passwordRefused, emailTaken].some((kind) => kind.matches(error))

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressOf } from '../../plugins/request-limits/request-limits.ts'
import type { Admitted, RequestLimiter } from '../../plugins/request-limits/request-limits.ts'
import { tooManyRequests, unauthenticated } from '../../plugins/errors.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { emailTaken, passwordRefused, relay, signInRefused } from './relay.ts'
import { sessionSchema } from './schema.ts'

export type Guess = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Of `budgetOf`: whose secret it is; null where somebody only finds out that an account exists. */
  readonly account: string | null
}

/**
 * Guessing is limited twice: what comes from one address, whoever is meant, and what is meant for one account, wherever it
 * comes from. Both are taken before the secret is looked at and given back when it was right, so that a house full of
 * people who know their passwords spends nothing, and a thousand guesses at once are counted all the same.
 *
 * Whether there is such an account makes no difference. Strangers who use up an account's budget do not lock its owner
 * out: one wrong guess a minute is left to each address.
 */
export async function countGuess<T>(limiter: RequestLimiter, guess: Guess, tryIt: () => Promise<T>): Promise<T> {
  const address = addressOf(guess.request)
  const taken: Admitted[] = [await limiter.admit('signIn', address, guess.reply)]
  const giveBack = () => {
    for (const one of taken) one.giveBack()
  }
  try {
    if (guess.account !== null) taken.push(await admitToAccount(limiter, guess.account, address))
    const answer = await tryIt()
    giveBack()
    return answer
  } catch (error) {
    if (!isWrong(error)) giveBack()
    throw error
  }
}

/** What is kept of an address: enough to know it again. */
export const budgetOf = (email: string): string => createHash('sha256').update(email.trim().toLowerCase()).digest('hex')

/**
 * A password that is asked for again, counted with those at sign-in: whoever has got hold of a session, in whatever
 * spelling of its token, may guess no more than anybody.
 */
export async function countPasswordOfSession<T>(
  limiter: RequestLimiter,
  asked: { readonly accounts: EmbeddedAccounts; readonly request: FastifyRequest; readonly reply: FastifyReply },
  tryIt: () => Promise<T>,
): Promise<T> {
  const { accounts, request, reply } = asked
  const session = sessionSchema.parse(
    await relay(accounts, request, reply, { path: '/auth/get-session', method: 'GET' }),
  )
  if (session === null) throw unauthenticated()
  return await countGuess(limiter, { request, reply, account: budgetOf(session.user.email) }, tryIt)
}

async function admitToAccount(limiter: RequestLimiter, account: string, address: string): Promise<Admitted> {
  try {
    return await limiter.admit('signInAccount', account, null)
  } catch (error) {
    if (!tooManyRequests.matches(error)) throw error
    return await limiter.admit('signInReserve', `${address} ${account}`, null)
  }
}

const isWrong = (error: unknown) => [signInRefused, passwordRefused, emailTaken].some((kind) => kind.matches(error))

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { generationOfAddress } from '../../../db/queries/logins.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { addressOf } from '../../plugins/request-limits/request-limits.ts'
import type { Api, RouteDeps } from '../../types.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { countGuess } from './guesses.ts'
import { emailChangeRoutes } from './email-change.ts'
import { passwordResetRoutes } from './password-reset.ts'
import { asItCame, newSessionOf, Overtaken, relay, signInRefused } from './relay.ts'
import {
  jwkSchema,
  secondFactorNeeded,
  sessionSchema,
  signedInSchema,
  signedOutSchema,
  signInBody,
  signUpBody,
  tokenSchema,
} from './schema.ts'
import { sessionRoutes } from './sessions.ts'
import { twoFactorRoutes } from './two-factor.ts'

/** Accounts of our own, where no outside issuer is configured. Sessions travel as bearer tokens: there are no cookies. */
export function authRoutes(api: Api, deps: RouteDeps): void {
  const { accounts, limiter } = deps
  if (accounts === null) return
  sessionRoutes(api, deps, accounts)
  passwordResetRoutes(api, deps, accounts)
  emailChangeRoutes(api, deps, accounts)
  twoFactorRoutes(api, deps, accounts)
  const tags = ['accounts']

  api.post(
    '/auth/sign-up/email',
    {
      schema: {
        tags,
        summary: 'Make an account',
        body: signUpBody,
        response: { 200: signedInSchema, ...problems(400, 422, 429) },
      },
    },
    async (request, reply) => {
      await limiter.admit('signUp', addressOf(request), reply)
      const signUp = () =>
        relay(accounts, request, reply).catch((error: unknown) => {
          if (!(error instanceof Overtaken)) throw error
          // Asked again it says why.
          return relay(accounts, request, reply)
        })
      const answer = await countGuess(deps, { request, reply, email: null }, signUp)
      return { ...signedInSchema.parse(answer), ...newSessionOf(reply) }
    },
  )
  api.post(
    '/auth/sign-in/email',
    {
      schema: {
        tags,
        summary: 'Sign in',
        description: '202 where a second factor is on: there is no session until it has been given.',
        body: signInBody,
        response: { 200: signedInSchema, 202: secondFactorNeeded, ...problems(400, 401, 429) },
      },
    },
    async (request, reply) => {
      const { email } = request.body
      const tryIt = () => signIn(deps, accounts, { request, reply, email })
      const answer = await countGuess(deps, { request, reply, email }, tryIt)
      const needed = secondFactorNeeded.safeParse(answer).data
      if (needed !== undefined) return await reply.code(202).send(needed)
      return { ...signedInSchema.parse(answer), ...newSessionOf(reply) }
    },
  )
  api.post(
    '/auth/sign-out',
    { schema: { tags, summary: 'End the session', response: { 200: signedOutSchema, ...problems(401, 429) } } },
    async (request, reply) => signedOutSchema.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/get-session',
    { schema: { tags, summary: 'Who is signed in', response: { 200: sessionSchema, ...problems(429) } } },
    async (request, reply) => sessionSchema.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/token',
    {
      schema: {
        tags,
        summary: 'A token for the API, good for 15 minutes',
        response: { 200: tokenSchema, ...problems(401, 429) },
      },
    },
    async (request, reply) => tokenSchema.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/jwks',
    {
      schema: {
        tags,
        summary: 'The public keys that verify the tokens',
        response: { 200: z.object({ keys: z.array(jwkSchema) }) },
      },
    },
    async (_request, reply) => {
      const { keys } = await accounts.publicKeys()
      return await reply
        .header('cache-control', 'public, max-age=60')
        .send({ keys: keys.map((key) => jwkSchema.parse(key)) })
    },
  )
}

type SigningIn = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly email: string }

/** Overtaken by a new password or another factor it is asked anew: it may be the new password that was given. */
async function signIn(
  { db }: Pick<RouteDeps, 'db'>,
  accounts: EmbeddedAccounts,
  asked: SigningIn,
  triesLeft = 2,
): Promise<unknown> {
  const { request, reply, email } = asked
  const generation = await generationOfAddress(db, email)
  try {
    return await relay(accounts, request, reply, { ...asItCame(request), generation })
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error
    if (triesLeft === 0) throw signInRefused()
    return await signIn({ db }, accounts, asked, triesLeft - 1)
  }
}

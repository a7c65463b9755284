import { z } from 'zod'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idField, timeField } from '../fields.ts'
import { relay } from './relay.ts'
import { sessionRoutes } from './sessions.ts'

const password = z.string().min(8).max(128)
const signUp = z
  .object({ email: z.email().max(254), password, name: z.string().trim().min(1).max(200) })
  .meta({ title: 'SignUp' })
const signIn = z.object({ email: z.email().max(254), password: z.string().min(1).max(128) }).meta({ title: 'SignIn' })
const user = z.object({ id: idField, email: z.string(), name: z.string(), createdAt: timeField.optional() })
const signedIn = z
  .object({ token: z.string().describe('The session; also in the header set-auth-token.'), user })
  .meta({ title: 'SignedIn' })
const jwk = z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string() })
const signedOut = z.object({ success: z.boolean() })
const tokenAnswer = z.object({ token: z.string() })
const session = z.object({ user, session: z.object({ id: idField, expiresAt: timeField }) }).nullable()

/** Accounts of our own, where no outside issuer is configured. Sessions travel as bearer tokens: there are no cookies. */
export function authRoutes(api: Api, { accounts }: RouteDeps): void {
  if (accounts === null) return
  sessionRoutes(api, accounts)
  const tags = ['accounts']

  api.post(
    '/auth/sign-up/email',
    {
      schema: {
        tags,
        summary: 'Make an account',
        body: signUp,
        response: { 200: signedIn, ...problems(400, 422, 429) },
      },
    },
    async (request, reply) => signedIn.parse(await relay(accounts, request, reply)),
  )
  api.post(
    '/auth/sign-in/email',
    { schema: { tags, summary: 'Sign in', body: signIn, response: { 200: signedIn, ...problems(400, 401, 429) } } },
    async (request, reply) => signedIn.parse(await relay(accounts, request, reply)),
  )
  api.post(
    '/auth/sign-out',
    { schema: { tags, summary: 'End the session', response: { 200: signedOut, ...problems(401, 429) } } },
    async (request, reply) => signedOut.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/get-session',
    { schema: { tags, summary: 'Who is signed in', response: { 200: session, ...problems(429) } } },
    async (request, reply) => session.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/token',
    {
      schema: {
        tags,
        summary: 'A token for the API, good for 15 minutes',
        response: { 200: tokenAnswer, ...problems(401, 429) },
      },
    },
    async (request, reply) => tokenAnswer.parse(await relay(accounts, request, reply)),
  )
  api.get(
    '/auth/jwks',
    {
      schema: {
        tags,
        summary: 'The public keys that verify the tokens',
        response: { 200: z.object({ keys: z.array(jwk) }) },
      },
    },
    async (_request, reply) => {
      const { keys } = await accounts.publicKeys()
      return await reply.header('cache-control', 'public, max-age=60').send({ keys: keys.map((key) => jwk.parse(key)) })
    },
  )
}

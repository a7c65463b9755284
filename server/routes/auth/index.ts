import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { defineError } from '../../../platform/errors.ts'
import { invalidRequest, tooManyRequests, unauthenticated } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { clientAddressHeader } from './embedded-accounts.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import {
  jwkSchema,
  sessionSchema,
  signedInSchema,
  signedOutSchema,
  signInBody,
  signUpBody,
  tokenSchema,
} from './schema.ts'

export const signInRefused = defineError('sign_in_refused', 401, 'The e-mail address or the password is not right.')
export const emailTaken = defineError('email_taken', 422, 'This e-mail address cannot be used to sign up.')

/** Accounts of our own, where no outside issuer is configured. Sessions travel as bearer tokens: there are no cookies. */
export function authRoutes(api: Api, { accounts }: RouteDeps): void {
  if (accounts === null) return
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
    async (request, reply) => signedInSchema.parse(await relay(accounts, request, reply)),
  )
  api.post(
    '/auth/sign-in/email',
    {
      schema: {
        tags,
        summary: 'Sign in',
        body: signInBody,
        response: { 200: signedInSchema, ...problems(400, 401, 429) },
      },
    },
    async (request, reply) => signedInSchema.parse(await relay(accounts, request, reply)),
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

/** Hands a request on without cookies and without its origin, and answers as we answer. */
async function relay(accounts: EmbeddedAccounts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const headers = new Headers({ [clientAddressHeader]: request.ip })
  const { authorization, 'user-agent': userAgent } = request.headers
  if (authorization !== undefined) headers.set('authorization', authorization)
  if (userAgent !== undefined) headers.set('user-agent', userAgent.slice(0, 300))
  const isPost = request.method === 'POST'
  if (isPost) headers.set('content-type', 'application/json')

  const answer = await accounts.handle(
    new Request(new URL(request.routeOptions.url ?? '/', 'http://exora.invalid'), {
      method: isPost ? 'POST' : 'GET',
      headers,
      ...(isPost ? { body: JSON.stringify(request.body ?? {}) } : {}),
    }),
  )
  const body: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw refusal(answer, body)
  const token = answer.headers.get('set-auth-token')
  if (token !== null) reply.header('set-auth-token', token)
  reply.header('cache-control', 'no-store')
  return body
}

const failure = z.object({ code: z.string() })

function refusal(answer: Response, body: unknown): Error {
  const code = failure.safeParse(body).data?.code ?? ''
  if (answer.status === 429) {
    return tooManyRequests({ retryAfterMs: Number(answer.headers.get('x-retry-after') ?? 60) * 1000 })
  }
  if (code.startsWith('INVALID_EMAIL_OR_PASSWORD')) return signInRefused()
  if (code.startsWith('USER_ALREADY_EXISTS')) return emailTaken()
  if (answer.status === 401) return unauthenticated()
  if (answer.status < 500) return invalidRequest()
  return new Error(`the account service answered ${answer.status}`)
}

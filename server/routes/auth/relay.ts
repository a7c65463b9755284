import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { defineError } from '../../../platform/errors.ts'
import { invalidRequest, tooManyRequests, unauthenticated } from '../../plugins/errors.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { clientAddressHeader, correlationHeader, generationHeader } from './handed-on.ts'

export const signInRefused = defineError('sign_in_refused', 401, 'The e-mail address or the password is not right.')
export const emailTaken = defineError('email_taken', 422, 'This e-mail address cannot be used to sign up.')
export const passwordRefused = defineError('password_refused', 422, 'The password is not right.')
export const secretRefused = defineError(
  'secret_refused',
  422,
  'This link or code is not good any more. Please ask for a new one.',
)
export const codeRefused = defineError('code_refused', 422, 'The code is not right, or it was used already.')
export const challengeOver = defineError('challenge_over', 401, 'Please sign in again, from the beginning.')
export const twoFactorOn = defineError('two_factor_on', 409, 'The second factor is on already.')
export const twoFactorOff = defineError('two_factor_off', 409, 'The second factor is not on.')
export const sessionNotFresh = defineError('session_not_fresh', 403, 'Please sign in again to do this.')

/** Another path, method or body than those of the request, where what we show differs from what better-auth has. */
export type Relayed = {
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly body?: unknown
  /** Of somebody who has given the password and not yet the second factor. Then no session counts. */
  readonly challenge?: string
  /** Of the account's logins, read before: what it opens is kept only while that lasts. */
  readonly generation?: number | null
}

/** Somebody else came first: what was proven was over before it opened anything, or an address was taken meanwhile. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken'
}

const ownOrigin = 'http://exora.invalid'

/** Hands a request on without cookies and without its origin, and answers as we answer. */
export async function relay(
  accounts: EmbeddedAccounts,
  request: FastifyRequest,
  reply: FastifyReply,
  relayed: Relayed = asItCame(request),
): Promise<unknown> {
  const headers = new Headers({ [clientAddressHeader]: request.ip, [correlationHeader]: request.id })
  const { authorization, 'user-agent': userAgent } = request.headers
  if (relayed.challenge !== undefined) {
    headers.set('cookie', `${challengeCookie}=${relayed.challenge}`)
    // Cookies are taken from its own pages alone.
    headers.set('origin', ownOrigin)
  } else if (authorization !== undefined) headers.set('authorization', authorization)
  if (userAgent !== undefined) headers.set('user-agent', userAgent.slice(0, 300))
  const { path, method, generation } = relayed
  if (generation !== undefined && generation !== null) headers.set(generationHeader, String(generation))
  const isPost = method === 'POST'
  if (isPost) headers.set('content-type', 'application/json')

  const answer = await accounts.handle(
    new Request(new URL(path, ownOrigin), {
      method,
      headers,
      ...(isPost ? { body: JSON.stringify(relayed.body ?? {}) } : {}),
    }),
  )
  const body: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw refusal(answer, body)
  const token = answer.headers.get('set-auth-token')
  if (token !== null) reply.header('set-auth-token', token)
  reply.header('cache-control', 'no-store')
  return needsSecondFactor.safeParse(body).success ? { challenge: challengeOf(answer) } : body
}

/** In the body, too, for clients that cannot read the header: with its signature, which better-auth leaves out there. */
export const newSessionOf = (reply: FastifyReply) => ({ token: z.string().parse(reply.getHeader('set-auth-token')) })

const needsSecondFactor = z.object({ twoFactorRedirect: z.literal(true) })
const challengeCookie = 'better-auth.two_factor'

function challengeOf(answer: Response): string {
  const cookie = answer.headers.getSetCookie().find((one) => one.startsWith(`${challengeCookie}=`))
  const value = cookie?.slice(challengeCookie.length + 1).split(';')[0]
  if (value === undefined) throw new Error('the account service asks for a second factor without a challenge')
  return value
}

export function asItCame(request: FastifyRequest): Relayed {
  return {
    path: request.routeOptions.url ?? '/',
    method: request.method === 'POST' ? 'POST' : 'GET',
    body: request.body,
  }
}

const challengesOver = new Set(['INVALID_TWO_FACTOR_COOKIE', 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE'])
const failure = z.object({ code: z.string() })

function refusal(answer: Response, body: unknown): Error {
  const code = failure.safeParse(body).data?.code ?? ''
  if (answer.status === 429) {
    return tooManyRequests({ retryAfterMs: Number(answer.headers.get('x-retry-after') ?? 60) * 1000 })
  }
  if (code.startsWith('INVALID_EMAIL_OR_PASSWORD')) return signInRefused()
  if (code.startsWith('USER_ALREADY_EXISTS')) return emailTaken()
  if (code === 'INVALID_PASSWORD') return passwordRefused()
  if (code === 'FAILED_TO_CREATE_SESSION' || code === 'FAILED_TO_CREATE_USER') return new Overtaken(code)
  if (code === 'INVALID_TOKEN' || code === 'USER_NOT_FOUND') return secretRefused()
  if (code === 'INVALID_CODE' || code === 'INVALID_BACKUP_CODE') return codeRefused()
  if (challengesOver.has(code)) return challengeOver()
  if (code === 'TOTP_ALREADY_ENABLED') return twoFactorOn()
  if (code === 'TOTP_NOT_ENABLED' || code === 'TWO_FACTOR_NOT_ENABLED') return twoFactorOff()
  if (code === 'SESSION_NOT_FRESH') return sessionNotFresh()
  if (answer.status === 401) return unauthenticated()
  if (answer.status < 500) return invalidRequest()
  return new Error(`the account service answered ${answer.status}`)
}

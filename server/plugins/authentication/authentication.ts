import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../../db/actor.ts'
import type { Api, Server } from '../../types.ts'
import { unauthenticated } from '../errors.ts'
import type { VerifiedToken, VerifyToken } from './token-verifier.ts'

export type Authentication = {
  readonly verify: VerifyToken
  /** Makes sure that an account from outside exists here before its first transaction. */
  readonly provision: (token: VerifiedToken, correlationId: string) => Promise<void>
}

type OnRefusal = (refused: { request: FastifyRequest; reply: FastifyReply; error: unknown }) => Promise<never>

const callers = new WeakMap<FastifyRequest, { readonly actor: Actor; readonly expiresAt: Date }>()

export function addCallers(app: Server): void {
  app.decorateRequest('accountId', null)
}

/** Routes of this scope answer 401 to whoever brings no valid token; theirs is the actor of each transaction. */
export function requireToken(scope: Api, authentication: Authentication, onRefusal: OnRefusal): void {
  scope.addHook('onRequest', async (request, reply) => {
    const token = await verifyToken(request, authentication).catch((error: unknown) =>
      onRefusal({ request, reply, error }),
    )
    await authentication.provision(token, request.id)
    request.accountId = token.accountId
    callers.set(request, {
      actor: {
        accountId: token.accountId,
        role: 'authenticated',
        claims: token.claims,
        correlationId: request.id,
        clientAddress: request.ip,
      },
      expiresAt: token.expiresAt,
    })
  })
}

async function verifyToken(request: FastifyRequest, { verify }: Authentication): Promise<VerifiedToken> {
  return await verify(bearerTokenOf(request.headers.authorization))
}

export const actorOf = (request: FastifyRequest): Actor => callerOf(request).actor
/** Long answers end when the token does. */
export const tokenExpiryOf = (request: FastifyRequest): Date => callerOf(request).expiresAt

function callerOf(request: FastifyRequest): { actor: Actor; expiresAt: Date } {
  const caller = callers.get(request)
  if (caller === undefined) throw unauthenticated()
  return caller
}

function bearerTokenOf(header: string | undefined): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(header ?? '')?.[1]
  if (token === undefined) throw unauthenticated()
  return token
}

declare module 'fastify' {
  interface FastifyRequest {
    accountId: string | null
  }
}

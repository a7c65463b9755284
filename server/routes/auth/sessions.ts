import { z } from 'zod'
import { notFound } from '../../plugins/errors.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams } from '../fields.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { countPasswordOfSession } from './guesses.ts'
import { newSessionOf, relay } from './relay.ts'
import { openSessionSchema, passwordChangeBody, newSessionSchema, storedSession } from './schema.ts'

/** Where somebody is signed in. The token of a session is its key: none is ever shown, sessions are named by their ids. */
export function sessionRoutes(api: Api, deps: RouteDeps, accounts: EmbeddedAccounts): void {
  const tags = ['accounts']

  api.get(
    '/auth/sessions',
    {
      schema: {
        tags,
        summary: 'Where you are signed in',
        description: 'Asks for a sign-in within the last day.',
        response: { 200: z.object({ sessions: z.array(openSessionSchema) }), ...problems(401, 403, 429) },
      },
    },
    async (request, reply) => {
      const stored = await relay(accounts, request, reply, { path: '/auth/list-sessions', method: 'GET' })
      const sessions = z.array(storedSession).parse(stored)
      return {
        sessions: sessions.map((session) => ({
          id: session.id,
          created_at: session.createdAt,
          expires_at: session.expiresAt,
          user_agent: session.userAgent ?? null,
        })),
      }
    },
  )

  api.delete(
    '/auth/sessions/:id',
    {
      schema: {
        tags,
        summary: 'Sign out there',
        description: 'Tokens that were made by it are good until their 15 minutes are over.',
        params: idParams,
        response: { 204: noBody('Ended.'), ...problems(400, 401, 403, 404, 429) },
      },
    },
    async (request, reply) => {
      const stored = await relay(accounts, request, reply, { path: '/auth/list-sessions', method: 'GET' })
      const found = z
        .array(storedSession)
        .parse(stored)
        .find(({ id }) => id === request.params.id)
      if (found === undefined) throw notFound()
      const body = { token: found.token }
      await relay(accounts, request, reply, { path: '/auth/revoke-session', method: 'POST', body })
      return await reply.code(204).send()
    },
  )

  api.post(
    '/auth/change-password',
    {
      schema: {
        tags,
        summary: 'Change the password',
        description: 'Ends all sessions, this one too, and begins a new one.',
        body: passwordChangeBody,
        response: { 200: newSessionSchema, ...problems(400, 401, 422, 429) },
      },
    },
    async (request, reply) => {
      const { current_password: password, new_password: newPassword } = request.body
      const relayed = { path: '/auth/password-changed', method: 'POST', body: { password, newPassword } } as const
      const change = () => relay(accounts, request, reply, relayed)
      await countPasswordOfSession(deps, { accounts, request, reply }, change)
      return newSessionOf(reply)
    },
  )
}

import { asService } from '../../../db/actor.ts'
import { requestAccountMessage } from '../../../db/queries/account-messages.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import { addressOf } from '../../plugins/request-limits/request-limits.ts'
import type { Api, RouteDeps } from '../../types.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { relay } from './relay.ts'
import { passwordResetAskBody, passwordResetBody } from './schema.ts'

/** Who has forgotten the password proves that the mail to the account's address reaches them. */
export function passwordResetRoutes(api: Api, { db, limiter }: RouteDeps, accounts: EmbeddedAccounts): void {
  const tags = ['accounts']

  api.post(
    '/auth/request-password-reset',
    {
      schema: {
        tags,
        summary: 'Have a link for a new password sent',
        description:
          'The answer, and what is done for it, is the same whether the address has an account or not. At most 3 an hour are sent to one address; past 6 asked for: 429.',
        body: passwordResetAskBody,
        response: { 202: noBody('Sent, if there is an account.'), ...problems(400, 429) },
      },
    },
    async (request, reply) => {
      await limiter.admit('messages', addressOf(request), reply)
      const email = request.body.email.toLowerCase()
      const message = { kind: 'password_reset', email, accountId: null } as const
      await asService(db, { correlationId: request.id }, (tx) => requestAccountMessage(tx, message))
      return await reply.code(202).send()
    },
  )

  api.post(
    '/auth/reset-password',
    {
      schema: {
        tags,
        summary: 'Set a new password with the secret that was sent',
        description:
          'The secret is good for an hour and once. Ends all sessions and all other resets of the account, and signs nobody in: where two factors are on, the second is still asked for.',
        body: passwordResetBody,
        response: { 204: noBody('Changed.'), ...problems(400, 422, 429) },
      },
    },
    async (request, reply) => {
      const { token, new_password: newPassword } = request.body
      await relay(accounts, request, reply, {
        path: '/auth/password-reset',
        method: 'POST',
        body: { token, newPassword },
      })
      return await reply.code(204).send()
    },
  )
}

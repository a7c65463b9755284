import { z } from 'zod'
import { asService } from '../../../db/actor.ts'
import { databaseError } from '../../../db/errors.ts'
import { addressProof } from '../../../db/message-proof.ts'
import { changeAccountEmail, requestAccountMessage } from '../../../db/queries/account-messages.ts'
import { unauthenticated } from '../../plugins/errors.ts'
import { noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { countPasswordOfSession } from './guesses.ts'
import { emailTaken, relay, secretRefused } from './relay.ts'
import { emailChangeBody, emailConfirmBody, sessionSchema } from './schema.ts'

/** Another address for an account: asked for with the password, and proven by what is mailed to it. */
export function emailChangeRoutes(api: Api, deps: RouteDeps, accounts: EmbeddedAccounts): void {
  const tags = ['accounts']
  const { db } = deps

  api.post(
    '/auth/change-email',
    {
      schema: {
        tags,
        summary: 'Have a secret sent to another address of yours',
        description:
          'Nothing changes until it is confirmed. The answer is the same when another account has the address; then nothing is sent. At most 3 an hour.',
        body: emailChangeBody,
        response: { 202: noBody('Sent, if the address is free.'), ...problems(400, 401, 422, 429) },
      },
    },
    async (request, reply) => {
      const { password, new_email: newEmail } = request.body
      const path = '/auth/password-again'
      const say = () => relay(accounts, request, reply, { path, method: 'POST', body: { password } })
      const { id } = known.parse(await countPasswordOfSession(deps, { accounts, request, reply }, say))
      const message = { kind: 'email_change', email: newEmail.toLowerCase(), accountId: id } as const
      await asService(db, { initiatedBy: id, correlationId: request.id }, (tx) => requestAccountMessage(tx, message))
      return await reply.code(202).send()
    },
  )

  api.post(
    '/auth/change-email/confirm',
    {
      schema: {
        tags,
        summary: 'Change the address, with the secret that was sent to it',
        description:
          'Signed in, within the hour. Ends all other sessions and every reset that is under way; the old address is told.',
        body: emailConfirmBody,
        response: { 204: noBody('Changed.'), ...problems(400, 401, 422, 429) },
      },
    },
    async (request, reply) => {
      const shown = await relay(accounts, request, reply, { path: '/auth/get-session', method: 'GET' })
      const signedIn = sessionSchema.parse(shown)
      if (signedIn === null) throw unauthenticated()
      const accountId = signedIn.user.id
      const email = request.body.new_email.toLowerCase()
      const change = {
        accountId,
        email,
        proof: addressProof(email, request.body.token),
        sessionId: signedIn.session.id,
      }
      const isChanged = await asService(
        db,
        { initiatedBy: accountId, correlationId: request.id, clientAddress: request.ip },
        (tx) => changeAccountEmail(tx, change),
      ).catch((error: unknown) => {
        // Whoever is told has proven that the address is theirs.
        throw databaseError(error, { users_email_key: emailTaken }) ?? error
      })
      if (!isChanged) throw secretRefused()
      return await reply.code(204).send()
    },
  )
}

const known = z.object({ id: z.uuid() })

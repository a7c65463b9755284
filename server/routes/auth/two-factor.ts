import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Database } from '../../../db/client.ts'
import { forgetFailedAttempts } from '../../../db/queries/two-factor.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import type { EmbeddedAccounts } from './embedded-accounts.ts'
import { countPasswordOfSession } from './guesses.ts'
import { challengeOver, newSessionOf, Overtaken, relay } from './relay.ts'
import {
  backupCodesSchema,
  newSessionSchema,
  passwordBody,
  secondFactorBody,
  signedInSchema,
  totpCodeBody,
  twoFactorSchema,
} from './schema.ts'

/** A code from an app beside the password. Turning it on or off ends all sessions but a new one. */
export function twoFactorRoutes(api: Api, deps: RouteDeps, accounts: EmbeddedAccounts): void {
  const tags = ['accounts']
  const { db } = deps
  const withPassword = (request: FastifyRequest, reply: FastifyReply, path: string, password: string) =>
    countPasswordOfSession(deps, { accounts, request, reply }, () =>
      relay(accounts, request, reply, { path, method: 'POST', body: { password } }),
    )

  api.post(
    '/auth/two-factor/enable',
    {
      schema: {
        tags,
        summary: 'Begin to turn the second factor on',
        description:
          'The secret for an authenticator app, and ten backup codes of which each serves once; both are shown here alone. Nothing changes until a code is confirmed.',
        body: passwordBody,
        response: { 200: twoFactorSchema, ...problems(400, 401, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const { password } = request.body
      const path = '/auth/two-factor/enable'
      const begun = enabled.parse(await withPassword(request, reply, path, password))
      return { totp_uri: begun.totpURI, backup_codes: begun.backupCodes }
    },
  )

  api.post(
    '/auth/two-factor/confirm',
    {
      schema: {
        tags,
        summary: 'Turn the second factor on, with a code of the app',
        body: totpCodeBody,
        response: { 200: newSessionSchema, ...problems(400, 401, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const confirmed = { method: 'POST', body: request.body } as const
      await relay(accounts, request, reply, { path: '/auth/two-factor-attempt', ...confirmed })
      await relay(accounts, request, reply, { path: '/auth/factor-confirmed', ...confirmed })
      return newSessionOf(reply)
    },
  )

  api.post(
    '/auth/sign-in/two-factor',
    {
      schema: {
        tags,
        summary: 'Sign in: the second factor',
        description:
          'With the challenge that signing in answered, and a code of the app or one of the backup codes. A code serves once; ten wrong ones in a row close this way for an hour, five end the challenge.',
        body: secondFactorBody,
        response: { 200: signedInSchema, ...problems(400, 401, 422, 429) },
      },
    },
    async (request, reply) => {
      const { challenge } = request.body
      const [code, kind] =
        'code' in request.body ? [request.body.code, 'totp'] : [request.body.backup_code, 'backup-code']
      const path = `/auth/two-factor/verify-${kind}`
      const answer = await verify(request, reply, { db, accounts, code, path, challenge })
      return { ...signedInSchema.parse(answer), ...newSessionOf(reply) }
    },
  )

  api.post(
    '/auth/two-factor/disable',
    {
      schema: {
        tags,
        summary: 'Turn the second factor off',
        body: passwordBody,
        response: { 200: newSessionSchema, ...problems(400, 401, 422, 429) },
      },
    },
    async (request, reply) => {
      const { password } = request.body
      await withPassword(request, reply, '/auth/factor-removed', password)
      return newSessionOf(reply)
    },
  )

  api.post(
    '/auth/two-factor/backup-codes',
    {
      schema: {
        tags,
        summary: 'New backup codes in place of the old ones',
        body: passwordBody,
        response: { 200: backupCodesSchema, ...problems(400, 401, 409, 422, 429) },
      },
    },
    async (request, reply) => {
      const { password } = request.body
      const path = '/auth/two-factor/generate-backup-codes'
      const made = enabled.pick({ backupCodes: true }).parse(await withPassword(request, reply, path, password))
      return { backup_codes: made.backupCodes }
    },
  )
}

const enabled = z.object({ totpURI: z.string(), backupCodes: z.array(z.string()) })
const attempted = z.object({ generation: z.int().nullable() })
const verified = z.looseObject({ user: z.object({ id: z.string() }) })

type Verifying = {
  readonly db: Database
  readonly accounts: EmbeddedAccounts
  readonly code: string
  readonly path: string
  readonly challenge: string
}

/** The attempt is counted before the code is looked at. */
async function verify(request: FastifyRequest, reply: FastifyReply, verifying: Verifying): Promise<unknown> {
  const { db, accounts, code, path, challenge } = verifying
  const relayed = { method: 'POST', body: { code }, challenge } as const
  const attempt = await relay(accounts, request, reply, { path: '/auth/two-factor-attempt', ...relayed })
  const { generation } = attempted.parse(attempt)
  const answer = await relay(accounts, request, reply, { path, ...relayed, generation }).catch((error: unknown) => {
    throw error instanceof Overtaken ? challengeOver() : error
  })
  await forgetFailedAttempts(db, verified.parse(answer).user.id)
  return answer
}

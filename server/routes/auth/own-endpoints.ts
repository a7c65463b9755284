import type { BetterAuthPlugin } from 'better-auth'
import { z } from 'zod'
import type { Database } from '../../../db/client.ts'
import { generationOfUser } from '../../../db/queries/logins.ts'
import { beginTwoFactorAttempt } from '../../../db/queries/two-factor.ts'
import { openChangingEndpoints } from './changing-endpoints.ts'

/**
 * What better-auth does not have, or has in several statements, as endpoints of its: they see sessions and challenges as
 * its own do. What they then allow is done by our routes.
 */
export async function openOwnEndpoints(db: Database): Promise<BetterAuthPlugin> {
  const { APIError, createAuthEndpoint, getSessionFromCtx, sensitiveSessionMiddleware } =
    await import('better-auth/api')
  const invalid = (code: string) => new APIError('BAD_REQUEST', { code, message: code })
  return {
    id: 'exora',
    endpoints: {
      ...(await openChangingEndpoints(db)),

      /** Who is signed in says the password again. */
      passwordAgain: createAuthEndpoint(
        '/password-again',
        { method: 'POST', body: z.object({ password: z.string() }), use: [sensitiveSessionMiddleware] },
        async (ctx) => {
          const { id } = ctx.context.session.user
          await ctx.context.password.checkPassword(id, ctx)
          return ctx.json({ id })
        },
      ),

      /** Before every look at a code: better-auth counts after it, and would take a code as often as it is good. */
      twoFactorAttempt: createAuthEndpoint(
        '/two-factor-attempt',
        { method: 'POST', body: z.object({ code: z.string() }) },
        async (ctx) => {
          const session = await getSessionFromCtx(ctx)
          // Who is signed in has nothing to try, and might find out a code here that is asked for elsewhere.
          if (session?.user['twoFactorEnabled'] === true) throw invalid('TOTP_ALREADY_ENABLED')
          const { name } = ctx.context.createAuthCookie('two_factor')
          const challenge = session === null ? await ctx.getSignedCookie(name, ctx.context.secret) : null
          const proof = challenge ? await ctx.context.internalAdapter.findVerificationValue(challenge) : null
          const userId = session?.user.id ?? (proof !== null && proof.expiresAt > new Date() ? proof.value : null)
          if (userId === null) throw invalid('INVALID_TWO_FACTOR_COOKIE')

          const attempt = await beginTwoFactorAttempt(db, userId, ctx.body.code)
          if (attempt.kind === 'none') throw invalid('TOTP_NOT_ENABLED')
          if (attempt.kind === 'used') throw invalid('INVALID_CODE')
          if (attempt.kind === 'locked') {
            const headers = { 'x-retry-after': String(attempt.retryAfterS) }
            throw new APIError('TOO_MANY_REQUESTS', { message: 'Too many wrong codes.' }, headers)
          }
          // Before the challenge is used up: one of an earlier generation is gone by then.
          return ctx.json({ generation: await generationOfUser(db, userId) })
        },
      ),
    },
  }
}

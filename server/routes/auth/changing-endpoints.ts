import type { BetterAuthPlugin } from 'better-auth'
import { z } from 'zod'
import { asService } from '../../../db/actor.ts'
import type { Tx } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { resetProof } from '../../../db/message-proof.ts'
import * as logins from '../../../db/queries/logins.ts'
import { findTwoFactorSecret } from '../../../db/queries/two-factor.ts'
import { clientAddressHeader, correlationHeader, handedOn } from './handed-on.ts'

/**
 * What changes how one signs in. Each changes in one transaction, for the generation of logins that was when the session
 * was asked for; better-auth's own would overwrite what somebody else changed a moment before.
 */
export async function openChangingEndpoints(db: Database): Promise<NonNullable<BetterAuthPlugin['endpoints']>> {
  const kit = await openKit(db)
  return {
    changePasswordOnce: passwordChange(kit),
    resetPasswordOnce: passwordReset(kit),
    confirmFactorOnce: factorConfirmation(kit),
    removeFactorOnce: factorRemoval(kit),
  }
}

type Kit = Awaited<ReturnType<typeof openKit>>
const newPassword = z.string().min(8).max(128)

const passwordChange = (kit: Kit) =>
  kit.createAuthEndpoint(
    '/password-changed',
    { ...kit.signedIn, body: z.object({ password: z.string(), newPassword }) },
    async (ctx) => {
      const { user, session } = ctx.context.session
      const proven = await provenBy(kit, session.id, user.id)
      await ctx.context.password.checkPassword(user.id, ctx)
      const hash = await ctx.context.password.hash(ctx.body.newPassword)
      const generation = await change(kit, ctx, user.id, (tx) => logins.changeLoginPassword(tx, proven, hash))
      if (generation === null) throw kit.sessionOver()
      return await openSession(kit, ctx, user, generation)
    },
  )

const passwordReset = (kit: Kit) =>
  kit.createAuthEndpoint(
    '/password-reset',
    { method: 'POST', body: z.object({ token: z.string(), newPassword }) },
    async (ctx) => {
      const proof = resetProof(ctx.body.token)
      // Hashing is dear: not for whoever invents secrets.
      if (!(await logins.isGoodProof(kit.db, proof))) throw kit.refused('INVALID_TOKEN')
      const hash = await ctx.context.password.hash(ctx.body.newPassword)
      const isReset = await change(kit, ctx, null, (tx) => logins.resetLoginPassword(tx, proof, hash))
      if (!isReset) throw kit.refused('INVALID_TOKEN')
      return ctx.json({ status: true })
    },
  )

/** With the first code of an app; the attempt has been counted. */
const factorConfirmation = (kit: Kit) =>
  kit.createAuthEndpoint(
    '/factor-confirmed',
    { ...kit.signedIn, body: z.object({ code: z.string() }) },
    async (ctx) => {
      const { user, session } = ctx.context.session
      const proven = await provenBy(kit, session.id, user.id)
      const kept = await findTwoFactorSecret(kit.db, user.id)
      if (kept === null) throw kit.refused('TOTP_NOT_ENABLED')
      const secret = await kit.symmetricDecrypt({ key: ctx.context.secretConfig, data: kept })
      const isRight = await kit.createOTP(secret, { digits: 6, period: 30 }).verify(ctx.body.code)
      if (!isRight) throw kit.refused('INVALID_CODE')
      const generation = await change(kit, ctx, user.id, (tx) => logins.confirmSecondFactor(tx, proven, kept))
      if (generation === null) throw kit.refused('INVALID_CODE')
      return await openSession(kit, ctx, user, generation)
    },
  )

const factorRemoval = (kit: Kit) =>
  kit.createAuthEndpoint(
    '/factor-removed',
    { ...kit.signedIn, body: z.object({ password: z.string() }) },
    async (ctx) => {
      const { user, session } = ctx.context.session
      const proven = await provenBy(kit, session.id, user.id)
      await ctx.context.password.checkPassword(user.id, ctx)
      const generation = await change(kit, ctx, user.id, (tx) => logins.removeSecondFactor(tx, proven))
      if (generation === null) throw kit.sessionOver()
      return await openSession(kit, ctx, user, generation)
    },
  )

async function openKit(db: Database) {
  const [{ APIError, createAuthEndpoint, sensitiveSessionMiddleware }, { setSessionCookie }, crypto, { createOTP }] =
    await Promise.all([
      import('better-auth/api'),
      import('better-auth/cookies'),
      import('better-auth/crypto'),
      import('@better-auth/utils/otp'),
    ])
  return {
    db,
    createAuthEndpoint,
    setSessionCookie,
    symmetricDecrypt: crypto.symmetricDecrypt,
    createOTP,
    signedIn: { method: 'POST' as const, use: [sensitiveSessionMiddleware] },
    refused: (code: string) => new APIError('BAD_REQUEST', { code, message: code }),
    sessionOver: () => new APIError('UNAUTHORIZED', { code: 'UNAUTHORIZED' }),
  }
}

type Ctx = Parameters<Kit['setSessionCookie']>[0]
type User = Parameters<Kit['setSessionCookie']>[1]['user']

/** Whose session this is, in which generation. Asked for before any secret is. */
async function provenBy(kit: Kit, sessionId: string, userId: string): Promise<logins.Proven> {
  const generation = await logins.generationOfSession(kit.db, sessionId)
  if (generation === null) throw kit.sessionOver()
  return { userId, generation }
}

async function change<T>({ db }: Kit, ctx: Ctx, userId: string | null, work: (tx: Tx) => Promise<T>): Promise<T> {
  const correlationId = handedOn(ctx, correlationHeader)
  const clientAddress = handedOn(ctx, clientAddressHeader)
  return await asService(db, { initiatedBy: userId, correlationId, clientAddress }, work)
}

/** The one session of the generation that the change began. */
async function openSession(kit: Kit, ctx: Ctx, user: User, generation: number) {
  const { internalAdapter } = ctx.context
  const session = await internalAdapter.createSession(user.id, false, { loginGeneration: generation })
  // Overtaken by the next change; what this one did stays done.
  if (session === null) throw kit.sessionOver()
  await kit.setSessionCookie(ctx, { session, user })
  return ctx.json({ status: true })
}

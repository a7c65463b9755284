import { z } from 'zod'
import { idField, timeField } from '../fields.ts'

const password = z.string().min(8).max(128)
export const signUpBody = z
  .object({ email: z.email().max(254), password, name: z.string().trim().min(1).max(200) })
  .meta({ title: 'SignUp' })
export const signInBody = z
  .object({ email: z.email().max(254), password: z.string().min(1).max(128) })
  .meta({ title: 'SignIn' })
const user = z.object({
  id: idField,
  email: z.string(),
  name: z.string(),
  createdAt: timeField.optional(),
  twoFactorEnabled: z.boolean().optional(),
})
export const signedInSchema = z
  .object({ token: z.string().describe('The session; also in the header set-auth-token.'), user })
  .meta({ title: 'SignedIn' })
export const challengeField = z.string().regex(/^[\w.%-]{1,400}$/)
export const secondFactorNeeded = z
  .object({ challenge: challengeField.describe('For POST /auth/sign-in/two-factor, within ten minutes.') })
  .meta({ title: 'SecondFactorNeeded' })
const totpCode = z.string().regex(/^\d{6}$/)
export const totpCodeBody = z.object({ code: totpCode }).meta({ title: 'TotpCode' })
export const secondFactorBody = z
  .union([
    z.object({ challenge: challengeField, code: totpCode }),
    z.object({ challenge: challengeField, backup_code: z.string().min(1).max(40) }),
  ])
  .meta({ title: 'SecondFactor' })
export const passwordBody = z.object({ password: z.string().min(1).max(128) }).meta({ title: 'PasswordAgain' })
export const twoFactorSchema = z
  .object({
    totp_uri: z.string().describe('For an authenticator app, as a QR code: RFC 6238, 6 digits, 30 seconds.'),
    backup_codes: z.array(z.string()),
  })
  .meta({ title: 'TwoFactor' })
export const backupCodesSchema = twoFactorSchema.pick({ backup_codes: true })
export const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string() })
export const signedOutSchema = z.object({ success: z.boolean() })
export const tokenSchema = z.object({ token: z.string() })
export const sessionSchema = z.object({ user, session: z.object({ id: idField, expiresAt: timeField }) }).nullable()

export const passwordChangeBody = z
  .object({ current_password: z.string().min(1).max(128), new_password: password })
  .meta({ title: 'PasswordChange' })
export const passwordResetAskBody = z.object({ email: z.email().max(254) }).meta({ title: 'PasswordResetAsk' })
export const passwordResetBody = z
  .object({ token: z.string().min(1).max(200), new_password: password })
  .meta({ title: 'PasswordReset' })
export const emailChangeBody = z
  .object({ password: z.string().min(1).max(128), new_email: z.email().max(254) })
  .meta({ title: 'EmailChange' })
export const emailConfirmBody = z
  .object({ new_email: z.email().max(254), token: z.string().min(1).max(200) })
  .meta({ title: 'EmailConfirm' })
export const newSessionSchema = z.object({
  token: z.string().describe('The one session that is left; also in set-auth-token.'),
})
/** One of the places where an account is signed in. */
export const openSessionSchema = z.object({
  id: idField,
  created_at: timeField,
  expires_at: timeField,
  user_agent: z.string().nullable(),
})
/** As better-auth has it; its token is never shown. */
export const storedSession = z.object({
  id: z.string(),
  token: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  userAgent: z.string().nullish(),
})

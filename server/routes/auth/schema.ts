import { z } from 'zod'
import { idField, timeField } from '../fields.ts'

const password = z.string().min(8).max(128)
export const signUpBody = z
  .object({ email: z.email().max(254), password, name: z.string().trim().min(1).max(200) })
  .meta({ title: 'SignUp' })
export const signInBody = z
  .object({ email: z.email().max(254), password: z.string().min(1).max(128) })
  .meta({ title: 'SignIn' })
const user = z.object({ id: idField, email: z.string(), name: z.string(), createdAt: timeField.optional() })
export const signedInSchema = z
  .object({ token: z.string().describe('The session; also in the header set-auth-token.'), user })
  .meta({ title: 'SignedIn' })
export const jwkSchema = z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string() })
export const signedOutSchema = z.object({ success: z.boolean() })
export const tokenSchema = z.object({ token: z.string() })
export const sessionSchema = z.object({ user, session: z.object({ id: idField, expiresAt: timeField }) }).nullable()

export const passwordChangeBody = z
  .object({ current_password: z.string().min(1).max(128), new_password: password })
  .meta({ title: 'PasswordChange' })
export const passwordChangedSchema = z.object({
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

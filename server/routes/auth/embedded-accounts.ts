import { randomUUID } from 'node:crypto'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import type { Database } from '../../../db/client.ts'
import * as login from '../../../db/schema/login.ts'
import type { EmbeddedAuthConfig } from '../../config.ts'
import { clientAddressHeader, withGeneration } from './handed-on.ts'
import { openOwnEndpoints } from './own-endpoints.ts'
import { createSigningKeys, keyAdapterOf, signingAlgorithm } from './signing-keys.ts'

/** Accounts kept in our own database: better-auth behind the few routes that we show. */
export type EmbeddedAccounts = {
  readonly handle: (request: Request) => Promise<Response>
  readonly publicKeys: () => Promise<JSONWebKeySet>
  /** For the verifier: our own public keys, read again when a token names one that is not known yet. */
  readonly keys: JWTVerifyGetKey
}

const tokenLifetime = '15m'
const sessionDays = 30
const loginGeneration = { type: 'number', required: false, input: false, returned: false } as const

export type PasswordHashing = {
  readonly hash: (password: string) => Promise<string>
  readonly verify: (kept: { readonly hash: string; readonly password: string }) => Promise<boolean>
}

/** Loaded only where accounts are embedded: better-auth takes seconds and memory that an outside issuer does not need. */
export async function openEmbeddedAccounts(
  db: Database,
  config: EmbeddedAuthConfig & { readonly secret: string },
  /** better-auth's scrypt if not given: dear on purpose. */
  hashing?: PasswordHashing,
): Promise<EmbeddedAccounts> {
  const [ownEndpoints, { betterAuth }, { drizzleAdapter }, { bearer }, { jwt }, { twoFactor }] = await Promise.all([
    openOwnEndpoints(db),
    import('better-auth/minimal'),
    import('better-auth/adapters/drizzle'),
    import('better-auth/plugins/bearer'),
    import('better-auth/plugins/jwt'),
    import('better-auth/plugins/two-factor'),
  ])
  const auth = betterAuth({
    appName: 'Exora',
    secret: config.secret,
    // Only ever used to build links and to check origins; requests reach it without cookies and without an origin.
    baseURL: 'http://exora.invalid',
    basePath: '/auth',
    database: drizzleAdapter(db.drizzle, {
      provider: 'pg',
      transaction: true,
      schema: {
        users: login.loginUsers,
        sessions: login.loginSessions,
        accounts: login.loginAccounts,
        verifications: login.loginVerifications,
        keys: login.loginKeys,
        twoFactors: login.loginTwoFactors,
      },
    }),
    user: { modelName: 'users' },
    session: {
      modelName: 'sessions',
      expiresIn: sessionDays * 86_400,
      updateAge: 86_400,
      additionalFields: { loginGeneration },
    },
    account: { modelName: 'accounts' },
    // Hashed, since whoever reads the table could use what stands there; a schedule removes what is over.
    verification: {
      modelName: 'verifications',
      storeIdentifier: 'hashed',
      disableCleanup: true,
      additionalFields: { loginGeneration },
    },
    // A session or a challenge that has been overtaken is not kept: a trigger of its table.
    databaseHooks: {
      session: { create: { before: withGeneration } },
      verification: { create: { before: withGeneration } },
    },
    // What the database met goes on as it is, and is told by our own log; better-auth would print it with its parameters.
    onAPIError: { throw: true },
    emailAndPassword: {
      enabled: true,
      autoSignIn: true,
      minPasswordLength: 8,
      maxPasswordLength: 128,
      ...(hashing === undefined ? {} : { password: hashing }),
    },
    // Ours count before it is asked, over all servers (server/plugins/request-limits); its own would be by server and path.
    rateLimit: { enabled: false },
    advanced: {
      database: { generateId: () => randomUUID(), validateSchema: false },
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      useSecureCookies: false,
    },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      ownEndpoints,
      // Attempts are counted by our own endpoint, before a code is looked at.
      twoFactor({ twoFactorTable: 'twoFactors', accountLockout: { enabled: false } }),
      jwt({
        disableSettingJwtHeader: true,
        jwks: { keyPairConfig: { alg: signingAlgorithm } },
        jwt: {
          issuer: config.issuer,
          audience: config.audience,
          expirationTime: tokenLifetime,
          definePayload: ({ user }) => ({ role: 'authenticated', email: user.email, name: user.name }),
        },
        schema: { jwks: { modelName: 'keys' } },
        adapter: keyAdapterOf(db),
      }),
      // Last: it tells the session that is left when the others are through.
      // Signed, so that what stands in the table of sessions opens nothing.
      bearer({ requireSignature: true }),
    ],
  })
  const keys = createSigningKeys(db)
  return { handle: (request) => auth.handler(request), publicKeys: keys.publicKeys, keys: keys.find }
}

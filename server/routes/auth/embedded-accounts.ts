import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, errors } from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import type { Database } from '../../../db/client.ts'
import * as login from '../../../db/schema/login.ts'
import { insertLoginKey, listLoginKeys } from '../../../db/queries/login-keys.ts'
import type { LoginKey } from '../../../db/queries/login-keys.ts'
import type { EmbeddedAuthConfig } from '../../config.ts'

/** Accounts kept in our own database: better-auth behind the few routes that we show. */
export type EmbeddedAccounts = {
  readonly handle: (request: Request) => Promise<Response>
  readonly publicKeys: () => Promise<JSONWebKeySet>
  /** For the verifier: our own public keys, read again when a token names one that is not known yet. */
  readonly keys: JWTVerifyGetKey
}

export const clientAddressHeader = 'x-exora-client-address'
const tokenLifetime = '15m'
const signingAlgorithm = 'ES256'
const sessionDays = 30

/** Loaded only where accounts are embedded: better-auth takes seconds and memory that an outside issuer does not need. */
export async function openEmbeddedAccounts(
  db: Database,
  config: EmbeddedAuthConfig & { readonly secret: string },
): Promise<EmbeddedAccounts> {
  const [{ betterAuth }, { drizzleAdapter }, { bearer }, { jwt }] = await Promise.all([
    import('better-auth/minimal'),
    import('better-auth/adapters/drizzle'),
    import('better-auth/plugins/bearer'),
    import('better-auth/plugins/jwt'),
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
      },
    }),
    user: { modelName: 'users' },
    session: { modelName: 'sessions', expiresIn: sessionDays * 86_400, updateAge: 86_400 },
    account: { modelName: 'accounts' },
    verification: { modelName: 'verifications' },
    emailAndPassword: { enabled: true, autoSignIn: true, minPasswordLength: 8, maxPasswordLength: 128 },
    rateLimit: {
      enabled: config.signInLimit === 'on',
      storage: 'memory',
      window: 60,
      max: 3_000,
      customRules: signInRules,
    },
    advanced: {
      database: { generateId: () => randomUUID(), validateSchema: false },
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      useSecureCookies: false,
    },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [
      bearer(),
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
        // The table holds keys of one algorithm only, so it has no columns for algorithm and curve.
        adapter: {
          getJwks: async () => (await listLoginKeys(db)).map(asSigningKey),
          createJwk: async (key) => asSigningKey(await insertLoginKey(db, key)),
        },
      }),
    ],
  })
  const publicKeys = async () => publicPartOf(await listLoginKeys(db))
  return { handle: (request) => auth.handler(request), publicKeys, keys: createKeyCache(publicKeys) }
}

function asSigningKey({ expiresAt, ...key }: LoginKey) {
  return { ...key, alg: signingAlgorithm, crv: 'P-256', ...(expiresAt === null ? {} : { expiresAt }) } as const
}

// By address and path, in the memory of one server: a second line. A whole hospital may be behind one address, so it is
// wide where countGuess and the budgets of all servers stand before it; better-auth's own three tries in ten seconds go.
const signInRules = {
  '/sign-in/email': { window: 60, max: 3_000 },
  '/sign-up/email': { window: 60, max: 3_000 },
  '/change-password': { window: 60, max: 3_000 },
}

function publicPartOf(keys: readonly { readonly id: string; readonly publicKey: string }[]): JSONWebKeySet {
  return {
    keys: keys.map((key) => ({ ...JSON.parse(key.publicKey), kid: key.id, alg: signingAlgorithm, use: 'sig' })),
  }
}

const rereadAfterMs = 500

/** A forged key id may not make every request read the table: it is read again at most twice a second. */
function createKeyCache(read: () => Promise<JSONWebKeySet>): JWTVerifyGetKey {
  let known: { readonly find: ReturnType<typeof createLocalJWKSet>; readonly readAt: number } | null = null
  const reread = async () => {
    known = { find: createLocalJWKSet(await read()), readAt: performance.now() }
    return known
  }
  return async (header, token) => {
    const current = known ?? (await reread())
    try {
      return await current.find(header, token)
    } catch (error) {
      const isStale = performance.now() - current.readAt > rereadAfterMs
      if (!(error instanceof errors.JWKSNoMatchingKey) || !isStale) throw error
      return await (await reread()).find(header, token)
    }
  }
}

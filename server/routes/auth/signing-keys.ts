import { createLocalJWKSet, errors } from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import type { Database } from '../../../db/client.ts'
import { insertLoginKey, listLoginKeys } from '../../../db/queries/login-keys.ts'
import type { LoginKey } from '../../../db/queries/login-keys.ts'

export const signingAlgorithm = 'ES256'

export type SigningKeys = {
  readonly publicKeys: () => Promise<JSONWebKeySet>
  /** Read again when a token names one that is not known yet. */
  readonly find: JWTVerifyGetKey
}

export function createSigningKeys(db: Database): SigningKeys {
  const publicKeys = async () => publicPartOf(await listLoginKeys(db))
  return { publicKeys, find: createKeyCache(publicKeys) }
}

/** For better-auth. The table holds keys of one algorithm only, so it has no columns for algorithm and curve. */
export const keyAdapterOf = (db: Database) => ({
  getJwks: async () => (await listLoginKeys(db)).map(asSigningKey),
  createJwk: async (key: Parameters<typeof insertLoginKey>[1]) => asSigningKey(await insertLoginKey(db, key)),
})

function asSigningKey({ expiresAt, ...key }: LoginKey) {
  return { ...key, alg: signingAlgorithm, crv: 'P-256', ...(expiresAt === null ? {} : { expiresAt }) } as const
}

function publicPartOf(keys: readonly { readonly id: string; readonly publicKey: string }[]): JSONWebKeySet {
  return {
    keys: keys.map((key) => ({ ...JSON.parse(key.publicKey), kid: key.id, alg: signingAlgorithm, use: 'sig' })),
  }
}

const rereadAfterMs = 500

type Known = { readonly find: ReturnType<typeof createLocalJWKSet>; readonly readAt: number }

/** Forged key ids may not make every request read the table: it is read again at most twice a second, for all together. */
export function createKeyCache(read: () => Promise<JSONWebKeySet>, now = () => performance.now()): JWTVerifyGetKey {
  let known: Known | null = null
  let reading: Promise<Known> | null = null
  const readOnce = async () => {
    known = { find: createLocalJWKSet(await read()), readAt: now() }
    return known
  }
  const reread = () => {
    reading ??= readOnce().finally(() => {
      reading = null
    })
    return reading
  }
  return async (header, token) => {
    const current = known ?? (await reread())
    try {
      return await current.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const latest = known ?? current
      const isStale = now() - latest.readAt > rereadAfterMs
      if (!isStale && latest === current) throw error
      return await (isStale ? await reread() : latest).find(header, token)
    }
  }
}

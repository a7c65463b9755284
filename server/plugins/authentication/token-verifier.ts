import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { uuidOfText } from '../../../platform/uuid.ts'
import type { AuthConfig } from '../../config.ts'
import { issuerUnavailable, unauthenticated } from '../errors.ts'

export type VerifiedToken = {
  readonly accountId: string
  readonly email: string | null
  readonly displayName: string | null
  readonly claims: Readonly<Record<string, unknown>>
  readonly expiresAt: Date
}
export type VerifyToken = (token: string) => Promise<VerifiedToken>

// A public key is never taken for a shared secret: each kind of key has its own closed list.
const publicKeyAlgorithms = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'EdDSA', 'Ed25519']
const clockToleranceS = 5
// Keys are asked for again when a token names one that is not known, but so seldom that forged names cost the issuer nothing.
const refetchAfterMs = 5_000
/** No answer; another status than 200 or no JSON, which have no code of their own; JSON that is no key set. */
const issuerFaults = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'])

/** Verifies tokens with the keys of the configured issuer; `embeddedKeys` are those of our own accounts. */
export function createTokenVerifier(config: AuthConfig, embeddedKeys: JWTVerifyGetKey | null): VerifyToken {
  const key = keyFor(config, embeddedKeys)
  const algorithms = config.kind === 'secret' ? ['HS256'] : config.kind === 'jwks' ? publicKeyAlgorithms : ['ES256']
  const options = {
    issuer: config.issuer,
    audience: config.audience,
    algorithms,
    clockTolerance: clockToleranceS,
    requiredClaims: ['sub', 'exp'],
  }
  return async (token) => {
    const { payload } = await jwtVerify(token, key, options).catch(refuse)
    return read(payload, config.issuer)
  }
}

function keyFor(config: AuthConfig, embeddedKeys: JWTVerifyGetKey | null): JWTVerifyGetKey {
  if (config.kind === 'jwks')
    return createRemoteJWKSet(new URL(config.jwksUrl), { timeoutDuration: 5_000, cooldownDuration: refetchAfterMs })
  if (config.kind === 'secret') {
    // Imported once: as bytes it would be made a key again for every request.
    const bytes = new TextEncoder().encode(config.secret)
    const secret = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
    return () => secret
  }
  if (embeddedKeys === null) throw new TypeError('embedded accounts need their keys')
  return embeddedKeys
}

// A bad token is the caller's; an issuer that does not answer, or answers with something else than keys, is not.
function refuse(error: unknown): never {
  if (!(error instanceof errors.JOSEError) || issuerFaults.has(error.code))
    throw issuerUnavailable({ cause: error, retryAfterMs: 2_000 })
  throw unauthenticated({ cause: error })
}

function read(payload: JWTPayload, issuer: string): VerifiedToken {
  const { sub, exp, role, email, name } = payload
  if (!sub || exp === undefined) throw unauthenticated()
  // Hosted platforms sign keys for `anon` and `service_role` with the same secret: those are nobody's account.
  if (role !== undefined && role !== 'authenticated') throw unauthenticated()
  return {
    accountId: accountIdOf(issuer, sub),
    email: typeof email === 'string' ? email : null,
    displayName: typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, 200) : null,
    claims: { iss: issuer, ...(typeof email === 'string' ? { email } : {}) },
    expiresAt: new Date(exp * 1000),
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The subject itself where it is a UUID, else a UUID (version 8, RFC 9562) made from issuer and subject. */
export function accountIdOf(issuer: string, subject: string): string {
  if (uuid.test(subject)) return subject.toLowerCase()
  return uuidOfText(JSON.stringify([issuer, subject]))
}

import { z } from 'zod'
import { commonEnv, ConfigurationError, flag, readEnv, wholeNumber, wordList } from '../platform/env.ts'
import type { EnvSource } from '../platform/env.ts'
import { tracingOf } from '../platform/tracing.ts'
import type { TracingConfig } from '../platform/tracing.ts'
import { protectionEnv, protectionOf } from './protection-config.ts'
import type { ProtectionConfig } from './protection-config.ts'

/** Who vouches for tokens: our own accounts, or an issuer outside, known by its keys or by a shared secret. */
export type AuthConfig = EmbeddedAuthConfig | JwksAuthConfig | SecretAuthConfig
type Pinned = { readonly issuer: string; readonly audience: string }
export type EmbeddedAuthConfig = Pinned & {
  readonly kind: 'embedded'
  /** Encrypts the signing keys; null = kept in a file of the data directory. Servers of one database share it. */
  readonly secret: string | null
}
type JwksAuthConfig = Pinned & { readonly kind: 'jwks'; readonly jwksUrl: string }
type SecretAuthConfig = Pinned & { readonly kind: 'secret'; readonly secret: string }

export type ServerConfig = {
  readonly environment: string
  readonly logLevel: string
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly databaseUrl: string | null
  readonly databaseDirectUrl: string | null
  readonly storageUrl: string | undefined
  readonly auth: AuthConfig
  readonly corsOrigins: readonly string[]
  /** Proxies in front of us whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: number
  readonly uploads: UploadLimits
  /** Of events: open on this server at once, and of them of one account. */
  readonly eventStreams: { readonly maxStreams: number; readonly maxPerAccount: number }
  readonly protection: ProtectionConfig
  /** Null: no traces. */
  readonly tracing: TracingConfig | null
}

export type UploadLimits = {
  readonly maxBytes: number
  /** Bodies being read at once; others wait unread, and past `maxWaiting` they are asked to come back. */
  readonly maxActive: number
  readonly maxWaiting: number
  readonly resumable: {
    /** How long an upload in pieces may take, from its creation. */
    readonly keepSeconds: number
    /** What one account may have begun and not ended; one alone may be of any size that a file may have. */
    readonly most: { readonly open: number; readonly openBytes: number }
  }
}

const bytesPerMb = 1_000_000

// `*` would be no list, `null` is the origin of every sandboxed page, and what has a path never equals an origin.
const areOrigins = (words: readonly string[]) =>
  words.every((word) => URL.canParse(word) && new URL(word).origin === word)

const serverEnv = commonEnv.extend({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber({ max: 65_535 }).default(8080),
  AUTH_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  AUTH_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().default('authenticated'),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  AUTH_SIGN_IN_LIMIT: flag().default(true),
  CORS_ORIGINS: wordList()
    .refine(areOrigins, 'must be origins such as https://app.example, without a path')
    .default([]),
  TRUSTED_PROXIES: wholeNumber({ max: 10 }).default(0),
  UPLOAD_MAX_MB: wholeNumber({ min: 1, max: 2_000 }).default(50),
  UPLOAD_MAX_ACTIVE: wholeNumber({ min: 1 }).default(256),
  UPLOAD_MAX_WAITING: wholeNumber().default(4_000),
  EVENT_STREAMS_MAX: wholeNumber({ min: 1 }).default(10_000),
  EVENT_STREAMS_PER_ACCOUNT: wholeNumber({ min: 1 }).default(50),
  UPLOAD_RESUMABLE_HOURS: wholeNumber({ min: 1, max: 168 }).default(24),
  UPLOAD_RESUMABLE_OPEN: wholeNumber({ min: 1, max: 10_000 }).default(50),
  UPLOAD_RESUMABLE_OPEN_MB: wholeNumber({ min: 1, max: 1_000_000 }).default(1_000),
  ...protectionEnv,
})

export function readServerConfig(source: EnvSource = process.env): ServerConfig {
  const env = readEnv(serverEnv, source)
  return {
    environment: env.APP_ENV,
    logLevel: env.LOG_LEVEL,
    host: env.HOST,
    port: env.PORT,
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL ?? null,
    databaseDirectUrl: env.DATABASE_DIRECT_URL ?? null,
    storageUrl: env.STORAGE_URL,
    auth: authOf(env),
    corsOrigins: env.CORS_ORIGINS,
    trustedProxies: env.TRUSTED_PROXIES,
    uploads: {
      maxBytes: env.UPLOAD_MAX_MB * bytesPerMb,
      maxActive: env.UPLOAD_MAX_ACTIVE,
      maxWaiting: env.UPLOAD_MAX_WAITING,
      resumable: {
        keepSeconds: env.UPLOAD_RESUMABLE_HOURS * 3_600,
        most: { open: env.UPLOAD_RESUMABLE_OPEN, openBytes: env.UPLOAD_RESUMABLE_OPEN_MB * bytesPerMb },
      },
    },
    eventStreams: { maxStreams: env.EVENT_STREAMS_MAX, maxPerAccount: env.EVENT_STREAMS_PER_ACCOUNT },
    protection: protectionOf(env),
    tracing: tracingOf(env),
  }
}

function authOf(env: z.output<typeof serverEnv>): AuthConfig {
  const { AUTH_JWKS_URL: jwksUrl, AUTH_JWT_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = env
  if (jwksUrl === undefined && secret === undefined)
    return { kind: 'embedded', issuer: issuer ?? 'exora', audience, secret: env.AUTH_SECRET ?? null }
  if (issuer === undefined)
    throw new ConfigurationError(
      'AUTH_ISSUER: must be set with AUTH_JWKS_URL or AUTH_JWT_SECRET, or any issuer would do',
    )
  if (jwksUrl !== undefined && secret !== undefined)
    throw new ConfigurationError('AUTH_JWKS_URL, AUTH_JWT_SECRET: set one of them, not both')
  return jwksUrl === undefined
    ? { kind: 'secret', secret: secret ?? '', issuer, audience }
    : { kind: 'jwks', jwksUrl, issuer, audience }
}

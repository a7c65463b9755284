import { availableParallelism, hostname } from 'node:os'
import { z } from 'zod'
import { jobLanes } from '../db/schema/queue.ts'
import type { JobLane } from '../db/schema/queue.ts'
import { commonEnv, ConfigurationError, flag, readEnv, wholeNumber, wordList } from '../platform/env.ts'
import type { EnvSource } from '../platform/env.ts'
import { ownVersion } from '../platform/own-version.ts'
import { tracingOf } from '../platform/tracing.ts'
import type { TracingConfig } from '../platform/tracing.ts'
import type { WebhookConfig } from '../platform/webhook.ts'
import { clamdAddressOf } from './providers/malware/clamd-address.ts'
import type { MalwareConfig } from './providers/malware/index.ts'

export type WorkerConfig = {
  readonly environment: string
  readonly logLevel: string
  readonly dataDir: string
  readonly databaseUrl: string | null
  readonly databaseDirectUrl: string | null
  readonly storageUrl: string | undefined
  readonly version: string
  readonly workerId: string
  readonly lanes: readonly JobLane[]
  readonly concurrency: number
  readonly maxBytesInFlight: number
  /** A port that somebody chose is a promise; the usual one may be taken by another worker of this machine. */
  readonly health: { readonly host: string; readonly port: number; readonly ifTaken: 'fail' | 'any_port' }
  readonly leaseMs: number
  readonly pollMs: number
  readonly drainMs: number
  /** Files with more pages are refused by the scan. */
  readonly maxPages: number
  readonly malware: MalwareConfig
  /** Set = the AI stages call this model; not set = the rules that come with us. */
  readonly openai: OpenAiConfig | null
  readonly aiUse: AiUseConfig
  /** Set = pages without a text layer are read by Google Vision. */
  readonly googleVision: GoogleVisionConfig | null
  /** Set = alerts are told here too. */
  readonly alertWebhook: WebhookConfig | null
  /** Set = it is told what holders of embedded accounts are to be sent; not set = files below the data directory. */
  readonly messageWebhook: WebhookConfig | null
  /** Null: no traces. */
  readonly tracing: TracingConfig | null
}

export type OpenAiConfig = { readonly apiKey: string; readonly baseUrl: string | undefined; readonly model: string }
/** How the model is used; see `HandlerDeps`. */
export type AiUseConfig = { readonly scope: 'whole' | 'unread'; readonly deidentify: boolean }
export type GoogleVisionConfig = {
  readonly apiKey: string
  readonly endpoint: VisionEndpoint | undefined
  readonly languages: readonly string[]
}
export type VisionEndpoint = { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' }

/** The rows of `api_rate_limits` that calls to Google Vision count against. */
export const visionLimit = { provider: 'google', endpoint: 'vision-api' } as const

const usualHealthPort = 10_000

const laneList = wordList()
  .pipe(z.array(z.enum(jobLanes)).min(1))
  .transform((lanes) => [...new Set(lanes)])

const languageTag = z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'must be tags of languages like "en"')

const workerEnv = commonEnv.extend({
  HOST: z.string().default('127.0.0.1'),
  HEALTH_CHECK_PORT: wholeNumber({ max: 65_535 }).optional(),
  WORKER_ID: z
    .string()
    .regex(/^[\w.:-]{1,80}$/, 'may have up to 80 letters, digits and . : _ -')
    .optional(),
  WORKER_LANES: laneList.default([...jobLanes]),
  WORKER_CONCURRENCY: wholeNumber({ min: 1, max: 1_000 }).optional(),
  WORKER_MAX_MB_IN_FLIGHT: wholeNumber({ min: 1, max: 100_000 }).default(256),
  WORKER_LEASE_SECONDS: wholeNumber({ min: 1, max: 600 }).default(8),
  WORKER_POLL_MS: wholeNumber({ min: 50, max: 60_000 }).default(1_000),
  WORKER_DRAIN_SECONDS: wholeNumber({ max: 3_600 }).default(20),
  UPLOAD_MAX_PAGES: wholeNumber({ min: 1, max: 10_000 }).default(500),
  CLAMD_HOST: z.string().optional().transform(clamdAddressIn),
  CLAMD_UNAVAILABLE: z.enum(['wait', 'take']).default('wait'),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  OPENAI_MODEL: z.string().default('gpt-4o-mini'),
  AI_SCOPE: z.enum(['whole', 'unread']).default('whole'),
  AI_DEIDENTIFY: flag().default(true),
  ALERT_WEBHOOK_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ALERT_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  MESSAGE_WEBHOOK_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  MESSAGE_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  GOOGLE_CLOUD_API_KEY: z.string().optional(),
  GOOGLE_VISION_ENDPOINT: z
    .string()
    .transform((text) => (text.includes('://') ? text : `https://${text}`))
    .pipe(z.url({ protocol: /^https?$/, error: 'must be a host, host:port or http(s) URL' }))
    .transform(visionEndpointOf)
    .optional(),
  GOOGLE_VISION_LANGUAGES: wordList()
    .pipe(z.array(languageTag))
    .transform((tags) => (tags.includes('auto') ? [] : tags))
    .default(['en']),
})

export function readWorkerConfig(source: EnvSource = process.env): WorkerConfig {
  const env = readEnv(workerEnv, source)
  return {
    environment: env.APP_ENV,
    logLevel: env.LOG_LEVEL,
    dataDir: env.DATA_DIR,
    databaseUrl: env.DATABASE_URL ?? null,
    databaseDirectUrl: env.DATABASE_DIRECT_URL ?? null,
    storageUrl: env.STORAGE_URL,
    version: ownVersion(),
    workerId: env.WORKER_ID ?? hostname(),
    lanes: env.WORKER_LANES,
    concurrency: env.WORKER_CONCURRENCY ?? availableParallelism(),
    maxBytesInFlight: env.WORKER_MAX_MB_IN_FLIGHT * 1024 * 1024,
    health: {
      host: env.HOST,
      port: env.HEALTH_CHECK_PORT ?? usualHealthPort,
      ifTaken: env.HEALTH_CHECK_PORT === undefined ? 'any_port' : 'fail',
    },
    leaseMs: env.WORKER_LEASE_SECONDS * 1_000,
    pollMs: env.WORKER_POLL_MS,
    drainMs: env.WORKER_DRAIN_SECONDS * 1_000,
    maxPages: env.UPLOAD_MAX_PAGES,
    malware: { clamd: env.CLAMD_HOST, ifUnavailable: env.CLAMD_UNAVAILABLE },
    openai: openAiOf(env),
    aiUse: { scope: env.AI_SCOPE, deidentify: env.AI_DEIDENTIFY },
    googleVision: googleVisionOf(env),
    tracing: tracingOf(env),
    alertWebhook:
      env.ALERT_WEBHOOK_URL === undefined
        ? null
        : { url: env.ALERT_WEBHOOK_URL, secret: env.ALERT_WEBHOOK_SECRET ?? null },
    messageWebhook: messageWebhookOf(env),
  }
}

type Env = z.infer<typeof workerEnv>

// A base URL alone is enough: servers of one's own often ask for no key.
function openAiOf(env: Env): OpenAiConfig | null {
  if (env.OPENAI_API_KEY === undefined && env.OPENAI_BASE_URL === undefined) return null
  return { apiKey: env.OPENAI_API_KEY ?? 'none', baseUrl: env.OPENAI_BASE_URL, model: env.OPENAI_MODEL }
}

function messageWebhookOf({ MESSAGE_WEBHOOK_URL: url, MESSAGE_WEBHOOK_SECRET: secret }: Env): WebhookConfig | null {
  if (url === undefined) return null
  if (secret === undefined)
    throw new ConfigurationError(
      'MESSAGE_WEBHOOK_SECRET: must be set with MESSAGE_WEBHOOK_URL, or anybody could have mail sent',
    )
  return { url, secret }
}

function clamdAddressIn(text: string | undefined, context: z.RefinementCtx): MalwareConfig['clamd'] {
  if (text === undefined) return null
  const address = clamdAddressOf(text)
  if (address === null) context.addIssue('must be a host, host:port or the path of a socket')
  return address
}

function googleVisionOf(env: Env): GoogleVisionConfig | null {
  if (env.GOOGLE_CLOUD_API_KEY === undefined) return null
  return {
    apiKey: env.GOOGLE_CLOUD_API_KEY,
    endpoint: env.GOOGLE_VISION_ENDPOINT,
    languages: env.GOOGLE_VISION_LANGUAGES,
  }
}

function visionEndpointOf(url: string): VisionEndpoint {
  const { hostname: host, port, protocol } = new URL(url)
  return protocol === 'http:'
    ? { host, port: Number(port || 80), protocol: 'http' }
    : { host, port: Number(port || 443), protocol: 'https' }
}

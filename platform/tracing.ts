import { createHash } from 'node:crypto'
import type { Attributes, Span, SpanKind } from '@opentelemetry/api'
import { z } from 'zod'

/**
 * Traces of OpenTelemetry. A trace is a correlation id: its id is computed from that, so that server, workers and whatever
 * else carries the correlation id agree on it without telling each other, and nothing is stored beside a job. Attributes
 * are ids, numbers and words of closed lists, never content or names.
 */
export type Tracing = {
  start(name: string, place: SpanPlace, attributes: Attributes): Span
  /** Sends what has ended; waits for no longer than a few seconds. */
  close(): Promise<void>
}

export type SpanPlace = {
  readonly kind: SpanKind
  readonly correlationId: string
  /** What it happens within: a span of this process, or the name of one of another process (see `knownAs`). */
  readonly within: Span | string | null
  /** A name that other processes know too, and that no two spans of a trace share: they begin theirs within it. */
  readonly knownAs?: string
}

export type TracingConfig = {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  /** Which share of the traces is sent; all spans of one are, or none. */
  readonly ratio: number
}

/** The names that OpenTelemetry has given them. */
export const tracingEnv = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^[^=,\s]+=[^,]+(,[^=,\s]+=[^,]+)*$/, 'must be name=value, separated by commas')
    .optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number({ error: 'must be a number' })
    .min(0, 'must be between 0 and 1')
    .max(1, 'must be between 0 and 1')
    .default(1),
}

type TracingEnv = z.infer<z.ZodObject<typeof tracingEnv>>

export function tracingOf(env: TracingEnv): TracingConfig | null {
  if (env.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return null
  const pairs = (env.OTEL_EXPORTER_OTLP_HEADERS ?? '').split(',').filter(Boolean)
  return {
    endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, ''),
    headers: Object.fromEntries(pairs.map((pair) => splitOnce(pair))),
    ratio: env.OTEL_TRACES_SAMPLER_ARG,
  }
}

function splitOnce(pair: string): readonly [string, string] {
  const at = pair.indexOf('=')
  return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]
}

export type TracedService = { readonly name: string; readonly environment: string }

export const traceIdOf = (correlationId: string): string => hexOf(correlationId, 32)
export const spanIdOf = (correlationId: string, knownAs: string): string => hexOf(`${correlationId}\n${knownAs}`, 16)

const hexOf = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)

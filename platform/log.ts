import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { AppError } from './errors.ts'

export type { Logger } from 'pino'

/**
 * Nothing clinical or personal reaches a log. Numbers and booleans pass; text passes only under a name that is known to
 * carry ids or words from closed lists; all other text is left out, whatever it says. Messages are constants.
 */
const namesOfSafeText = new Set([
  'event',
  'service',
  'environment',
  'version',
  'host',
  'address',
  'method',
  'route',
  'code',
  'outcome',
  'status',
  'state',
  'stage',
  'lane',
  'lanes',
  'slo',
  'job_type',
  'job_types',
  'provider',
  'model',
  'engine',
  'channel',
  'signal',
  'sqlstate',
  'constraint',
  'table',
  'type',
  'started_at',
  'finished_at',
])
const isSafeName = (name: string) => namesOfSafeText.has(name) || /(_id|_ids|Id|Ids|_at)$/.test(name)
const maxDepth = 3

export type LogOptions = {
  readonly level: string
  readonly service: string
  readonly destination?: DestinationStream
}

export function createLog(options: LogOptions): Logger {
  const log = pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      // Fields are made safe below, before any serializer; pino's own would let an error's message through.
      serializers: { err: (value: unknown) => value },
      formatters: { level: (label) => ({ level: label }), log: (fields) => keepSafe(fields) },
      hooks: {
        logMethod(args: readonly unknown[], method) {
          const [first, second] = args
          if (typeof first === 'string') method.call(this, {}, first)
          else method.call(this, fieldsOf(first), typeof second === 'string' ? second : '')
        },
      },
    },
    options.destination ?? pino.destination({ sync: false }),
  )
  return withSafeChildren(log)
}

/** pino would take the message of an error for the line's own. */
function fieldsOf(value: unknown): Record<string, unknown> {
  if (value instanceof Error) return { error: value }
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** What a child carries on every line passes no formatter of pino's. Children inherit from the logger they came from. */
function withSafeChildren(log: Logger): Logger {
  // oxlint-disable-next-line typescript/unbound-method -- each logger calls it as its own
  const makeChild = log.child
  return Object.defineProperty(log, 'child', {
    value(this: Logger, bindings: Readonly<Record<string, unknown>>) {
      return makeChild.call(this, keepSafe(bindings))
    },
  })
}

function keepSafe(fields: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const safe = safeValue(name, value, depth)
    if (safe !== undefined) kept[name] = safe
  }
  return kept
}

function safeValue(name: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return isSafeName(name) ? value.slice(0, 200) : undefined
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Error) return describeError(value)
  if (depth >= maxDepth || typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return value.map((item: unknown) => safeValue(name, item, depth + 1))
  return keepSafe({ ...value }, depth + 1)
}

/**
 * An error without its words: messages of databases, parsers and providers quote what they were given. What is left
 * (type, code, place in the code, the same of its causes) is enough to find the line.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const cause = error.cause !== undefined && depth < maxDepth ? { cause: describeError(error.cause, depth + 1) } : {}
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const own = error instanceof AppError ? { status: error.status, ...keepSafe(error.fields, 1) } : {}
  return { type: error.name, ...code, ...own, at: placesOf(error), ...cause }
}

function placesOf(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return lines.slice(0, 8).map((line) => line.trim().slice(3))
}

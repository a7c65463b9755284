import { z } from 'zod'
import { tracingEnv } from './tracing.ts'

export type EnvSource = Readonly<Record<string, string | undefined>>

/** Names every variable that is wrong, and never a value: values may be secrets. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/**
 * Reads the environment once, in `main`. Variables set to nothing count as not set; those the shape does not name are
 * ignored.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: z.ZodObject<Shape>,
  source: EnvSource = process.env,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''))
  const result = shape.safeParse(given)
  if (result.success) return result.data

  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'environment'}: ${issue.message}`)
  throw new ConfigurationError(`The configuration is not usable:\n${[...new Set(problems)].join('\n')}`)
}

/** Reads two configurations of one process; what is wrong in either is told at once. */
export function readBoth<First, Second>(first: () => First, second: () => Second): [First, Second] {
  const [one, two] = [attempt(first), attempt(second)]
  if (one.kind === 'read' && two.kind === 'read') return [one.value, two.value]
  const lines = [one, two].flatMap((outcome) => (outcome.kind === 'wrong' ? outcome.error.message.split('\n') : []))
  throw new ConfigurationError([...new Set(lines)].join('\n'))
}

type Attempt<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'wrong'; readonly error: ConfigurationError }

function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { kind: 'read', value: read() }
  } catch (error) {
    if (error instanceof ConfigurationError) return { kind: 'wrong', error }
    throw error
  }
}

/** `wholeNumber({ min: 1 }).default(8080)` */
export function wholeNumber(limits: { readonly min?: number; readonly max?: number } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits
  return z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`)
}

/** Words separated by commas. */
export function wordList() {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  )
}

/** `true/false`, `1/0`, `yes/no`, `on/off`. */
export function flag() {
  return z.stringbool({ error: 'must be true or false' })
}

const databaseUrl = () => z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })

/** What every process of ours reads; `DATABASE_URL` unset means the embedded database in `DATA_DIR`. */
export const commonEnv = z.object({
  APP_ENV: z.string().default('development'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  DATA_DIR: z.string().default('.exora'),
  DATABASE_URL: databaseUrl().optional(),
  DATABASE_DIRECT_URL: databaseUrl().optional(),
  STORAGE_URL: z
    .string()
    .regex(/^(file|s3):/, 'must start with file: or s3:')
    .optional(),
  ...tracingEnv,
})

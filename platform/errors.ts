import { STATUS_CODES } from 'node:http'

/** Beside the error's own fields: what went wrong underneath, and what its reader may be told. */
export type ErrorDetails = {
  readonly cause?: unknown
  /** A sentence that is safe to show a patient: no content, no ids of others. */
  readonly detail?: string
  /** When trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterMs?: number
  readonly [field: string]: unknown
}

/**
 * An error with a code that never changes. `title` and `detail` are public; `cause` and the other fields are for
 * the log, which keeps only those on its allow-list.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | null
  readonly retryAfterMs: number | null
  readonly fields: Readonly<Record<string, unknown>>

  constructor(kind: ErrorKind, details: ErrorDetails = {}) {
    const { cause, detail, retryAfterMs, ...fields } = details
    super(detail ?? kind.title, cause === undefined ? undefined : { cause })
    this.code = kind.code
    this.status = kind.status
    this.title = kind.title
    this.detail = detail ?? null
    this.retryAfterMs = retryAfterMs ?? null
    this.fields = fields
  }
}

export type ErrorKind = { readonly code: string; readonly status: number; readonly title: string }
export type ErrorFactory = ((details?: ErrorDetails) => AppError) & ErrorKind & { matches(error: unknown): boolean }

/** Defines an error beside its thrower: `throw quotaSpent({ limit, used })`, `if (quotaSpent.matches(error))`. */
export function defineError(code: string, status: number, title: string): ErrorFactory {
  const kind: ErrorKind = { code, status, title }
  return Object.assign((details?: ErrorDetails) => new AppError(kind, details), kind, {
    matches: (error: unknown) => error instanceof AppError && error.code === code,
  })
}

/** RFC 9457. */
export type Problem = {
  type: string
  /** The phrase of the status; `detail` says what happened, in a sentence that a patient may read. */
  title: string
  status: number
  detail: string
  code: string
  correlation_id: string
}

export const internalError = defineError('internal_error', 500, 'Something went wrong on our side.')

/** The public face of any error; what is not an `AppError` shows nothing of itself. */
export function problem(error: unknown, correlationId: string): Problem {
  const shown = error instanceof AppError ? error : internalError({ cause: error })
  return {
    type: 'about:blank',
    title: STATUS_CODES[shown.status] ?? 'Error',
    status: shown.status,
    detail: shown.detail ?? shown.title,
    code: shown.code,
    correlation_id: correlationId,
  }
}

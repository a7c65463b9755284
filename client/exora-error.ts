/** The members of a problem (RFC 9457) as the API answers it; docs/errors.md lists the codes. */
export type ProblemFields = {
  readonly code: string
  /** 0: no answer came. */
  readonly status: number
  /** Safe to show to a patient. */
  readonly detail: string
  readonly correlation_id: string | null
  readonly errors: readonly FieldError[]
  readonly limit: SpentLimit | null
  /** How long the server asked to wait; null where it asked for nothing. */
  readonly retryAfterMs: number | null
}
export type FieldError = { readonly path: string; readonly message: string }
export type SpentLimit = {
  readonly name: string
  readonly used: number
  readonly limit: number
  readonly resets_at: string | null
}

/** What a request ended with instead of an answer: a problem of the API, or `unreachable` or `unexpected_answer` of ours. */
export class ExoraError extends Error implements ProblemFields {
  override readonly name = 'ExoraError'
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly correlation_id: string | null
  readonly errors: readonly FieldError[]
  readonly limit: SpentLimit | null
  readonly retryAfterMs: number | null

  constructor(problem: ProblemFields, options?: ErrorOptions) {
    super(`${problem.code}${problem.status === 0 ? '' : ` (${problem.status})`}: ${problem.detail}`, options)
    this.code = problem.code
    this.status = problem.status
    this.detail = problem.detail
    this.correlation_id = problem.correlation_id
    this.errors = problem.errors
    this.limit = problem.limit
    this.retryAfterMs = problem.retryAfterMs
  }
}

const nothingMore = { errors: [], limit: null, retryAfterMs: null }

export function unreachable(cause: unknown): ExoraError {
  const detail = 'The server cannot be reached.'
  return new ExoraError({ ...nothingMore, code: 'unreachable', status: 0, detail, correlation_id: null }, { cause })
}

/** An answer that is no success, whoever gave it: a proxy in between knows nothing of problems. */
export function refusalOf(
  answer: { readonly status: number; readonly headers: { get(name: string): string | null } },
  text: string,
): ExoraError {
  const told = objectOf(text)
  const { code, detail, correlation_id: correlationId, errors, limit } = told
  return new ExoraError({
    code: typeof code === 'string' ? code : 'unexpected_answer',
    status: answer.status,
    detail: typeof detail === 'string' ? detail : `The server answered ${answer.status}.`,
    correlation_id: typeof correlationId === 'string' ? correlationId : answer.headers.get('x-correlation-id'),
    errors: Array.isArray(errors) ? errors.filter(isFieldError) : [],
    limit: isLimit(limit) ? limit : null,
    retryAfterMs: waitOf(answer.headers.get('retry-after')),
  })
}

/** RFC 9110: seconds, or a date. */
export function waitOf(retryAfter: string | null): number | null {
  if (retryAfter === null || retryAfter.trim() === '') return null
  const seconds = Number(retryAfter)
  const waitMs = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1_000
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs)
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const told: unknown = JSON.parse(text)
    return typeof told === 'object' && told !== null ? { ...told } : {}
  } catch {
    return {}
  }
}

const isFieldError = (value: unknown): value is FieldError =>
  typeof value === 'object' && value !== null && 'path' in value && 'message' in value
const isLimit = (value: unknown): value is SpentLimit =>
  typeof value === 'object' && value !== null && 'name' in value && 'used' in value && 'limit' in value

import { DrizzleQueryError } from 'drizzle-orm/errors'
import postgres from 'postgres'
import { AppError, defineError } from '../platform/errors.ts'
import type { ErrorFactory } from '../platform/errors.ts'

export const conflict = defineError('conflict', 409, 'This has already been done or changed by someone else.')
export const forbidden = defineError('forbidden', 403, 'You may not do this.')
export const accountClosed = defineError('account_closed', 401, 'This account was closed, and its data was erased.')
export const invalidRequest = defineError('invalid_request', 400, 'The request is not valid.')
export const databaseBusy = defineError('database_busy', 503, 'The service is busy. Please try again.')
export const databaseUnavailable = defineError('database_unavailable', 503, 'The service is not available right now.')
export const databaseRefused = defineError('database_refused', 500, 'Something went wrong on our side.')

/** What a unique, check or foreign key constraint means to its domain: `{ shell_files_content_idx: duplicate }`. */
export type ConstraintMeanings = Readonly<Record<string, ErrorFactory>>

/**
 * An error of ours for an error of the database, or null for any other. The messages of drizzle and of PostgreSQL
 * quote parameters and rows; they stop here, and only state, constraint, table and column go on as the cause.
 */
export function databaseError(error: unknown, meanings: ConstraintMeanings = {}): AppError | null {
  const isQuery = error instanceof DrizzleQueryError
  const cause: unknown = isQuery ? error.cause : error
  if (cause instanceof AppError) return cause
  if (cause instanceof postgres.PostgresError) return fromServer(cause, meanings)
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const isConnection = connectionCodes.has(code) || (isQuery && systemCodes.has(code))
  if (isConnection) return databaseUnavailable({ cause: new DatabaseFault(code), retryAfterMs })
  return isQuery ? databaseRefused({ cause: new DatabaseFault(code) }) : null
}

/** The part of a database error that says nothing about anybody. */
export class DatabaseFault extends Error {
  override readonly name = 'DatabaseFault'
  readonly code: string
  readonly constraint: string | null
  readonly table: string | null

  constructor(code: string, place: { constraint?: string | undefined; table?: string | undefined } = {}) {
    super(`database error ${code || 'without a code'}`)
    this.code = code
    this.constraint = place.constraint ?? null
    this.table = place.table ?? null
  }
}

const retryAfterMs = 1_000
const connectionCodes = new Set(['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'])
const systemCodes = new Set(
  'ECONNREFUSED ECONNRESET ECONNABORTED EHOSTUNREACH ENETUNREACH EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN'.split(' '),
)

function fromServer(error: postgres.PostgresError, meanings: ConstraintMeanings): AppError {
  const fault = new DatabaseFault(error.code, { constraint: error.constraint_name, table: error.table_name })
  const details = { cause: fault, sqlstate: error.code, constraint: fault.constraint }
  const meaning = fault.constraint === null ? undefined : meanings[fault.constraint]
  if (meaning !== undefined) return meaning(details)
  // Raised by our own functions: `raise sqlstate 'PT402' using message = <title>, hint = <code>`, as PostgREST has it.
  if (/^PT[45]\d\d$/.test(error.code)) return raisedByFunction(error, details)

  switch (error.code) {
    case '23505': // unique
    case '23P01': // exclusion
    case '23503': // foreign key: what it points at has gone, or is still pointed at
      return conflict(details)
    case '23514': // check
    case '23502': // not null
      return invalidRequest(details)
    case 'EX410': // raised by require_open_account
      return accountClosed(details)
    case '42501': // row level security, or a missing grant
      return forbidden(details)
    case '40001': // serialisation
    case '40P01': // deadlock
    case '55P03': // lock not available
    case '57014': // cancelled, also by statement_timeout
      return databaseBusy({ ...details, retryAfterMs })
  }
  switch (error.code.slice(0, 2)) {
    case '08': // connection
    case '57': // shutting down, starting up
    case '53': // out of connections, memory, disk
      return databaseUnavailable({ ...details, retryAfterMs })
    case '22': // a value that its type cannot take
      return invalidRequest(details)
    default:
      return databaseRefused(details)
  }
}

function raisedByFunction(
  error: postgres.PostgresError,
  details: { cause: DatabaseFault; sqlstate: string },
): AppError {
  const code = error.hint && /^[a-z][a-z0-9_]{2,60}$/.test(error.hint) ? error.hint : 'refused'
  return new AppError({ code, status: Number(error.code.slice(2)), title: error.message }, details)
}

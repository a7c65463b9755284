import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { databaseError } from '../../db/errors.ts'
import { AppError, internalError, problem } from '../../platform/errors.ts'
import type { Server } from '../types.ts'
import {
  headersTooLarge,
  invalidRequest,
  methodNotAllowed,
  notFound,
  requestTimeout,
  requestTooLarge,
  unsupportedMediaType,
} from './errors.ts'
import type { ProblemAnswer } from './problem-schema.ts'

/** The one place where an error becomes an answer and, if it is our fault, a line of the log. */
export function addProblems(app: Server): void {
  app.decorateRequest('errorCode', null)
  app.setErrorHandler(async (error, request, reply) => {
    const shown = asAppError(error)
    if (shown.status >= 500) request.log.error({ err: shown }, 'request failed')
    return await answerProblem(reply, shown, request)
  })
  app.setNotFoundHandler(async (request, reply) => await answerProblem(reply, notFound(), request))
}

export function answerProblem(reply: FastifyReply, error: AppError, request: FastifyRequest): FastifyReply {
  request.errorCode = error.code
  const { retryAfterMs } = error
  if (retryAfterMs !== null) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  if (error.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(problemOf(error, request.id))
}

/** `errors` and `limit` are the two members that we add to those of RFC 9457. */
export function problemOf(error: AppError, correlationId: string): ProblemAnswer {
  const { errors, limit } = error.fields
  return {
    ...problem(error, correlationId),
    ...(isFieldErrors(errors) ? { errors } : {}),
    ...(isLimit(limit) ? { limit } : {}),
  }
}

const isFieldErrors = (value: unknown): value is NonNullable<ProblemAnswer['errors']> => Array.isArray(value)
const isLimit = (value: unknown): value is NonNullable<ProblemAnswer['limit']> =>
  typeof value === 'object' && value !== null && 'used' in value && 'limit' in value

/** Anything that was thrown, as what its caller may be told; the rest of it stays in `cause`. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map((issue) => ({
      path: issue.instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: issue.message ?? 'is not valid',
    }))
    return invalidRequest({ errors, cause: error })
  }
  const fromDatabase = databaseError(error)
  if (fromDatabase !== null) return fromDatabase
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // Own names alone: a code may be `toString`.
  const known = Object.hasOwn(frameworkErrors, code) ? frameworkErrors[code] : undefined
  return known === undefined ? internalError({ cause: error }) : known(error)
}

// Codes of Fastify, of its multipart plugin and of Node's HTTP parser.
const frameworkErrors: Readonly<Record<string, (cause: unknown) => AppError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (cause) => requestTooLarge({ cause }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (cause) => unsupportedMediaType({ cause }),
  FST_INVALID_MULTIPART_CONTENT_TYPE: (cause) =>
    unsupportedMediaType({ cause, detail: 'Send the file as multipart/form-data.' }),
  FST_ERR_CTP_INVALID_JSON_BODY: (cause) => invalidRequest({ cause, detail: 'The body is not valid JSON.' }),
  FST_ERR_CTP_EMPTY_JSON_BODY: (cause) => invalidRequest({ cause, detail: 'The body is empty.' }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: (cause) => invalidRequest({ cause, detail: 'The body ended early.' }),
  FST_ERR_BAD_URL: (cause) => invalidRequest({ cause, detail: 'The address is not valid.' }),
  FST_ERR_METHOD_NOT_SUPPORTED: (cause) => methodNotAllowed({ cause }),
  HPE_HEADER_OVERFLOW: (cause) => headersTooLarge({ cause }),
  ERR_HTTP_REQUEST_TIMEOUT: (cause) => requestTimeout({ cause }),
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the problem that was answered, for the log and the metrics. */
    errorCode: string | null
  }
}

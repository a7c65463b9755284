import { defineError } from '../../platform/errors.ts'

export { conflict, forbidden, invalidRequest } from '../../db/errors.ts'

/** What any route may answer; errors of one resource are defined beside it. */
export const unauthenticated = defineError('unauthenticated', 401, 'Please sign in first.')
export const notFound = defineError('not_found', 404, 'There is nothing here, or nothing that you may see.')
export const methodNotAllowed = defineError('method_not_allowed', 405, 'That cannot be done here.')
export const requestTimeout = defineError('request_timeout', 408, 'The request took too long to arrive.')
export const requestTooLarge = defineError('request_too_large', 413, 'The request is too large.')
export const unsupportedMediaType = defineError(
  'unsupported_media_type',
  415,
  'The request has a form that is not understood here.',
)
export const headersTooLarge = defineError('headers_too_large', 431, 'The head of the request is too large.')
export const tooManyRequests = defineError('too_many_requests', 429, 'Too many requests in a short time.')
export const overloaded = defineError('overloaded', 503, 'We are very busy. Please try again in a moment.')
export const issuerUnavailable = defineError('issuer_unavailable', 503, 'Signing in cannot be checked right now.')

import { APIConnectionError, APIError } from 'openai'
import { AppError } from '../../../platform/errors.ts'
import { saidWith } from './limited-fetch.ts'
import { aiMisconfigured, aiQuotaSpent, aiRateLimited, aiRefused, aiTooLong, aiUnavailable } from './provider.ts'

/** Their errors may quote prompts, so of theirs only status and code are kept. */
export function translateError(error: unknown): AppError {
  const own = causedBy(error)
  if (own !== null) return own
  if (error instanceof APIConnectionError || !(error instanceof APIError)) return aiUnavailable()
  const { status, code, type, headers } = error
  return errorFor({ status, codes: [code, type], headers, text: `${saidWith(headers)} ${error.message}` })
}

/** An error that a service tells with the status of a good answer, as routers do once a model has begun. */
export function errorInBody(body: unknown, headers: Headers): AppError | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null
  const { error } = body
  if (typeof error !== 'object' || error === null) return null
  const code: unknown = 'code' in error ? error.code : null
  const status = Number(code)
  const text = 'message' in error ? String(error.message) : ''
  return errorFor({ status: status >= 400 && status < 600 ? status : 502, codes: [code], headers, text })
}

type Told = {
  readonly status: number | undefined
  readonly codes: readonly unknown[]
  readonly headers: Headers | undefined
  readonly text: string
}

const ofSpentBudget = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active'])
const tooLong =
  /context[_ ](?:length|window|size)|maximum context|max_tokens must be at least|(?:prompt|input) is too long/i
const tooLargeForLimit = /request too large|tokens_limit_reached/i

function errorFor({ status, codes, headers, text }: Told): AppError {
  const code = codes.find((each) => typeof each === 'string')
  const wait = retryAfterMs(headers)
  const told = { providerStatus: status, providerCode: code }
  // A spent budget is not a busy moment: waiting does not fill it, unless the service says for how long.
  if (codes.some((each) => typeof each === 'string' && ofSpentBudget.has(each))) return aiQuotaSpent(told)
  if (status === 402 && wait === null) return aiQuotaSpent(told)
  if (status === 413 || (status !== undefined && status >= 400 && tooLong.test(text))) return aiTooLong(told)
  // More than the account may ever ask at once: it would wait for ever.
  if (status === 429 && tooLargeForLimit.test(text)) return aiTooLong(told)
  if (status === 429 || status === 402) return aiRateLimited({ ...told, retryAfterMs: wait ?? defaultPauseMs })
  if (status === 401 || status === 403 || status === 404) return aiMisconfigured(told)
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409) return aiRefused(told)
  return aiUnavailable({ ...told, ...(wait === null ? {} : { retryAfterMs: wait }) })
}

/** An error of ours that a stream ended with; clients wrap it. */
function causedBy(error: unknown): AppError | null {
  if (error instanceof AppError) return error
  return error instanceof Error && error.cause !== undefined ? causedBy(error.cause) : null
}

/** What of a request a service does not know. */
export type RefusedPart = 'form' | 'tokens' | 'store'

const parts: readonly (readonly [RefusedPart, RegExp])[] = [
  ['tokens', /max_completion_tokens/],
  ['store', /['"`.\s]store['"`\s:,]/],
  ['form', /response[_ ]?formats?|json_schema|structured[_ ]outputs?|guided[_ ]?(?:json|grammar)/i],
]

/** null: it is not that. Some answer with 500 to what they do not know. */
export function refusedPart(error: unknown): RefusedPart | null {
  if (!(error instanceof APIError) || error.status === undefined) return null
  if (![400, 404, 422, 500, 501].includes(error.status)) return null
  const text = `${error.param ?? ''} ${saidWith(error.headers)} ${error.message}`
  return parts.find(([, pattern]) => pattern.test(text))?.[0] ?? null
}

const defaultPauseMs = 5_000

/** Seconds or a date, or the maker's own header in milliseconds. */
function retryAfterMs(headers: Headers | undefined): number | null {
  const precise = Number(headers?.get('retry-after-ms') ?? Number.NaN)
  if (Number.isFinite(precise)) return Math.max(0, precise)
  const told = headers?.get('retry-after') ?? null
  if (told === null) return null
  const seconds = Number(told)
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(told) - Date.now()
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}

import { APIConnectionError, APIError } from 'openai'
import { AppError } from '../../../platform/errors.ts'
import { aiMisconfigured, aiQuotaSpent, aiRateLimited, aiRefused, aiUnavailable } from './provider.ts'

/** Their errors may quote prompts, so of theirs only status and code are kept. */
export function translateError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof APIConnectionError || !(error instanceof APIError)) return aiUnavailable()
  const { status, code } = error
  const wait = retryAfterMs(error.headers)
  const told = { providerStatus: status, providerCode: code ?? undefined }
  // A spent budget is not a busy moment: waiting does not fill it.
  if (code === 'insufficient_quota' || status === 402) return aiQuotaSpent(told)
  if (status === 429) return aiRateLimited({ ...told, retryAfterMs: wait ?? defaultPauseMs })
  if (status === 401 || status === 403 || status === 404) return aiMisconfigured(told)
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409) return aiRefused(told)
  return aiUnavailable({ ...told, ...(wait === null ? {} : { retryAfterMs: wait }) })
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

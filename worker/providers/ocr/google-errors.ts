/**
 * What an error of Google's means for a job. Messages may quote the request or the answer: nothing but numbers goes on.
 */
import { z } from 'zod'
import type { AppError } from '../../../platform/errors.ts'
import { retryDelayMs } from './google-pause.ts'
import { ocrMisconfigured, ocrRateLimited, ocrRefused, ocrUnavailable } from './provider.ts'

const failureSchema = z.object({
  /** Of gRPC, also for answers over HTTP. */
  code: z.number().optional().catch(undefined),
  httpStatusCode: z.number().optional().catch(undefined),
  /** Of google.rpc.ErrorInfo, as in https://cloud.google.com/apis/design/errors#error_info. */
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,62}$/)
    .optional()
    .catch(undefined),
})

type Failure = {
  readonly code: number | undefined
  readonly status?: number | undefined
  readonly reason?: string | undefined
}

/** `askedForMs`: by Retry-After, which the error itself has lost. */
export function visionError(error: unknown, askedForMs: number | null): AppError {
  const { code, httpStatusCode, reason } = failureSchema.safeParse(error).data ?? {}
  const failure = { code, status: httpStatusCode, reason }
  return errorOf(failure, retryDelayMs(error) ?? askedForMs)
}

/** Of one picture inside an answer that is otherwise good. */
export function pictureError(code: number): AppError {
  return errorOf({ code }, null)
}

// A spent budget is not a busy moment: nobody should hammer on it, but an operator may mend it.
const billingPauseMs = 600_000
const defaultRetryMs = 30_000

function errorOf(failure: Failure, waitMs: number | null): AppError {
  const told = { providerStatus: failure.status, providerCode: failure.code }
  const kind = kindOf(failure)
  if (kind === 'busy') return ocrRateLimited({ ...told, retryAfterMs: waitMs ?? defaultRetryMs })
  if (kind === 'unpaid') return ocrUnavailable({ ...told, retryAfterMs: waitMs ?? billingPauseMs })
  if (kind === 'misconfigured') return ocrMisconfigured(told)
  if (kind === 'refused') return ocrRefused(told)
  return ocrUnavailable({ ...told, ...(waitMs === null ? {} : { retryAfterMs: waitMs }) })
}

type Kind = 'busy' | 'unpaid' | 'misconfigured' | 'refused' | 'away'

// https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto
const quotaReasons = new Set(['RATE_LIMIT_EXCEEDED', 'RESOURCE_QUOTA_EXCEEDED'])
const setUpReasons = /^(API_KEY|SERVICE|CONSUMER|ACCESS_TOKEN|CREDENTIALS|IAM|LOCATION|SECURITY_POLICY|USER_PROJECT)_/

/** The reason first: a wrong key comes as 400 and looks like a bad picture otherwise, a spent quota may come as 403. */
function kindOf({ code, status, reason = '' }: Failure): Kind {
  if (reason === 'BILLING_DISABLED') return 'unpaid'
  if (quotaReasons.has(reason)) return 'busy'
  if (status !== 503 && setUpReasons.test(reason)) return 'misconfigured'
  return (
    (status === undefined ? undefined : kindsOfStatus.get(status)) ?? kindsOfCode.get(code ?? unknownCode) ?? 'away'
  )
}

const unknownCode = 2

const kindsOfStatus = new Map<number, Kind>([
  [400, 'refused'],
  [401, 'misconfigured'],
  [403, 'misconfigured'],
  [404, 'misconfigured'],
  [405, 'misconfigured'],
  [408, 'away'],
  [409, 'away'],
  [413, 'refused'],
  [415, 'refused'],
  [422, 'refused'],
  [425, 'away'],
  [429, 'busy'],
  [499, 'away'],
])

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto; what is not named is a service away. */
const kindsOfCode = new Map<number, Kind>([
  [3, 'refused'],
  [5, 'misconfigured'],
  [7, 'misconfigured'],
  [8, 'busy'],
  [9, 'misconfigured'],
  [11, 'refused'],
  [12, 'misconfigured'],
  [16, 'misconfigured'],
])

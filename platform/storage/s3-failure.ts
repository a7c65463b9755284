import { AppError } from '../errors.ts'
import { StorageFault, comeBackMs, storageRefused, storageUnavailable } from './storage-fault.ts'

/** An error of ours for whatever a request to the store ended in. */
export function s3Failure(error: unknown): AppError {
  if (error instanceof AppError) return error
  const fault = new StorageFault(codeOf(error), statusOf(error))
  const cause = { cause: fault, storeStatus: fault.status }
  return isPassing(fault) ? storageUnavailable({ ...cause, retryAfterMs: comeBackMs }) : storageRefused(cause)
}

/** The object is missing; a missing bucket is another matter. */
export const isMissing = (error: unknown) => statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket'

export const isBehindEnd = (error: unknown) => statusOf(error) === 416

const passingStatuses = new Set([408, 429, 500, 502, 503, 504])
const networkCodes = 'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH'.split(' ')
const passingCodes = new Set([...networkCodes, 'TimeoutError', 'RequestTimeout', 'SlowDown', 'InternalError'])

const isPassing = ({ code, status }: StorageFault) =>
  passingCodes.has(code) || (status !== null && passingStatuses.has(status))

// The name of an error of S3 is the code in its answer; one of the network has a code of its own beside its name.
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return /^[A-Za-z0-9_.]{1,60}$/.test(code) ? code : 'unknown'
}

function statusOf(error: unknown): number | null {
  if (!(error instanceof Error) || !('$metadata' in error)) return null
  const { $metadata: metadata } = error
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null
}

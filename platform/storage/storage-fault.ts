import { defineError } from '../errors.ts'

export const storageUnavailable = defineError('storage_unavailable', 503, 'Files cannot be reached right now.')
export const storageRefused = defineError('storage_refused', 500, 'Something went wrong on our side.')

export const comeBackMs = 5_000

/**
 * What may be known of why a store failed. The SDK's own errors carry the request (key ids, signatures, session
 * tokens) and quote it in their messages, those of the file system name paths; they stop here.
 */
export class StorageFault extends Error {
  override readonly name = 'StorageFault'
  readonly code: string
  readonly status: number | null

  constructor(code: string, status: number | null) {
    super(`storage error ${code}`)
    this.code = code
    this.status = status
  }
}

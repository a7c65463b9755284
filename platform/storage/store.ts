import type { Readable } from 'node:stream'
import { defineError } from '../errors.ts'

export const fileTooLarge = defineError('file_too_large', 413, 'The file is larger than we can take.')
export const objectNotFound = defineError('object_not_found', 404, 'The stored file is not there.')

export type StoredObject = { readonly key: string; readonly sizeBytes: number; readonly modifiedAt: Date }
export type PutResult = { readonly key: string; readonly sha256: string; readonly sizeBytes: number }

export type PutLimits = {
  readonly maxBytes: number
  readonly signal?: AbortSignal
  /** From `newKey`, for whoever must know the place before the bytes are there; else it is allotted here. */
  readonly key?: string
}

/** Both ends included, as in HTTP. */
export type ByteRange = { readonly start: number; readonly end: number }

/** Where the bytes of documents lie. Keys say nothing; an object is never changed. */
export type Store = {
  /**
   * Streams the bytes in while hashing and counting. Until the promise resolves nobody can see the object; when it
   * rejects (source failed, too large, aborted) nothing is left.
   */
  put(source: AsyncIterable<Uint8Array>, limits: PutLimits): Promise<PutResult>
  /** Rejects with `objectNotFound` before any byte flows. */
  open(key: string, range?: ByteRange): Promise<{ readonly stream: Readable; readonly sizeBytes: number }>
  head(key: string): Promise<StoredObject | null>
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>
  /** All objects, in no order; for finding those that no row names. */
  list(): AsyncIterable<StoredObject>
  /** Removes what interrupted `put`s of dead processes left behind. */
  sweepTemporary(limits: { readonly olderThanMs: number }): Promise<{ readonly removed: number }>
}

import { createHash } from 'node:crypto'
import { sniffMimeType } from '../../../platform/sniff.ts'
import type { Store } from '../../../platform/storage/store.ts'
import { fileEmpty, fileTooLarge, unsupportedFileType } from './errors.ts'

export type ReceivedFile = {
  /** Null when the bytes were only looked at: the answer to this request is known already. */
  readonly storageKey: string | null
  readonly sha256: string
  readonly sizeBytes: number
  readonly mimeType: string
}

export type Receiving = {
  readonly store: Store
  readonly maxBytes: number
  readonly signal: AbortSignal
}

// As far into a file as its type may show itself: tar-like and PDF headers may stand behind junk.
const headBytes = 8_192

/** Streams a file into the store while hashing, counting and sniffing it; a wrong type stops it within its first bytes. */
export async function storeFile(source: AsyncIterable<Uint8Array>, receiving: Receiving): Promise<ReceivedFile> {
  const { store, maxBytes, signal } = receiving
  const type = watchType(source)
  const { key, sha256, sizeBytes } = await store.put(type.bytes, { maxBytes, signal })
  return { storageKey: key, sha256, sizeBytes, mimeType: type.found() }
}

/** The same without storing: enough to compare this upload with an earlier one under the same key. */
export async function inspectFile(
  source: AsyncIterable<Uint8Array>,
  limits: Omit<Receiving, 'store'>,
): Promise<ReceivedFile> {
  const hash = createHash('sha256')
  const type = watchType(source)
  let sizeBytes = 0
  for await (const chunk of type.bytes) {
    limits.signal.throwIfAborted()
    sizeBytes += chunk.byteLength
    if (sizeBytes > limits.maxBytes) throw fileTooLarge({ maxBytes: limits.maxBytes })
    hash.update(chunk)
  }
  return { storageKey: null, sha256: hash.digest('hex'), sizeBytes, mimeType: type.found() }
}

/** Passes the bytes on, having looked at the first of them. */
function watchType(source: AsyncIterable<Uint8Array>): {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly found: () => string
} {
  let mimeType: string | null = null
  const sniff = (head: readonly Uint8Array[]) => {
    mimeType = sniffMimeType(Buffer.concat(head))
    if (mimeType === null) throw unsupportedFileType()
  }
  async function* watched() {
    const head: Uint8Array[] = []
    let seenBytes = 0
    for await (const chunk of source) {
      if (mimeType === null) {
        head.push(chunk)
        seenBytes += chunk.byteLength
        if (seenBytes >= headBytes) sniff(head)
      }
      yield chunk
    }
    if (seenBytes === 0) throw fileEmpty()
    if (mimeType === null) sniff(head)
  }
  return {
    bytes: watched(),
    found: () => {
      if (mimeType === null) throw unsupportedFileType()
      return mimeType
    },
  }
}

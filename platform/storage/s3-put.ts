import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { keyFor } from './object-key.ts'
import { s3Failure } from './s3-failure.ts'
import { storageRefused } from './storage-fault.ts'
import { fileTooLarge } from './store.ts'
import type { PutLimits, PutResult } from './store.ts'

export type S3Place = { readonly client: S3Client; readonly bucket: string; readonly prefix: string }

// The smallest that S3 takes. An upload holds at most five of them in memory: four under way, one being filled.
const partBytes = 5 * 1024 * 1024
const partsAtOnce = 4

/**
 * What fits in one part is one request, sent once the source has ended; anything larger is a multipart upload. Neither
 * can be seen before its last request has been answered.
 *
 * Giving up goes through the source and not through `Upload.abort`, which rejects at once while requests are still
 * under way: one of them could make an object, or a part, that nobody knows of any more. `done` settles when all of
 * them have, and has then aborted the multipart upload.
 */
export async function putObject(
  place: S3Place,
  source: AsyncIterable<Uint8Array>,
  limits: PutLimits,
): Promise<PutResult> {
  const key = keyFor(limits.key)
  const target = { Bucket: place.bucket, Key: `${place.prefix}${key}` }
  const bytes = watch(source, limits)
  try {
    const params = { ...target, Body: Readable.from(bytes.passing()) }
    await new Upload({ client: place.client, params, partSize: partBytes, queueSize: partsAtOnce }).done()
    limits.signal?.throwIfAborted()
    const result = bytes.result()
    await requireSize(place, target, result.sizeBytes)
    return { key, ...result }
  } catch (error) {
    // A request that seems to have failed may have made the object all the same: its answer was lost.
    if (bytes.mayHaveBeenSent()) await place.client.send(new DeleteObjectCommand(target)).catch(() => {})
    const failure = bytes.failure()
    if (failure !== null) throw failure.reason
    limits.signal?.throwIfAborted()
    throw s3Failure(error)
  }
}

/** Hashes and counts what passes, and breaks off when it is too much or given up. */
function watch(source: AsyncIterable<Uint8Array>, { maxBytes, signal }: PutLimits) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let hasEnded = false
  // What comes back at the `yield` is the reader giving up, which is no failure of the source.
  let isWithReader = false
  let failure: { readonly reason: unknown } | null = null

  async function* passing() {
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted()
        sizeBytes += chunk.byteLength
        if (sizeBytes > maxBytes) throw fileTooLarge({ maxBytes })
        hash.update(chunk)
        isWithReader = true
        yield chunk
        isWithReader = false
      }
      signal?.throwIfAborted()
      hasEnded = true
    } catch (error) {
      if (!isWithReader) failure = { reason: error }
      throw error
    }
  }

  return {
    passing,
    failure: () => failure,
    mayHaveBeenSent: () => hasEnded || sizeBytes > partBytes,
    result: () => ({ sha256: hash.digest('hex'), sizeBytes }),
  }
}

type Target = { readonly Bucket: string; readonly Key: string }

// One small request against a store, or a proxy before it, that keeps other bytes than it was sent.
async function requireSize({ client }: S3Place, target: Target, sizeBytes: number): Promise<void> {
  const { ContentLength: storedBytes } = await client.send(new HeadObjectCommand(target))
  if (storedBytes !== sizeBytes) throw storageRefused({ sizeBytes, storedBytes })
}

import { ExoraError } from '../exora-error.ts'
import { createPatience, withRetries } from '../retries.ts'
import type { RetryPolicy } from '../retries.ts'
import { jsonOf } from '../transport.ts'
import type { CallOptions, Transport } from '../transport.ts'
import type { Upload, UploadAnswer } from '../types.ts'
import { newKey } from './new-key.ts'
import { createResumable } from './resumable.ts'
import type { Resumable } from './resumable.ts'
import { sendForm } from './send-form.ts'

/** A file of React Native: a place that its FormData reads by itself. */
export type NativeFile = { readonly uri: string; readonly name: string; readonly type: string }

export type UploadWithFile = Upload & {
  /** A File brings its name. Nothing is read into memory whole: in Node `openAsBlob` gives one of a path. */
  readonly file: Blob | NativeFile
  readonly filename?: string
  /** A second copy of bytes that this person already has; else the answer names the first. */
  readonly keep_both?: boolean
}

export type UploadOptions = CallOptions & {
  /** One of your own lets an upload be taken up again after the app itself was gone; made once per call, if left out. */
  readonly idempotencyKey?: string
  readonly onProgress?: (progress: UploadProgress) => void
}
/** What has left this machine. An attempt that is repeated begins anew. */
export type UploadProgress = { readonly sentBytes: number; readonly totalBytes: number }

/** When the way for bad connections is taken: each piece that has arrived stays. */
export type ResumableChoice = {
  readonly aboveBytes: number
  readonly afterBroken: number
  /** In one request. */
  readonly pieceBytes: number
}
export const usualResumable: ResumableChoice = { aboveBytes: 16e6, afterBroken: 2, pieceBytes: 4e6 }

export type Uploads = (upload: UploadWithFile, options?: UploadOptions) => Promise<UploadAnswer>

export function createUploads(transport: Transport, choice: Partial<ResumableChoice> = {}): Uploads {
  const { aboveBytes, afterBroken, pieceBytes } = { ...usualResumable, ...choice }
  // A server that has no such route is not asked for it with every file.
  let isOffered = true

  return async (upload, options = {}) => {
    const { signal } = options
    const patience = createPatience(oftener(transport.retries))
    const key = options.idempotencyKey ?? newKey()
    let broken = 0
    let resumable: Resumable | null = null
    const isLarge = 'size' in upload.file && upload.file.size > aboveBytes

    const resume = async () => {
      resumable ??= await createResumable(transport, { upload, key, pieceBytes, patience, ...options })
      return await resumable.finish()
    }
    const attempt = async (): Promise<UploadAnswer> => {
      let wasMissing = false
      if (isOffered && (isLarge || broken >= afterBroken)) {
        try {
          return await resume()
        } catch (error) {
          if (!isMissing(error)) throw error
          wasMissing = true
        }
      }
      try {
        const answer: UploadAnswer = await jsonOf(await sendForm(transport, { upload, key, ...options }))
        // The profile is there, so it was the route that is not.
        if (wasMissing) isOffered = false
        return answer
      } catch (error) {
        if (error instanceof ExoraError && error.status === 0) broken += 1
        throw error
      }
    }
    return await withRetries(attempt, { patience, repeat: 'always', signal })
  }
}

/** A person waits for a list, and puts the phone away after an upload. */
const oftener = (policy: RetryPolicy): RetryPolicy => ({ ...policy, attempts: 2 * policy.attempts - 1 })

/** The route is not there. A profile that is not there answers 404 too; then the form is refused like this as well. */
const isMissing = (error: unknown) => error instanceof ExoraError && (error.status === 404 || error.status === 405)

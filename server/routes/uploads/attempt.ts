import postgres from 'postgres'
import { z } from 'zod'
import type { Actor } from '../../../db/actor.ts'
import { databaseError } from '../../../db/errors.ts'
import type { UploadHold } from '../../../db/queries/resumable-uploads.ts'
import { registerShellFile } from '../../../db/queries/uploads.ts'
import { uuidV7 } from '../../../platform/uuid.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { RouteDeps } from '../../types.ts'
import { idempotencyInProgress, missingField } from './errors.ts'
import { cleanFilename, readFields } from './form.ts'
import type { FieldsSoFar, FilePart } from './form.ts'
import { abandonKey, earlierAnswerOf, hashRequest, keepClaim, lockSeconds, refuseOtherContent } from './key-claim.ts'
import type { Claim, EarlierAnswer } from './key-claim.ts'
import { mayUpload } from './may-upload.ts'
import { spentLimitOf } from './plan-limit.ts'
import { inspectFile, storeFile } from './receive-file.ts'
import type { ReceivedFile } from './receive-file.ts'
import type { Renewal } from './renewal.ts'
import type { UploadFields } from './schema.ts'

export type UploadAnswered = {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly shellFileId: string
  readonly kind: 'first' | 'replayed'
}

export type UploadRequest = {
  readonly actor: Actor
  /** From the header; the form may bring it instead, even behind the file. */
  readonly key: string | null
  /** By the declared length of the form, less what stands around the file; 0 where no length was declared. */
  readonly leastFileBytes: number
  readonly duplicates: 'refuse' | 'keep'
  readonly signal: AbortSignal
  /** The same for every try of an upload that goes on after a crash: what it held before is still its own. */
  readonly attemptToken: string
  /** The upload in pieces that is whole now: finished in the transaction that registers the file. */
  readonly resumable: UploadHold | null
}

const registeredSchema = z.object({
  outcome: z.enum(['created', 'duplicate']),
  shell_file_id: z.uuid(),
  response_status: z.int(),
  response_body: z.record(z.string(), z.unknown()),
})

/**
 * One upload from its first field to its answer. States: closed → opened (allowed, key held or answered before) →
 * received (bytes stored or only inspected) → settled; `undo` gives back whatever an attempt that did not settle holds.
 */
export class UploadAttempt {
  readonly #deps: RouteDeps
  readonly #request: UploadRequest
  #isOpen = false
  #claim: Claim | null = null
  #renewal: Renewal | null = null
  #earlier: EarlierAnswer | null = null
  #filename = 'document'
  #file: ReceivedFile | null = null
  /** The object belongs to a row now, or may belong to one. */
  #isObjectKept = false

  constructor(deps: RouteDeps, request: UploadRequest) {
    this.#deps = deps
    this.#request = request
  }

  /** The file has come. Where the fields before it say for whom, access and limits are settled before a byte is read. */
  async receive(file: FilePart, fields: FieldsSoFar): Promise<void> {
    if (fields.has('patient_id')) await this.#open(readFields(fields))
    this.#filename = file.filename
    const { store, config } = this.#deps
    const limits = { maxBytes: config.uploads.maxBytes, signal: this.#request.signal }
    this.#file =
      this.#earlier === null ? await storeFile(file.bytes, { store, ...limits }) : await inspectFile(file.bytes, limits)
  }

  async settle(fields: UploadFields): Promise<UploadAnswered> {
    await this.#open(fields)
    if (this.#file === null) throw missingField({ errors: [{ path: 'file', message: 'is required' }] })
    const requestHash = hashRequest(this.#file.sha256, fields, this.#request.duplicates)
    if (this.#earlier !== null) return this.#replay(this.#earlier, requestHash)
    return await this.#register(this.#file, fields, requestHash)
  }

  /** Leaves nothing behind; harmless after `settle`. */
  async undo(): Promise<void> {
    await this.#renewal?.stop()
    const { db, store } = this.#deps
    const storageKey = this.#isObjectKept ? null : (this.#file?.storageKey ?? null)
    const claim = this.#claim
    this.#claim = null
    await Promise.all([
      storageKey === null ? null : store.delete(storageKey),
      claim === null ? null : abandonKey(db, this.#request.actor, claim),
    ])
  }

  // A second call does only what the first could not: claim a key that came behind the file.
  async #open(fields: UploadFields): Promise<void> {
    const key = this.#request.key ?? fields.idempotency_key ?? null
    const isKeyPending = key !== null && this.#claim === null && this.#earlier === null
    if (this.#isOpen && !isKeyPending) return
    const { db } = this.#deps
    const { actor, leastFileBytes, attemptToken } = this.#request
    const profileId = fields.patient_id
    const claim = key === null ? null : { profileId, key, attemptToken }

    // Before it is asked for: when the answer is lost, the key may be ours all the same.
    this.#claim = claim
    const answer = await mayUpload(db, actor, {
      patientId: profileId,
      sizeBytes: this.#file?.sizeBytes ?? leastFileBytes,
      estimatedPages: fields.estimated_pages ?? 1,
      claim: claim === null ? null : { ...claim, lockSeconds },
    })
    this.#earlier = earlierAnswerOf(answer)
    this.#isOpen = true
    if (this.#earlier !== null) this.#claim = null
    else if (claim !== null) this.#renewal = keepClaim(db, actor, claim)
  }

  #replay(earlier: EarlierAnswer, requestHash: string): UploadAnswered {
    refuseOtherContent(earlier, requestHash)
    const { response_status: status, response_body: body } = earlier
    return { status, body, shellFileId: body.shell_file_id, kind: 'replayed' }
  }

  async #register(file: ReceivedFile, fields: UploadFields, requestHash: string): Promise<UploadAnswered> {
    await this.#renewal?.stop()
    const { actor, duplicates, resumable } = this.#request
    const registration = {
      shellFileId: uuidV7(),
      patientId: fields.patient_id,
      filename: fields.filename === undefined ? this.#filename : cleanFilename(fields.filename),
      mimeType: file.mimeType,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
      storageKey: file.storageKey ?? '',
      estimatedPages: fields.estimated_pages ?? 1,
      documentDate: fields.document_date ?? null,
      note: fields.note ?? null,
      duplicates,
      idempotency: this.#claim === null ? null : { ...this.#claim, requestHash },
      resumable,
    }
    this.#request.signal.throwIfAborted()
    const answer = await registerShellFile(this.#deps.db, actor, registration)
      .catch((error: unknown) => this.#keepWhenUnsure(error))
      .catch(
        raisedAs({
          [raised.planLimitReached]: spentLimitOf,
          [raised.attemptTakenOver]: () => idempotencyInProgress({ retryAfterMs: 2_000 }),
        }),
      )
    this.#claim = null
    // Committed. Whatever it answered, only what is surely another document's row leaves this object to nobody.
    this.#isObjectKept = true
    const registered = registeredSchema.parse(answer)
    this.#isObjectKept = registered.shell_file_id === registration.shellFileId
    const { response_status: status, response_body: body, shell_file_id: shellFileId } = registered
    return { status, body, shellFileId, kind: 'first' }
  }

  // Only a no of the database itself is sure: else nobody knows whether the transaction was committed. An object without
  // a row costs space; a row without its object is a lost document.
  #keepWhenUnsure(error: unknown): never {
    const isSure = error instanceof postgres.PostgresError && databaseError(error)?.code !== 'database_unavailable'
    if (!isSure) this.#isObjectKept = true
    throw error
  }
}

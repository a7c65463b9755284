import { sql } from 'drizzle-orm'
import { callAsActor } from '../actor.ts'
import type { Actor, Tx } from '../actor.ts'
import type { Database } from '../client.ts'
import type { UploadHold } from './resumable-uploads.ts'

// The functions decide in one statement each; what they answer is jsonb and parsed by the reader.

export type KeyClaim = {
  readonly profileId: string
  readonly key: string
  readonly attemptToken: string
  readonly lockSeconds: number
}

export type Opening = {
  readonly patientId: string
  readonly sizeBytes: number
  readonly estimatedPages: number
  readonly claim: Omit<KeyClaim, 'profileId'> | null
}

/** Before the bytes of an upload: access, its key, its limits. */
export async function openUpload(db: Database, actor: Actor, upload: Opening): Promise<unknown> {
  const { patientId, sizeBytes, estimatedPages, claim } = upload
  return await callAsActor(
    db,
    actor,
    (call) => call`public.open_upload(
      ${patientId}::uuid, ${sizeBytes}::bigint, ${estimatedPages}::int,
      ${claim?.key ?? null}::text, ${claim?.attemptToken ?? null}::uuid, ${claim?.lockSeconds ?? null}::int
    )`,
  )
}

export async function beginIdempotentRequest(tx: Tx, claim: KeyClaim): Promise<unknown> {
  const [row] = await tx.execute<{ answer: unknown }>(sql`
    select public.begin_idempotent_request(
      ${claim.profileId}::uuid, ${claim.key}, ${claim.attemptToken}::uuid, ${claim.lockSeconds}::int
    ) as answer`)
  return row?.answer
}

/** Frees a key whose attempt came to nothing; without effect on one that was completed or taken over. */
export async function abandonIdempotentRequest(tx: Tx, claim: Omit<KeyClaim, 'lockSeconds'>): Promise<void> {
  await tx.execute(
    sql`select public.abandon_idempotent_request(${claim.profileId}::uuid, ${claim.key}, ${claim.attemptToken}::uuid)`,
  )
}

export type Registration = {
  readonly shellFileId: string
  readonly patientId: string
  readonly filename: string
  readonly mimeType: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly storageKey: string
  readonly estimatedPages: number
  readonly documentDate: string | null
  readonly note: string | null
  readonly duplicates: 'refuse' | 'keep'
  readonly idempotency: { readonly key: string; readonly attemptToken: string; readonly requestHash: string } | null
  /** The upload in pieces that is whole now. */
  readonly resumable: UploadHold | null
}

/** One transaction for everything that an upload changes: file, stages, usage, audit, job and the answer under its key. */
export async function registerShellFile(db: Database, actor: Actor, file: Registration): Promise<unknown> {
  return await callAsActor(
    db,
    actor,
    (call) => call`public.register_shell_file(
      p_shell_file_id => ${file.shellFileId}::uuid,
      p_patient_id => ${file.patientId}::uuid,
      p_filename => ${file.filename}::text,
      p_mime_type => ${file.mimeType}::text,
      p_size_bytes => ${file.sizeBytes}::bigint,
      p_sha256 => ${file.sha256}::text,
      p_storage_key => ${file.storageKey}::text,
      p_estimated_pages => ${file.estimatedPages}::int,
      p_document_date => ${file.documentDate}::date,
      p_note => ${file.note}::text,
      p_keep_both => ${file.duplicates === 'keep'}::boolean,
      p_idempotency_key => ${file.idempotency?.key ?? null}::text,
      p_attempt_token => ${file.idempotency?.attemptToken ?? null}::uuid,
      p_request_hash => ${file.idempotency?.requestHash ?? null}::text,
      p_correlation_id => ${actor.correlationId}::text,
      p_resumable_upload_id => ${file.resumable?.uploadId ?? null}::uuid,
      p_lock_token => ${file.resumable?.lockToken ?? null}::uuid
    )`,
  )
}

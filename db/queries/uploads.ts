import { sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'

// The functions decide in one statement each; what they answer is jsonb and parsed by the reader.

export type KeyClaim = {
  readonly profileId: string
  readonly key: string
  readonly attemptToken: string
  readonly lockSeconds: number
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
  readonly correlationId: string
}

/** One transaction for everything that an upload changes: file, stages, usage, audit, job and the answer under its key. */
export async function registerShellFile(tx: Tx, file: Registration): Promise<unknown> {
  const [row] = await tx.execute<{ answer: unknown }>(sql`
    select public.register_shell_file(
      p_shell_file_id => ${file.shellFileId}::uuid,
      p_patient_id => ${file.patientId}::uuid,
      p_filename => ${file.filename},
      p_mime_type => ${file.mimeType},
      p_size_bytes => ${file.sizeBytes}::bigint,
      p_sha256 => ${file.sha256},
      p_storage_key => ${file.storageKey},
      p_estimated_pages => ${file.estimatedPages}::int,
      p_document_date => ${file.documentDate}::date,
      p_note => ${file.note},
      p_keep_both => ${file.duplicates === 'keep'}::boolean,
      p_idempotency_key => ${file.idempotency?.key ?? null},
      p_attempt_token => ${file.idempotency?.attemptToken ?? null}::uuid,
      p_request_hash => ${file.idempotency?.requestHash ?? null},
      p_correlation_id => ${file.correlationId}
    ) as answer`)
  return row?.answer
}

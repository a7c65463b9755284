import { sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'

// What the functions answer is jsonb and parsed by the reader.

export type NewResumableUpload = {
  readonly uploadId: string
  readonly patientId: string
  readonly sizeBytes: number
  readonly filename: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly duplicates: 'refuse' | 'keep'
  readonly keepSeconds: number
  /** Uploads of the account that are begun and not ended, this one included. */
  readonly most: { readonly open: number; readonly openBytes: number }
}
/** An upload as one request holds it. */
export type UploadHold = { readonly uploadId: string; readonly lockToken: string }

/** Until when pieces may be added. */
export async function beginResumableUpload(tx: Tx, upload: NewResumableUpload): Promise<Date> {
  const [row] = await tx.execute<{ expires_at: string }>(sql`
    select public.begin_resumable_upload(
      ${upload.uploadId}::uuid, ${upload.patientId}::uuid, ${upload.sizeBytes}::bigint, ${upload.filename},
      ${JSON.stringify(upload.fields)}::text::jsonb, ${upload.duplicates === 'keep'}::boolean, ${upload.keepSeconds}::int,
      ${upload.most.open}::int, ${upload.most.openBytes}::bigint
    ) as expires_at`)
  if (row === undefined) throw new Error('begin_resumable_upload answered nothing')
  return new Date(row.expires_at)
}

export async function findResumableUpload(tx: Tx, uploadId: string): Promise<unknown> {
  const [row] = await tx.execute<{ upload: unknown }>(
    sql`select public.find_resumable_upload(${uploadId}::uuid) as upload`,
  )
  return row?.upload ?? null
}

/** Where the next piece is to be put; null while another request has the upload. */
export async function holdResumableUpload(tx: Tx, { uploadId, lockToken }: UploadHold): Promise<string | null> {
  const [row] = await tx.execute<{ key: string | null }>(
    sql`select public.hold_resumable_upload(${uploadId}::uuid, ${lockToken}::uuid) as key`,
  )
  return row?.key ?? null
}

export async function releaseResumableUpload(tx: Tx, { uploadId, lockToken }: UploadHold): Promise<void> {
  await tx.execute(sql`select public.release_resumable_upload(${uploadId}::uuid, ${lockToken}::uuid)`)
}

/** Counts what lies under the key that was given last; returns the key of the next piece. */
export async function addResumablePiece(
  tx: Tx,
  { uploadId, lockToken }: UploadHold,
  piece: { readonly offset: number; readonly sizeBytes: number },
): Promise<string> {
  const [row] = await tx.execute<{ key: string }>(sql`
    select public.add_resumable_piece(
      ${uploadId}::uuid, ${lockToken}::uuid, ${piece.offset}::bigint, ${piece.sizeBytes}::bigint
    ) as key`)
  if (row === undefined) throw new Error('add_resumable_piece answered nothing')
  return row.key
}

export async function finishResumableUpload(tx: Tx, { uploadId, lockToken }: UploadHold, body: unknown): Promise<void> {
  await tx.execute(sql`
    select public.finish_resumable_upload(${uploadId}::uuid, ${lockToken}::uuid, ${JSON.stringify(body)}::text::jsonb)`)
}

export async function cancelResumableUpload(tx: Tx, uploadId: string): Promise<boolean> {
  const [row] = await tx.execute<{ gone: boolean }>(
    sql`select public.cancel_resumable_upload(${uploadId}::uuid) as gone`,
  )
  return row?.gone === true
}

/** Services only. Their pieces are then listed for deletion. */
export async function deleteExpiredResumableUploads(tx: Tx, limit: number): Promise<number> {
  const rows = await tx.execute(sql`
    with expired as materialized (
      select id
      from public.resumable_uploads
      where expires_at <= now()
        and (locked_until is null or locked_until <= now())
      order by expires_at
      limit ${limit}
      for update skip locked
    )
    delete from public.resumable_uploads as upload
    using expired
    where upload.id = expired.id
    returning 1 as gone`)
  return rows.length
}

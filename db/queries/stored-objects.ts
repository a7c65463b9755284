import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

const keyRow = z.object({ storage_key: z.string() })

/** Those of these objects that no row names, be it a document, an export, a piece of an upload or the list of what goes. */
export async function unclaimedObjects(tx: Tx, storageKeys: readonly string[]): Promise<string[]> {
  const keys = JSON.stringify(storageKeys)
  const rows = await tx.execute(sql`
    select object.storage_key
    from jsonb_array_elements_text(${keys}::text::jsonb) as object (storage_key)
    where not exists (select from public.shell_files as file where file.storage_key = object.storage_key)
      and not exists (select from public.data_exports as export where export.storage_key = object.storage_key)
      and not exists (select from public.page_pictures as picture where picture.storage_key = object.storage_key)
      and not exists (select from public.erased_objects as erased where erased.storage_key = object.storage_key)
      and not exists (select from public.resumable_uploads as upload where object.storage_key = any (upload.pieces))`)
  return rows.map((row) => keyRow.parse(row).storage_key)
}

const fileRow = z.object({ id: z.string(), storage_key: z.string(), is_known_missing: z.boolean() })
export type FileObject = z.output<typeof fileRow>

/** In the order of their ids. */
export async function listFileObjects(tx: Tx, afterId: string | null, limit: number): Promise<FileObject[]> {
  const rows = await tx.execute(sql`
    select
      file.id,
      file.storage_key,
      exists (
        select from public.processing_errors as known
        where known.shell_file_id = file.id and known.stage = 'storage' and known.error_code = 'object_not_found'
      ) as is_known_missing
    from public.shell_files as file
    where ${afterId}::uuid is null or file.id > ${afterId}::uuid
    order by file.id
    limit ${limit}`)
  return rows.map((row) => fileRow.parse(row))
}

/** Says so once, among the errors of the document; false when it is known, or the document is gone as well. */
export async function noteMissingObject(tx: Tx, shellFileId: string): Promise<boolean> {
  const rows = await tx.execute(sql`
    insert into public.processing_errors
      (shell_file_id, patient_id, stage, error_type, error_code, error_message, retry_count)
    select file.id, file.patient_id, 'storage', 'permanent', 'object_not_found', 'The stored file is not there.', 0
    from public.shell_files as file
    where file.id = ${shellFileId}::uuid
      and not exists (
        select from public.processing_errors as known
        where known.shell_file_id = file.id and known.stage = 'storage' and known.error_code = 'object_not_found'
      )
    returning 1 as noted`)
  return rows.length > 0
}

/** The bytes are back. */
export async function forgetMissingObject(tx: Tx, shellFileId: string): Promise<void> {
  await tx.execute(sql`
    delete from public.processing_errors as known
    where known.shell_file_id = ${shellFileId}::uuid and known.stage = 'storage' and known.error_code = 'object_not_found'`)
}

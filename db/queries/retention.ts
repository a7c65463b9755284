import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

// How long rows are kept is said by `retention_rules`; nothing here knows a number of days.

const deletedRow = z.object({ deleted: z.number() })

/** Deletes what its days are over for; returns how much of the table with the most, so that a full batch shows. */
export async function applyRetention(tx: Tx, limit: number): Promise<number> {
  const rows = await tx.execute(sql`select deleted from public.apply_retention(${limit}::int)`)
  return Math.max(0, ...rows.map((row) => deletedRow.parse(row).deleted))
}

const countRow = z.object({ count: z.number() })

/** Sessions and proofs of the embedded login that are past their time. */
export async function deleteExpiredLogins(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.delete_expired_logins(${limit}::int) as count`)
  return countRow.parse(row).count
}

/** Completed and cancelled jobs; dead letters stay. */
export async function deleteFinishedJobs(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.delete_finished_jobs(p_limit => ${limit}::int) as count`)
  return countRow.parse(row).count
}

/** Erases documents whose days in the bin are over; their bytes are listed for deletion. */
export async function purgeDeletedFiles(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.purge_deleted_files(${limit}::int) as count`)
  return countRow.parse(row).count
}

const objectRow = z.object({ storage_key: z.string() })

/** Bytes whose document is erased, oldest first; never those that a document names. */
export async function listErasedObjects(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tx.execute(sql`
    select object.storage_key
    from public.erased_objects as object
    where not exists (select from public.shell_files as file where file.storage_key = object.storage_key)
    order by object.erased_at, object.storage_key
    limit ${limit}`)
  return rows.map((row) => objectRow.parse(row).storage_key)
}

/** Once the store has deleted them. */
export async function forgetErasedObjects(tx: Tx, storageKeys: readonly string[]): Promise<void> {
  const keys = JSON.stringify(storageKeys)
  await tx.execute(
    sql`select public.forget_erased_objects(array(select jsonb_array_elements_text(${keys}::text::jsonb)))`,
  )
}

/** Months of the log whose years are over; returns how many were dropped. */
export async function dropOldAuditPartitions(tx: Tx): Promise<number> {
  const rows = await tx.execute(sql`select public.drop_old_audit_partitions()`)
  return rows.length
}

import { desc, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { dataExports, exportStatuses } from '../schema/privacy.ts'

export type DataExport = typeof dataExports.$inferSelect

const idRow = z.object({ id: z.uuid() })

/** Refused to whoever may not decide for the person. While one is being made, that one is given. */
export async function requestDataExport(tx: Tx, profileId: string): Promise<DataExport> {
  const [row] = await tx.execute(sql`select public.request_data_export(${profileId}::uuid) as id`)
  const made = await findDataExport(tx, idRow.parse(row).id)
  if (made === null) throw new Error('an export was requested but cannot be seen')
  return made
}

export async function findDataExport(tx: Tx, exportId: string): Promise<DataExport | null> {
  const [found] = await tx.select().from(dataExports).where(eq(dataExports.id, exportId))
  return found ?? null
}

/** Newest first. */
export async function listDataExports(tx: Tx, profileId: string): Promise<DataExport[]> {
  return await tx
    .select()
    .from(dataExports)
    .where(eq(dataExports.patientId, profileId))
    .orderBy(desc(dataExports.requestedAt), desc(dataExports.id))
    .limit(100)
}

const openedRow = z.object({
  status: z.enum(exportStatuses),
  storage_key: z.string().nullable(),
  size_bytes: z.coerce.number().nullable(),
  sha256: z.string().nullable(),
  ready_at: z.coerce.date().nullable(),
})

/** For fetching it, which is audited. Raises when there is none for this account to fetch. */
export async function openDataExport(tx: Tx, exportId: string): Promise<z.infer<typeof openedRow>> {
  const [row] = await tx.execute(
    sql`select status, storage_key, size_bytes, sha256, ready_at from public.open_data_export(${exportId}::uuid)`,
  )
  return openedRow.parse(row)
}

const begunRow = z.object({
  patient_id: z.uuid(),
  requested_by: z.uuid().nullable(),
  earlier_storage_key: z.string().nullable(),
})
export type BegunExport = {
  readonly patientId: string
  readonly requestedBy: string | null
  /** Of an attempt that did not come to its end. */
  readonly earlierStorageKey: string | null
}

/** Null when nobody waits for it any more. */
export async function beginDataExport(tx: Tx, exportId: string, storageKey: string): Promise<BegunExport | null> {
  const [row] = await tx.execute(sql`
    select patient_id, requested_by, earlier_storage_key
    from public.begin_data_export(${exportId}::uuid, ${storageKey})`)
  if (row === undefined) return null
  const begun = begunRow.parse(row)
  return {
    patientId: begun.patient_id,
    requestedBy: begun.requested_by,
    earlierStorageKey: begun.earlier_storage_key,
  }
}

export async function finishDataExport(
  tx: Tx,
  exportId: string,
  archive: { readonly key: string; readonly sizeBytes: number; readonly sha256: string },
): Promise<void> {
  const { key, sizeBytes, sha256 } = archive
  await tx.execute(
    sql`select public.finish_data_export(${exportId}::uuid, ${key}, ${sizeBytes}::bigint, ${sha256}::text)`,
  )
}

const endedRow = z.object({ id: z.uuid(), storage_key: z.string() })

/** Archives whose days are over, and what was left of those that were never finished. */
export async function listEndedExports(
  tx: Tx,
  limit: number,
): Promise<readonly { readonly id: string; readonly storageKey: string }[]> {
  const rows = await tx.execute(sql`
    select id, storage_key
    from public.data_exports
    where storage_key is not null
      and (status = 'failed' or (status = 'ready' and expires_at <= now()))
    order by requested_at
    limit ${limit}`)
  return rows.map((row) => endedRow.parse(row)).map(({ id, storage_key: storageKey }) => ({ id, storageKey }))
}

export async function expireDataExport(tx: Tx, exportId: string): Promise<void> {
  await tx.execute(sql`select public.expire_data_export(${exportId}::uuid)`)
}

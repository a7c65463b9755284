import { desc, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { accountClosures } from '../schema/privacy.ts'

export type AccountClosure = typeof accountClosures.$inferSelect

/** Closes the account of the transaction after the waiting period. Asking again is asking once. */
export async function requestAccountClosure(tx: Tx): Promise<AccountClosure> {
  await tx.execute(sql`select public.request_account_closure()`)
  const closure = await findAccountClosure(tx)
  if (closure === null) throw new Error('a closure was requested but cannot be seen')
  return closure
}

/** Null when none waits. */
export async function cancelAccountClosure(tx: Tx): Promise<AccountClosure | null> {
  const [row] = await tx.execute(sql`select public.cancel_account_closure() as ok`)
  return answer.parse(row).ok ? await findAccountClosure(tx) : null
}

/** The newest of the account of the transaction: row level security shows no other. */
export async function findAccountClosure(tx: Tx): Promise<AccountClosure | null> {
  const [closure] = await tx
    .select()
    .from(accountClosures)
    .orderBy(desc(accountClosures.requestedAt), desc(accountClosures.id))
    .limit(1)
  return closure ?? null
}

/** Raises for an account that is being or has been erased. Service only. */
export async function requireOpenAccount(tx: Tx, accountId: string): Promise<void> {
  await tx.execute(sql`select public.require_open_account(${accountId}::uuid)`)
}

const answer = z.object({ ok: z.boolean() })
const due = z.object({ id: z.uuid(), account_id: z.uuid() })

/** Whose waiting period is over, oldest first, also those that a purge did not get through. */
export async function listDueClosures(
  tx: Tx,
  limit: number,
): Promise<readonly { readonly id: string; readonly accountId: string }[]> {
  const rows = await tx.execute(sql`
    select id, account_id
    from public.account_closures
    where status in ('requested', 'purging')
      and due_at <= now()
    order by due_at
    limit ${limit}`)
  return rows.map((row) => due.parse(row)).map(({ id, account_id: accountId }) => ({ id, accountId }))
}

/** False when there is nothing to purge: called off, not due, or done. */
export async function beginAccountPurge(tx: Tx, closureId: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.begin_account_purge(${closureId}::uuid) as ok`)
  return answer.parse(row).ok
}

/** A row and the object that it names: the object goes first. */
export type StoredRow = { readonly id: string; readonly storageKey: string }

const stored = z
  .object({ id: z.uuid(), storage_key: z.string() })
  .transform(({ id, storage_key: storageKey }): StoredRow => ({ id, storageKey }))

export async function listFilesToPurge(tx: Tx, closureId: string, limit: number): Promise<readonly StoredRow[]> {
  const rows = await tx.execute(sql`
    select file.id, file.storage_key
    from public.account_closures as closure
    join public.user_profiles as profile on profile.account_owner_id = closure.account_id
    join public.shell_files as file on file.patient_id = profile.id
    where closure.id = ${closureId}::uuid
      and closure.status = 'purging'
    limit ${limit}`)
  return rows.map((row) => stored.parse(row))
}

export async function purgeShellFile(tx: Tx, closureId: string, shellFileId: string): Promise<void> {
  await tx.execute(sql`select public.purge_shell_file(${closureId}::uuid, ${shellFileId}::uuid)`)
}

export async function listExportsToPurge(tx: Tx, closureId: string, limit: number): Promise<readonly StoredRow[]> {
  const rows = await tx.execute(sql`
    select export.id, export.storage_key
    from public.account_closures as closure
    join public.user_profiles as profile on profile.account_owner_id = closure.account_id
    join public.data_exports as export on export.patient_id = profile.id
    where closure.id = ${closureId}::uuid
      and closure.status = 'purging'
      and export.storage_key is not null
    limit ${limit}`)
  return rows.map((row) => stored.parse(row))
}

export async function purgeDataExport(tx: Tx, closureId: string, exportId: string): Promise<void> {
  await tx.execute(sql`select public.purge_data_export(${closureId}::uuid, ${exportId}::uuid)`)
}

/** False while a file or an archive is left, as one that came while others were erased. */
export async function purgePeople(tx: Tx, closureId: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.purge_people(${closureId}::uuid) as ok`)
  return answer.parse(row).ok
}

export async function finishAccountPurge(tx: Tx, closureId: string): Promise<void> {
  await tx.execute(sql`select public.finish_account_purge(${closureId}::uuid)`)
}

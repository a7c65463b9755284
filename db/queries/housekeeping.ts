import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

const countRow = z.object({ count: z.coerce.number() })

/** Chains what was audited since; returns how many rows that were. */
export async function sealAuditLog(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.seal_audit_log(${limit}) as count`)
  return countRow.parse(row).count
}

export async function ensureAuditPartitions(tx: Tx): Promise<void> {
  await tx.execute(sql`select public.ensure_audit_partitions()`)
}

/** Keys that no replay will ask for any more. */
export async function deleteExpiredIdempotencyKeys(tx: Tx, limit: number): Promise<number> {
  const rows = await tx.execute(sql`
    with expired as materialized (
      select account_id, profile_id, idempotency_key
      from public.idempotency_keys
      where expires_at < now()
        and locked_until < now()
      order by expires_at
      limit ${limit}
      for update skip locked
    )
    delete from public.idempotency_keys as known
    using expired
    where known.account_id = expired.account_id
      and known.profile_id = expired.profile_id
      and known.idempotency_key = expired.idempotency_key
    returning 1 as gone`)
  return rows.length
}

export async function forgetSilentWorkers(tx: Tx): Promise<void> {
  await tx.execute(sql`select public.forget_silent_workers()`)
}

export async function sweepCapacity(tx: Tx): Promise<void> {
  await tx.execute(sql`select public.sweep_api_capacity()`)
}

import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { shellFileEvents } from '../schema/documents.ts'
import { systemNotifications } from '../schema/foundations.ts'
import { retentionRules } from '../schema/privacy.ts'

/**
 * How far somebody has been told: all that the snapshot `since` saw, and of what `until` saw besides, everything up to
 * `last`. Ids alone would not do: they are given out before the commit, so a smaller one may become visible later.
 */
export type Position = { readonly since: string; readonly until: string; readonly last: Last }
export type Last =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'notification'; readonly id: string }
  | { readonly kind: 'file'; readonly id: number }

export type FeedItem =
  | { readonly kind: 'notification'; readonly row: typeof systemNotifications.$inferSelect }
  | { readonly kind: 'file'; readonly row: typeof shellFileEvents.$inferSelect }

const snapshotRow = z.object({ snapshot: z.string() })
const readerRows = z.array(z.object({ patient_id: z.uuid(), account_id: z.uuid() }))

export async function readSnapshot(tx: Tx): Promise<string> {
  const [row] = await tx.execute(sql`select pg_current_snapshot()::text as snapshot`)
  return snapshotRow.parse(row).snapshot
}

/** What comes after the position, notifications before files; as a service, of everybody. */
export async function readFeed(tx: Tx, position: Position, limit: number): Promise<FeedItem[]> {
  const { last } = position
  const notifications = last.kind === 'file' ? [] : await readNotifications(tx, position, limit)
  if (notifications.length === limit) return notifications
  return [...notifications, ...(await readFileEvents(tx, position, limit - notifications.length))]
}

async function readNotifications(tx: Tx, position: Position, limit: number): Promise<FeedItem[]> {
  const { id, writtenBy } = systemNotifications
  const { last } = position
  const rows = await tx
    .select()
    .from(systemNotifications)
    .where(and(isBetween(writtenBy, position), last.kind === 'notification' ? gt(id, last.id) : undefined))
    .orderBy(asc(id))
    .limit(limit)
  return rows.map((row) => ({ kind: 'notification', row }))
}

async function readFileEvents(tx: Tx, position: Position, limit: number): Promise<FeedItem[]> {
  const { id, writtenBy } = shellFileEvents
  const { last } = position
  const rows = await tx
    .select()
    .from(shellFileEvents)
    .where(and(isBetween(writtenBy, position), last.kind === 'file' ? gt(id, last.id) : undefined))
    .orderBy(asc(id))
    .limit(limit)
  return rows.map((row) => ({ kind: 'file', row }))
}

function isBetween(writtenBy: AnyPgColumn, { since, until }: Position): SQL | undefined {
  return and(
    sql`${writtenBy} >= pg_snapshot_xmin(${since}::pg_snapshot)`,
    sql`not pg_visible_in_snapshot(${writtenBy}, ${since}::pg_snapshot)`,
    sql`pg_visible_in_snapshot(${writtenBy}, ${until}::pg_snapshot)`,
  )
}

/** Service only: by person, the accounts that may read their documents now. */
export async function readersOf(
  tx: Tx,
  patientIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (patientIds.length === 0) return new Map()
  const rows = await tx.execute(
    sql`select patient_id, account_id from public.realtime_readers(${`{${patientIds.join(',')}}`}::uuid[])`,
  )
  const readers = new Map<string, string[]>()
  for (const { patient_id, account_id } of readerRows.parse([...rows])) {
    const known = readers.get(patient_id)
    if (known === undefined) readers.set(patient_id, [account_id])
    else known.push(account_id)
  }
  return readers
}

/** For how many days events are kept; null: for ever. */
export async function readEventDays(tx: Tx): Promise<number | null> {
  const [rule] = await tx
    .select({ keepDays: retentionRules.keepDays })
    .from(retentionRules)
    .where(eq(retentionRules.tableName, 'shell_file_events'))
  return rule?.keepDays ?? null
}

import { and, desc, isNull, lt, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { systemNotifications } from '../schema/foundations.ts'
import type { NewestFirst } from './access.ts'

export type Notification = typeof systemNotifications.$inferSelect

/** What the account of the transaction was told, newest first, one more than asked for if there are more. */
export async function listNotifications(
  tx: Tx,
  page: NewestFirst & { readonly which: 'all' | 'unread' },
): Promise<Notification[]> {
  const { id, readAt } = systemNotifications
  return await tx
    .select()
    .from(systemNotifications)
    .where(
      and(
        page.which === 'unread' ? isNull(readAt) : undefined,
        page.beforeId === null ? undefined : lt(id, page.beforeId),
      ),
    )
    .orderBy(desc(id))
    .limit(page.limit + 1)
}

const answer = z.object({ ok: z.boolean() })

/** False when the account was told no such thing. Read twice is read once. */
export async function markNotificationRead(tx: Tx, notificationId: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.mark_notification_read(${notificationId}::uuid) as ok`)
  return answer.parse(row).ok
}

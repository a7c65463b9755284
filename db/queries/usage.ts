import { asc, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { subscriptionPlans } from '../schema/usage.ts'

export type SubscriptionPlan = typeof subscriptionPlans.$inferSelect

/** As `get_user_usage_status` words it; parsed by its reader. */
export async function readUsageStatus(tx: Tx, profileId: string): Promise<unknown> {
  const [row] = await tx.execute<{ usage: unknown }>(
    sql`select public.get_user_usage_status(${profileId}::uuid) as usage`,
  )
  return row?.usage
}

/** May a file of this size and length be uploaded for this profile just now? */
export async function readUploadPermission(
  tx: Tx,
  upload: { readonly profileId: string; readonly sizeBytes: number; readonly pages: number },
): Promise<unknown> {
  const [row] = await tx.execute<{ answer: unknown }>(
    sql`select public.check_upload_allowed(${upload.profileId}::uuid, ${upload.sizeBytes}::bigint, ${upload.pages}::int) as answer`,
  )
  return row?.answer
}

export async function listPlans(tx: Tx): Promise<SubscriptionPlan[]> {
  return await tx.select().from(subscriptionPlans).orderBy(asc(subscriptionPlans.sortOrder))
}

import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

const count = z.coerce.number().int()

// Sums of 64 bits come as text.
const historyRow = z
  .object({
    cycle_start: z.string(),
    profile_id: z.string(),
    shell_files: count,
    pages: count,
    ai_tokens: count,
    ai_seconds: count,
    storage_bytes_added: count,
    storage_bytes: count,
  })
  .transform((row) => ({
    cycleStart: row.cycle_start,
    profileId: row.profile_id,
    shellFiles: row.shell_files,
    pages: row.pages,
    aiTokens: row.ai_tokens,
    aiSeconds: row.ai_seconds,
    storageBytesAdded: row.storage_bytes_added,
    storageBytes: row.storage_bytes,
  }))

/** What one profile used in one month; storage as it changed in the month and as it stood at its end. */
export type UsageOfMonth = z.infer<typeof historyRow>

/** Newest month first, of one profile of the account or of all. Refused to everybody but the account that pays. */
export async function listUsageHistory(
  tx: Tx,
  wanted: { readonly profileId: string | null; readonly cycles: number },
): Promise<UsageOfMonth[]> {
  const rows = await tx.execute(sql`
    select
      month.cycle_start::text as cycle_start,
      month.profile_id,
      month.shell_files,
      month.pages,
      month.ai_tokens,
      month.ai_seconds,
      month.storage_bytes_added,
      month.storage_bytes
    from public.get_usage_history(${wanted.profileId}::uuid, ${wanted.cycles}::int) as month`)
  return rows.map((row) => historyRow.parse(row))
}

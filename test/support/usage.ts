import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../../db/client.ts'
import { askOne, serve } from './actors.ts'
import type { Account } from './actors.ts'

const meter = z.object({ used: z.number(), limit: z.number().nullable(), percentage: z.number().nullable() })
const usageStatus = z.object({
  current_period: z.object({ start: z.iso.date(), end: z.iso.date(), resets_at: z.string() }),
  usage: z.object({
    shell_files: meter,
    pages: meter,
    ai_tokens: meter,
    storage: z.object({ used_mb: z.number(), limit_mb: z.number().nullable(), percentage: z.number().nullable() }),
  }),
  status: z.object({
    plan_type: z.string(),
    over_limit: z.boolean(),
    upgrade_required: z.boolean(),
    enforced: z.boolean(),
    upgrade_prompt: z.boolean(),
  }),
  warnings: z.array(z.object({ limit_name: z.string(), level: z.enum(['near', 'reached', 'over']) })),
})

export async function usageOf(db: Database, by: Account, profileId = by.profileId) {
  return usageStatus.parse(await askOne(db, by.actor, sql`select public.get_user_usage_status(${profileId}) as value`))
}

/** Whether every counter is the sum of its ledger rows. */
export async function counterDifferences(db: Database) {
  return await serve(
    db,
    sql`select * from (
          select account_id, profile_id, cycle_start, sum(shell_files) as files, sum(pages) as pages, sum(ai_tokens) as tokens,
            sum(ai_seconds) as seconds, sum(storage_bytes) as bytes
          from usage_events group by 1, 2, 3
        ) as ledger
        full join user_usage_tracking as counter using (account_id, profile_id, cycle_start)
        where (ledger.files, ledger.pages, ledger.tokens, ledger.seconds, ledger.bytes) is distinct from
          (counter.shell_files, counter.pages, counter.ai_tokens, counter.ai_seconds, counter.storage_bytes)`,
  )
}

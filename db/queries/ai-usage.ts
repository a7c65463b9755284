import { sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'

/** Counted once per job, however often it is told. */
export async function trackAiUsage(
  tx: Tx,
  used: { readonly profileId: string; readonly jobId: string; readonly tokens: number; readonly seconds: number },
): Promise<void> {
  await tx.execute(sql`
    select public.track_ai_processing_usage(
      p_profile_id => ${used.profileId}::uuid,
      p_job_id => ${used.jobId}::uuid,
      p_tokens_used => ${used.tokens}::int,
      p_processing_seconds => ${used.seconds}::int
    )
  `)
}

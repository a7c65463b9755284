import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { jobLanes } from '../schema/queue.ts'
import { sloLanes } from '../schema/slos.ts'

export const liveStates = ['due', 'scheduled', 'processing', 'dead_letter'] as const

const countRow = z.object({ job_lane: z.enum(jobLanes), job_state: z.enum(liveStates), jobs: z.number() })
const headRow = z.object({ job_lane: z.enum(jobLanes), waited_seconds: z.number() })
const missingRow = z.object({ objects: z.number(), unscanned: z.number() })
const openAlertRow = z.object({ slo: z.string(), job_lane: z.enum(sloLanes) })

export type QueueState = {
  readonly counts: readonly z.infer<typeof countRow>[]
  readonly heads: readonly z.infer<typeof headRow>[]
  readonly missingObjects: number
  readonly unscannedFiles: number
  readonly openAlerts: readonly z.infer<typeof openAlertRow>[]
}

/** Some milliseconds, whatever the history and the backlog. */
export async function readQueueState(tx: Tx): Promise<QueueState> {
  const counts = await tx.execute(sql`select job_lane, job_state, jobs from public.queue_counts()`)
  const heads = await tx.execute(sql`select job_lane, waited_seconds::float8 from public.queue_heads()`)
  const alerts = await tx.execute(sql`select slo, job_lane from public.slo_alerts where resolved_at is null`)
  const [missing] = await tx.execute(sql`select
    public.missing_objects()::int as objects,
    public.unscanned_files()::int as unscanned`)
  const { objects, unscanned } = missingRow.parse(missing)
  return {
    missingObjects: objects,
    unscannedFiles: unscanned,
    counts: counts.map((row) => countRow.parse(row)),
    heads: heads.map((row) => headRow.parse(row)),
    openAlerts: alerts.map((row) => openAlertRow.parse(row)),
  }
}

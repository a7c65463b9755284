import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { jobLanes } from '../schema/queue.ts'
import type { JobLane } from '../schema/queue.ts'

const laneRow = z.object({ job_lane: z.enum(jobLanes) })

/** Lanes that nothing is claimed from until an operator resumes them. */
export async function readPausedLanes(tx: Tx): Promise<readonly JobLane[]> {
  const rows = await tx.execute(sql`select job_lane from public.job_lanes where paused_at is not null`)
  return rows.map((row) => laneRow.parse(row).job_lane)
}

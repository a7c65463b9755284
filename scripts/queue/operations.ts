import type postgres from 'postgres'
import { z } from 'zod'
import type { JobLane } from '../../db/schema/queue.ts'

// The statements of `npm run queue`, on postgres.js as it is: drizzle takes longer to load than all of this to run.

// Counts come as text, since bigint may be more than a number holds; ours are not.
const count = z.coerce.number()

const laneStats = z.object({
  job_lane: z.string(),
  due: count,
  scheduled: count,
  retrying: count,
  running: count,
  dead: count,
  oldest_due_seconds: z.number().nullable(),
  done_in_5_minutes: count,
  done_in_hour: count,
  workers: count,
  paused_seconds: z.number().nullable(),
  pause_reason: z.string().nullable(),
})
export type LaneStats = z.infer<typeof laneStats>

export const readQueueStats = async (tx: postgres.ISql): Promise<LaneStats[]> =>
  await rows(laneStats, tx`select * from public.queue_stats()`)

const workerSeen = z.object({
  worker_id: z.string(),
  host: z.string(),
  pid: z.number(),
  job_lanes: z.array(z.string()),
  running: z.number(),
  concurrency: z.number(),
  version: z.string(),
  is_stopping: z.boolean(),
  is_silent: z.boolean(),
  last_seen_seconds: z.number(),
  started_seconds: z.number(),
})
export type WorkerSeen = z.infer<typeof workerSeen>

export const readQueueWorkers = async (tx: postgres.ISql): Promise<WorkerSeen[]> =>
  await rows(workerSeen, tx`select * from public.queue_workers()`)

/** Which dead letters are meant; null: all. */
export type DeadLetterFilter = { readonly jobType: string | null; readonly errorCode: string | null }

const deadLetter = z.object({
  job_id: z.string(),
  job_type: z.string(),
  job_lane: z.string(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  attempts: z.number(),
  replays: z.number(),
  dead_seconds: z.number(),
})
export type DeadLetter = z.infer<typeof deadLetter>

export const readDeadLetters = async (
  tx: postgres.ISql,
  filter: DeadLetterFilter,
  limit: number,
): Promise<DeadLetter[]> =>
  await rows(deadLetter, tx`select * from public.dead_letters(${filter.jobType}, ${filter.errorCode}, ${limit})`)

const deadLetterCount = z.object({
  job_type: z.string(),
  error_code: z.string().nullable(),
  dead: count,
  oldest_seconds: z.number(),
  newest_seconds: z.number(),
})
export type DeadLetterCount = z.infer<typeof deadLetterCount>

export const countDeadLetters = async (tx: postgres.ISql, filter: DeadLetterFilter): Promise<DeadLetterCount[]> =>
  await rows(deadLetterCount, tx`select * from public.count_dead_letters(${filter.jobType}, ${filter.errorCode})`)

/** One batch; to be asked again, with the same `deadBefore`, until it is 0. */
export async function requeueDeadLetters(
  tx: postgres.ISql,
  filter: DeadLetterFilter,
  batch: { readonly deadBefore: string; readonly limit: number },
): Promise<number> {
  const [row] = await rows(
    z.object({ requeued: z.number() }),
    tx`select public.requeue_dead_letters(
      ${filter.jobType}, ${filter.errorCode}, ${batch.deadBefore}::timestamptz, ${batch.limit}
    ) as requeued`,
  )
  return row?.requeued ?? 0
}

/** The time of the database, as exact as it has it. */
export async function readDatabaseTime(tx: postgres.ISql): Promise<string> {
  const [row] = await rows(z.object({ time: z.string() }), tx`select clock_timestamp()::text as time`)
  if (row === undefined) throw new Error('the database did not tell the time')
  return row.time
}

export const requeueDeadLetter = (tx: postgres.ISql, jobId: string): Promise<boolean> =>
  said(tx`select public.requeue_dead_letter(${jobId}) as ok`)
export const cancelJob = (tx: postgres.ISql, jobId: string): Promise<boolean> =>
  said(tx`select public.cancel_job(${jobId}) as ok`)
export const pauseLane = (tx: postgres.ISql, lane: JobLane, reason: string | null): Promise<boolean> =>
  said(tx`select public.pause_lane(${lane}, ${reason}) as ok`)
export const resumeLane = (tx: postgres.ISql, lane: JobLane): Promise<boolean> =>
  said(tx`select public.resume_lane(${lane}) as ok`)

/** Null: there is no such job (any more). */
export async function readJobStatus(tx: postgres.ISql, jobId: string): Promise<string | null> {
  const [row] = await rows(
    z.object({ status: z.string() }),
    tx`select status from public.job_queue where id = ${jobId}`,
  )
  return row?.status ?? null
}

async function said(call: postgres.PendingQuery<postgres.Row[]>): Promise<boolean> {
  const [row] = await rows(z.object({ ok: z.boolean() }), call)
  return row?.ok ?? false
}

async function rows<T extends z.ZodType>(
  shape: T,
  query: postgres.PendingQuery<postgres.Row[]>,
): Promise<z.infer<T>[]> {
  return z.array(shape).parse([...(await query)])
}

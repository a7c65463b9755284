import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import type { JobLane } from '../schema/queue.ts'

export type WorkerEntry = {
  readonly workerId: string
  readonly host: string
  readonly pid: number
  readonly lanes: readonly JobLane[]
  /** What it has handlers for. */
  readonly jobTypes: readonly string[]
  readonly concurrency: number
  readonly version: string
  readonly isStopping: boolean
}

export async function registerWorker(tx: Tx, entry: WorkerEntry): Promise<void> {
  await tx.execute(sql`
    select public.register_worker(
      ${entry.workerId}, ${entry.host}, ${entry.pid},
      array(select jsonb_array_elements_text(${JSON.stringify(entry.lanes)}::text::jsonb)),
      ${entry.concurrency}, ${entry.version}, ${entry.isStopping},
      array(select jsonb_array_elements_text(${JSON.stringify(entry.jobTypes)}::text::jsonb))
    )`)
}

export async function sayGoodbye(tx: Tx, workerId: string): Promise<void> {
  await tx.execute(sql`select public.worker_goodbye(${workerId})`)
}

const pingRow = z.object({ queue_usage: z.number() })

/**
 * A notification to oneself, by which a listener proves that it hears. Answers how full, from 0 to 1, the server's queue
 * of notifications is that some session has not read yet: at 1 whoever notifies fails, and so does every new job.
 */
export async function sendPing(tx: Tx, channel: string, payload: string): Promise<number> {
  const [row] = await tx.execute(sql`
    select pg_notification_queue_usage() as queue_usage
    from pg_notify(${channel}, ${payload})`)
  return pingRow.parse(row).queue_usage
}

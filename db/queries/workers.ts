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

const startedRow = z.object({ started: z.boolean() })

/** True for exactly one caller per slot of time, whatever the number of workers. */
export async function beginScheduleSlot(tx: Tx, name: string, everySeconds: number): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.begin_schedule_slot(${name}, ${everySeconds}) as started`)
  return startedRow.parse(row).started
}

export async function finishScheduleSlot(
  tx: Tx,
  run: { readonly name: string; readonly durationMs: number; readonly errorCode: string | null },
): Promise<void> {
  await tx.execute(
    sql`select public.finish_schedule_slot(${run.name}, ${Math.round(run.durationMs)}, ${run.errorCode})`,
  )
}

/** A notification to oneself, by which a listener proves that it hears. */
export async function sendPing(tx: Tx, channel: string): Promise<void> {
  await tx.execute(sql`select pg_notify(${channel}, '')`)
}

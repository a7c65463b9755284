import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

/** One attempt at a job: who says that it is theirs. */
export type AttemptKey = { readonly workerId: string; readonly jobId: string; readonly attemptToken: string }

/** Secures the lease for the rest of the transaction; false when it has been lost. */
export async function holdLease(tx: Tx, attempt: AttemptKey): Promise<boolean> {
  return await askBoolean(tx, sql`public.hold_lease(${attempt.jobId}, ${attempt.attemptToken})`)
}

export async function completeJob(
  tx: Tx,
  attempt: AttemptKey,
  result: Readonly<Record<string, unknown>> | undefined,
): Promise<boolean> {
  const json = result === undefined ? null : JSON.stringify(result)
  return await askBoolean(
    tx,
    sql`public.complete_job(${attempt.jobId}, ${attempt.workerId}, ${json}::text::jsonb, ${attempt.attemptToken})`,
  )
}

export type JobError = {
  readonly code: string
  readonly message: string
  readonly type: string
  readonly stage: string
}
export type Failure = { readonly status: 'pending' | 'dead_letter'; readonly retryInMs: number }

const failedRow = z.object({ status: z.enum(['pending', 'dead_letter']).nullable() })
const dueRow = z.object({ in_ms: z.number() })

/** Null when the lease was lost. */
export async function failJob(
  tx: Tx,
  attempt: AttemptKey,
  failure: { readonly error: JobError; readonly isRetryable: boolean },
): Promise<Failure | null> {
  const [row] = await tx.execute(sql`
    select public.fail_job(
      ${attempt.jobId}, ${attempt.workerId}, ${JSON.stringify(failure.error)}::text::jsonb,
      ${failure.isRetryable}, ${attempt.attemptToken}
    ) as status`)
  const { status } = failedRow.parse(row)
  if (status === null) return null
  const [due] = await tx.execute(sql`
    select (extract(epoch from scheduled_at - clock_timestamp()) * 1000)::float8 as in_ms
    from public.job_queue
    where id = ${attempt.jobId}`)
  return { status, retryInMs: dueRow.parse(due).in_ms }
}

export async function rescheduleJob(
  tx: Tx,
  attempt: AttemptKey,
  wait: { readonly delayMs: number; readonly reason: string },
): Promise<boolean> {
  return await askBoolean(
    tx,
    sql`public.reschedule_job(
      ${attempt.jobId}, ${attempt.workerId}, ${wait.delayMs / 1000}::numeric, ${wait.reason}, ${attempt.attemptToken}
    )`,
  )
}

export async function handBackJobs(tx: Tx, workerId: string, jobIds: readonly string[]): Promise<void> {
  await tx.execute(sql`select public.hand_back_jobs(${workerId}, ${uuidArray(jobIds)})`)
}

const rescuedRow = z.object({ rescued: z.number(), dead_lettered: z.number() })

/** At most `limit` of them; when there were as many, there may be more. */
export async function rescueStaleJobs(tx: Tx, limit: number): Promise<{ rescued: number; dead_lettered: number }> {
  const [row] = await tx.execute(sql`select rescued, dead_lettered from public.rescue_stale_jobs(${limit}::int)`)
  return rescuedRow.parse(row)
}

async function askBoolean(tx: Tx, call: SQL): Promise<boolean> {
  const [row] = await tx.execute(sql`select ${call} as ok`)
  return booleanRow.parse(row).ok
}

const booleanRow = z.object({ ok: z.boolean() })

// Lists go as one JSON parameter: drizzle would spread an array over several.
const uuidArray = (values: readonly string[]): SQL =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))::uuid[]`

import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import type { Teardown } from './postgres.ts'

/** A connection pool whose every session is the service, for many short calls and for races. */
export function serviceSql(t: Teardown, appUrl: string, max = 4): postgres.Sql {
  const sql = postgres(appUrl, { max, onnotice: () => {}, connection: { role: 'service_role' } })
  t.teardown(() => sql.end({ timeout: 5 }))
  return sql
}

/** The owner of the database, for what only operators with a shell do. */
export function ownerSql(t: Teardown, ownerUrl: string): postgres.Sql {
  const sql = postgres(ownerUrl, { max: 2, onnotice: () => {} })
  t.teardown(() => sql.end({ timeout: 5 }))
  return sql
}

export type EnqueueFields = {
  readonly type?: string
  readonly payload?: postgres.JSONValue
  readonly priority?: number
  readonly patientId?: string | null
  readonly scheduledAt?: Date | null
  readonly key?: string | null
  readonly maxRetries?: number | null
}

export async function enqueueJob(sql: postgres.ISql, fields: EnqueueFields = {}): Promise<string> {
  const payload = fields.payload ?? { shell_file_id: randomUUID() }
  const [row] = await sql<{ id: string }[]>`
    select public.enqueue_job_v3(
      job_type => ${fields.type ?? 'ocr'},
      job_name => ${fields.type ?? 'ocr'},
      job_payload => ${sql.json(payload)},
      priority => ${fields.priority ?? 5},
      scheduled_at => coalesce(${fields.scheduledAt ?? null}::timestamptz, now()),
      patient_id => ${fields.patientId ?? null}::uuid,
      idempotency_key => ${fields.key ?? null},
      max_retries => ${fields.maxRetries ?? null}::int
    ) as id`
  if (row === undefined) throw new Error('enqueue_job_v3 answered nothing')
  return row.id
}

/** A job that was given up at its first attempt. Nothing else may wait in its lane. */
export async function buryJob(
  sql: postgres.Sql,
  fields: EnqueueFields & { readonly code?: string } = {},
): Promise<string> {
  const id = await enqueueJob(sql, fields)
  await claim(sql, 'undertaker')
  const error = { code: fields.code ?? 'page_unreadable', message: 'A page could not be read.' }
  await sql`select public.fail_job(${id}, 'undertaker', ${sql.json(error)}, false)`
  return id
}

export type JobRecord = {
  readonly id: string
  readonly status: string
  readonly worker_id: string | null
  readonly attempt_token: string | null
  readonly retry_count: number
  readonly max_retries: number
  readonly defer_count: number
  readonly replay_count: number
  readonly scheduled_at: Date
  readonly lease_expires_at: Date | null
  readonly error_details: { code: string; message: string; type: string; stage: string } | null
  readonly job_result: unknown
  readonly priority: number
  readonly patient_id: string | null
}

export async function claim(
  sql: postgres.ISql,
  workerId = 'w1',
  options: { max?: number; lanes?: readonly string[] } = {},
): Promise<readonly JobRecord[]> {
  return await sql<JobRecord[]>`
    select * from public.claim_next_job_v3(
      worker_id => ${workerId},
      job_types => null,
      job_lanes => ${sql.array([...(options.lanes ?? ['fast_queue', 'ai_queue', 'background'])])},
      max_jobs => ${options.max ?? 1}
    )`
}

export async function jobRecord(sql: postgres.ISql, id: string): Promise<JobRecord> {
  const [row] = await sql<JobRecord[]>`select * from public.job_queue where id = ${id}`
  if (row === undefined) throw new Error('no such job')
  return row
}

/** The lease of a job runs out now, as if its worker had died a while ago. */
export async function expireLease(sql: postgres.ISql, id: string): Promise<void> {
  await sql`update public.job_queue set lease_expires_at = now() - interval '1 second' where id = ${id}`
}

/**
 * The two statements that every job costs, for as many jobs at once as there are. They bypass drizzle, which would cost
 * more than the database does.
 */
import type postgres from 'postgres'
import type { JobLane } from '../schema/queue.ts'

/** A job as `claim_next_job_v3` has given it to this worker. */
export type ClaimedRow = {
  readonly id: string
  readonly type: string
  readonly lane: JobLane
  /** As stored; parsed by the job's schema before a handler sees it. */
  readonly payload: unknown
  /** Of this attempt alone: what the database asks for before it writes anything. */
  readonly attemptToken: string
  /** From 1. Waiting for capacity and being handed back do not count. */
  readonly attempt: number
  readonly patientId: string | null
  readonly shellFileId: string | null
  readonly initiatedBy: string | null
  readonly correlationId: string | null
  readonly priority: number
  readonly fairTurn: number
  readonly dueAtMs: number
  /** From due to claimed, by the clock of the database. */
  readonly waitedMs: number
}

/** A place in the line of a lane; a claim may begin there. */
export type ClaimStart = {
  readonly lane: JobLane
  readonly priority: number
  readonly turn: number
  readonly dueAtMs: number
}

export type ClaimRequest = {
  readonly workerId: string
  readonly types: readonly string[]
  readonly lanes: readonly JobLane[]
  readonly max: number
  readonly leaseMs: number
  /** Null: from the very beginning. */
  readonly start: readonly ClaimStart[] | null
}

/**
 * In the order in which they should run. Does not wait until the claim is on the disk: one that the server forgets when
 * it falls was never made, and the attempt it began can write nothing. What that attempt writes before is on the disk
 * after its claim, as the log is in order.
 */
export async function claimJobs(sql: postgres.ISql, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
  return await sql<ClaimedRow[]>`
    select
      job.id,
      job.job_type as type,
      job.job_lane as lane,
      job.job_payload as payload,
      job.attempt_token as "attemptToken",
      job.retry_count + 1 as attempt,
      job.patient_id as "patientId",
      job.shell_file_id as "shellFileId",
      job.initiated_by as "initiatedBy",
      job.correlation_id as "correlationId",
      job.priority,
      job.fair_turn as "fairTurn",
      date_part('epoch', job.scheduled_at) * 1000 as "dueAtMs",
      date_part('epoch', job.started_at - job.scheduled_at) * 1000 as "waitedMs"
    from public.claim_next_job_v3(
      ${request.workerId}, ${listOf(request.types)}::text[], ${listOf(request.lanes)}::text[],
      ${request.max}, ${request.leaseMs / 1000}, ${startPlaces(request.start)}::text::jsonb
    ) as job
    cross join pg_catalog.set_config('synchronous_commit', 'off', true)`
}

function startPlaces(start: readonly ClaimStart[] | null): string | null {
  if (start === null) return null
  const places = start.map(({ dueAtMs, ...place }) => ({ ...place, due_at: new Date(dueAtMs).toISOString() }))
  return JSON.stringify(places)
}

/** Ends attempts that have nothing to write; the ids of those that were still held. */
export async function completeJobs(
  sql: postgres.ISql,
  workerId: string,
  attempts: readonly { readonly id: string; readonly attemptToken: string }[],
): Promise<ReadonlySet<string>> {
  const inOrder = attempts.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const rows = await sql<{ id: string }[]>`
    select held as id
    from public.complete_jobs(
      ${workerId}, ${listOf(inOrder.map(({ id }) => id))}::uuid[],
      ${listOf(inOrder.map(({ attemptToken }) => attemptToken))}::uuid[]
    ) as held`
  return new Set(rows.map(({ id }) => id))
}

// Words and ids only, so nothing has to be quoted; a driver that has not asked for types knows no arrays.
const listOf = (words: readonly string[]) => `{${words.join(',')}}`

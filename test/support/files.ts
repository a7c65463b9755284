import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import type { Stage } from '../../db/schema/documents.ts'
import { ask, serve } from './actors.ts'
import type { Account } from './actors.ts'

/** What the database answers when the state of a file or stage does not allow something now. */
export const wrongState = '55000'

export async function fileState(db: Database, id: string) {
  const [row] = await serve<{ status: string; processing_error: unknown; review_state: string }>(
    db,
    sql`select status, processing_error, review_state from shell_files where id = ${id}`,
  )
  return row
}

export async function stageStates(db: Database, id: string): Promise<Record<string, string>> {
  const rows = await serve<{ stage: string; status: string }>(
    db,
    sql`select stage, status from shell_file_stages where shell_file_id = ${id} order by position`,
  )
  return Object.fromEntries(rows.map((row) => [row.stage, row.status]))
}

export async function jobsOf(db: Database, id: string, status = 'pending'): Promise<string[]> {
  const rows = await serve<{ job_type: string }>(
    db,
    sql`select job_type from job_queue where shell_file_id = ${id} and status = ${status} order by id`,
  )
  return rows.map((row) => row.job_type)
}

/** As if a worker had taken every job of the file and ended it. */
export async function endJobs(
  db: Database,
  id: string,
  status: 'completed' | 'dead_letter' | 'cancelled',
): Promise<void> {
  const error = JSON.stringify({ code: 'ocr_timeout', message: 'The page could not be read.', stack: 'secret' })
  await serve(
    db,
    sql`update job_queue set status = ${status}, completed_at = now(), dead_letter_at = now(),
          error_details = case when ${status} = 'dead_letter' then ${error}::jsonb end
        where shell_file_id = ${id} and status = 'pending'`,
  )
}

export const reprocess = (db: Database, by: Account, id: string, from: Stage | 'nonsense') =>
  ask(db, by.actor, sql`select public.reprocess_shell_file(${id}, ${from})`)

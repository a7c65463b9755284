import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import type { StageError, StageOutcome } from '../schema/documents.ts'

const fileRow = z.object({
  id: z.uuid(),
  storage_key: z.string(),
  outcome: z.object({
    notices: z.array(z.object({ code: z.string(), message: z.string() })),
    scan: z.object({ verdict: z.string(), findings: z.array(z.string()) }),
  }),
})
export type UnscannedFile = z.output<typeof fileRow>

/** Taken without a malware scan and not being processed just now; in the order of their ids. */
export async function listUnscannedFiles(tx: Tx, afterId: string | null, limit: number): Promise<UnscannedFile[]> {
  const rows = await tx.execute(sql`
    select file.id, file.storage_key, step.outcome
    from public.shell_file_stages as step
    join public.shell_files as file on file.id = step.shell_file_id
    where step.stage = 'security_scan'
      and step.outcome #>> '{scan,malware}' = 'unscanned'
      and file.deleted_at is null
      and not exists (
        select from public.job_queue as job
        where job.shell_file_id = file.id and job.status in ('pending', 'processing')
      )
      and (${afterId}::uuid is null or file.id > ${afterId}::uuid)
    order by file.id
    limit ${limit}`)
  return rows.map((row) => fileRow.parse(row))
}

/** False where the file was scanned again, is being processed, or was deleted meanwhile. */
export async function settleUnscannedFile(
  tx: Tx,
  shellFileId: string,
  settled: { readonly outcome: StageOutcome; readonly error: StageError | null },
): Promise<boolean> {
  const [outcome, error] = [JSON.stringify(settled.outcome), settled.error && JSON.stringify(settled.error)]
  const [row] = await tx.execute(sql`
    select public.settle_unscanned_file(${shellFileId}::uuid, ${outcome}::text::jsonb, ${error}::text::jsonb) as yes`)
  return z.object({ yes: z.boolean() }).parse(row).yes
}

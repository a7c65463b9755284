import { sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import type { Stage, StageError, StageOutcome } from '../schema/documents.ts'

/** The states of stages change only in these functions of the database, which refuse an impossible step. */
export async function beginStage(tx: Tx, shellFileId: string, stage: Stage, version: string): Promise<void> {
  await tx.execute(sql`select public.begin_stage(${shellFileId}::uuid, ${stage}, ${version})`)
}

export async function reportStageProgress(
  tx: Tx,
  shellFileId: string,
  stage: Stage,
  pages: { readonly done: number; readonly total: number | null },
): Promise<void> {
  await tx.execute(
    sql`select public.report_stage_progress(${shellFileId}::uuid, ${stage}, ${pages.done}::int, ${pages.total}::int)`,
  )
}

/** Of a stage that runs, in the transaction that ends it. */
export async function setStageOutcome(tx: Tx, shellFileId: string, stage: Stage, outcome: StageOutcome): Promise<void> {
  const told = JSON.stringify(outcome)
  await tx.execute(sql`select public.set_stage_outcome(${shellFileId}::uuid, ${stage}, ${told}::text::jsonb)`)
}

export async function finishStage(
  tx: Tx,
  shellFileId: string,
  stage: Stage,
  status: 'completed' | 'held' | 'skipped' = 'completed',
): Promise<void> {
  await tx.execute(sql`select public.finish_stage(${shellFileId}::uuid, ${stage}, ${status})`)
}

export async function failStage(tx: Tx, shellFileId: string, stage: Stage, error: StageError): Promise<void> {
  const told = JSON.stringify({ code: error.code, message: error.message })
  await tx.execute(sql`select public.finish_stage(${shellFileId}::uuid, ${stage}, 'failed', ${told}::text::jsonb)`)
}

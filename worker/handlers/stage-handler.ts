/**
 * What every stage does around its work. It begins under the lease; its results, its end, the end of the job and the
 * next stage's job are one transaction. So a stage that was killed has left nothing but saved pages, and one that has
 * ended is not run again.
 */
import type { Tx } from '../../db/actor.ts'
import { processingAllowed, stopJob } from '../../db/queries/processing.ts'
import { fileInStage, type FileInStage } from '../../db/queries/stage-files.ts'
import { beginStage, failStage, finishStage } from '../../db/queries/stages.ts'
import { stages, type Stage, type StageError } from '../../db/schema/documents.ts'
import { enqueue } from '../../jobs/enqueue.ts'
import { jobs } from '../../jobs/index.ts'
import type { StagePayload } from '../../jobs/stage-payload.ts'
import type { Handler, JobResult, Outcome, RunContext } from '../engine/handler.ts'
import { stageVersions } from '../pipeline/steps.ts'

export type StageResult =
  | { readonly kind: 'completed'; readonly commit: (tx: Tx) => Promise<JobResult> }
  /** As far as it may go until a person decides. */
  | { readonly kind: 'held'; readonly commit: (tx: Tx) => Promise<JobResult> }
  /** The file itself is at fault: no other try would end otherwise. */
  | { readonly kind: 'failed'; readonly error: StageError; readonly commit?: (tx: Tx) => Promise<unknown> }

export type RunStage = (file: FileInStage, context: RunContext) => Promise<StageResult>

export function stageHandler(stage: Stage, run: RunStage): Handler<StagePayload> {
  return {
    job: jobs[stage],
    run: async ({ shell_file_id: shellFileId }, context) => {
      const file = await context.write((tx) => beginIfDue(tx, { shellFileId, stage, jobId: context.job.id }))
      if (file === null) return { kind: 'done' }
      const result = await context.holdBytes(file.sizeBytes, () => run(file, context))
      return outcomeOf(stage, file, context, result)
    },
  }
}

const over = new Set<FileInStage['stageStatus']>(['completed', 'held', 'skipped'])

type Beginning = { readonly shellFileId: string; readonly stage: Stage; readonly jobId: string }

/** Null where there is nothing to do, any more or just now. */
async function beginIfDue(tx: Tx, { shellFileId, stage, jobId }: Beginning): Promise<FileInStage | null> {
  const file = await fileInStage(tx, shellFileId, stage)
  if (file === null || over.has(file.stageStatus)) return null
  // A consent that ran out since the job was made: the job ends here, with what a withdrawal would have left.
  if (!(await processingAllowed(tx, file.patientId))) {
    await stopJob(tx, jobId)
    return null
  }
  await beginStage(tx, shellFileId, stage, stageVersions[stage])
  return file
}

function outcomeOf(stage: Stage, file: FileInStage, context: RunContext, result: StageResult): Outcome {
  const commit = async (tx: Tx): Promise<JobResult> => {
    if (result.kind === 'failed') {
      await result.commit?.(tx)
      await failFile(tx, file.shellFileId, stage, result.error)
      return { stage_status: 'failed', code: result.error.code }
    }
    const told = await result.commit(tx)
    await finishStage(tx, file.shellFileId, stage, result.kind)
    if (result.kind === 'completed') await enqueueNext(tx, stage, file, context)
    return { stage_status: result.kind, ...told }
  }
  return { kind: 'done', commit }
}

async function failFile(tx: Tx, shellFileId: string, stage: Stage, error: StageError): Promise<void> {
  await failStage(tx, shellFileId, stage, error)
  for (const later of stages.slice(stages.indexOf(stage) + 1)) await finishStage(tx, shellFileId, later, 'skipped')
}

async function enqueueNext(tx: Tx, stage: Stage, file: FileInStage, context: RunContext): Promise<void> {
  const next = stages[stages.indexOf(stage) + 1]
  // Where it is not allowed the file waits before its next stage.
  if (next === undefined || !(await processingAllowed(tx, file.patientId))) return
  const { correlationId, initiatedBy } = context.job
  await enqueue(
    tx,
    jobs[next],
    { shell_file_id: file.shellFileId },
    { ...(correlationId === null ? {} : { correlationId }), ...(initiatedBy === null ? {} : { initiatedBy }) },
  )
}

import { and, desc, eq, or, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { modelAnswers } from '../schema/facts.ts'

export type KeptAnswer = {
  readonly outcome: unknown
  readonly modelAnswered: string
  readonly tokensIn: number
  readonly tokensOut: number
  readonly costUsd: number | null
  /** Paid for by an earlier job, which has counted it. */
  readonly isPaid: boolean
}

type Asking = {
  readonly patientId: string
  readonly shellFileId: string
  readonly jobId: string
  readonly questionHash: string
}

/** The person's own answers alone: nobody learns from the time it takes what somebody else's papers say. */
export async function keptAnswer(tx: Tx, asking: Asking): Promise<KeptAnswer | null> {
  const { patientId, jobId, questionHash } = asking
  const [row] = await tx
    .select()
    .from(modelAnswers)
    .where(
      and(
        eq(modelAnswers.patientId, patientId),
        eq(modelAnswers.questionHash, questionHash),
        // What was of no use to a job is asked anew by the next.
        or(eq(modelAnswers.jobId, jobId), sql`outcome ->> 'kind' in ('facts', 'stories')`),
      ),
    )
    .orderBy(desc(sql`${modelAnswers.jobId} = ${jobId}::uuid`), desc(modelAnswers.createdAt))
    .limit(1)
  if (row === undefined) return null
  const { outcome, modelAnswered, tokensIn, tokensOut, costUsd } = row
  return {
    outcome,
    modelAnswered,
    tokensIn,
    tokensOut,
    costUsd: costUsd === null ? null : Number(costUsd),
    isPaid: row.jobId !== jobId,
  }
}

/** Keeps an answer at once, whatever becomes of the run that it was asked for. */
export async function keepAnswer(tx: Tx, asking: Asking, answer: Omit<KeptAnswer, 'isPaid'>): Promise<void> {
  const { shellFileId, questionHash, ...whose } = asking
  const kept = { ...whose, ...answer, costUsd: answer.costUsd === null ? null : answer.costUsd.toFixed(6) }
  await tx
    .insert(modelAnswers)
    .values({ shellFileId, questionHash, ...kept })
    .onConflictDoUpdate({
      target: [modelAnswers.shellFileId, modelAnswers.questionHash],
      set: { ...kept, createdAt: sql`now()` },
    })
}

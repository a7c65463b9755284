/**
 * How an outside model is asked, by whichever stage: within the limits of the fleet, with the person's consent for each call,
 * and without paying twice for the same question. Each answer is kept as soon as it is there, so that a run that is broken
 * off loses none.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { holdConsent } from '../../db/queries/consents.ts'
import { keepAnswer, keptAnswer, type KeptAnswer } from '../../db/queries/model-answers.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import type { RunContext } from '../engine/handler.ts'
import type { Paid } from '../providers/ai/provider.ts'

export type Outside<Outcome> = {
  readonly provider: { readonly name: string; readonly model: string; readonly promptVersion: string }
  /** Everything that an answer hangs on beside them: another word of the question is another question. */
  readonly question: unknown
  readonly estimatedTokens: number
  /** What was kept by another version of this code may have another form. */
  readonly outcome: z.ZodType<Outcome>
  readonly ask: (signal: AbortSignal) => Promise<Paid<Outcome>>
}

export async function askOutside<Outcome>(
  context: RunContext,
  { patientId, shellFileId }: FileInStage,
  asked: Outside<Outcome>,
): Promise<Paid<Outcome>> {
  const asking = { patientId, shellFileId, jobId: context.job.id, questionHash: questionHash(asked) }
  const kept = await context.read((tx) => keptAnswer(tx, asking))
  const known = kept === null ? null : answerOf(kept, asked.outcome)
  if (known !== null) return known
  const answer = await call(context, patientId, asked)
  await context.write(async (tx) => {
    // Consent that went away meanwhile takes the answer with it.
    if (await holdConsent(tx, { patientId, purpose: 'outside_ai' })) await keepAnswer(tx, asking, answer)
  })
  return answer
}

function call<Outcome>(context: RunContext, patientId: string, asked: Outside<Outcome>): Promise<Paid<Outcome>> {
  const { name, model } = asked.provider
  const consent = { patientId, purpose: 'outside_ai' } as const
  return context.withCapacity(
    { provider: name, endpoint: model, estimatedTokens: asked.estimatedTokens, consent },
    async () => {
      const value = await asked.ask(context.signal)
      return { value, tokensUsed: value.tokensIn + value.tokensOut, costUsd: value.costUsd, said: value.said }
    },
  )
}

function questionHash({ provider, question }: Outside<unknown>): string {
  const { name, model, promptVersion } = provider
  return createHash('sha256')
    .update(JSON.stringify([name, model, promptVersion, question]))
    .digest('hex')
}

/** null: kept in another form. What an earlier job paid for costs this one nothing. */
function answerOf<Outcome>(kept: KeptAnswer, form: z.ZodType<Outcome>): Paid<Outcome> | null {
  const { outcome, isPaid, modelAnswered, tokensIn, tokensOut, costUsd } = kept
  const parsed = form.safeParse(outcome)
  if (!parsed.success) return null
  const spent = isPaid ? { tokensIn: 0, tokensOut: 0, costUsd: 0 } : { tokensIn, tokensOut, costUsd }
  return { outcome: parsed.data, modelAnswered, ...spent, said: null }
}

import { createHash } from 'node:crypto'
import { holdConsent } from '../../db/queries/consents.ts'
import { keepAnswer, keptAnswer, type KeptAnswer } from '../../db/queries/model-answers.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import { AppError } from '../../platform/errors.ts'
import type { RunContext } from '../engine/handler.ts'
import {
  narrateOutcome,
  type NarrateAnswer,
  type NarrateQuestion,
  type Narrator,
} from '../providers/narration/provider.ts'
import { aiMisconfigured, aiQuotaSpent, aiRateLimited, aiRefused, aiUnavailable } from '../providers/ai/provider.ts'

/** A busy or absent service is asked again so often; then templates tell the file rather than that it waits longer. */
const attemptsForModel = 3

/**
 * Within the limits of the fleet, with the person's consent asked again, and not paid for twice. null: no answer is to be
 * had, for good or for too long. What is to be waited for, and a consent that is gone, ends this run as ever.
 */
export async function answerOrNone(
  context: RunContext,
  file: FileInStage,
  narrator: Narrator,
  question: NarrateQuestion,
): Promise<NarrateAnswer | null> {
  const { patientId, shellFileId } = file
  const asking = { patientId, shellFileId, jobId: context.job.id, questionHash: questionHash(narrator, question) }
  const kept = await context.read((tx) => keptAnswer(tx, asking))
  const known = kept === null ? null : answerOf(kept)
  if (known !== null) return known
  const answer = await askOutside(context, patientId, narrator, question)
  if (answer === null) return null
  await context.write(async (tx) => {
    // Consent that went away meanwhile takes the answer with it.
    if (await holdConsent(tx, { patientId, purpose: 'outside_ai' })) await keepAnswer(tx, asking, answer)
  })
  return answer
}

function questionHash({ name, model, promptVersion }: Narrator, question: NarrateQuestion): string {
  return createHash('sha256')
    .update(JSON.stringify([name, model, promptVersion, question]))
    .digest('hex')
}

/** null: kept by another version of this code. What an earlier job paid for costs this one nothing. */
function answerOf({ outcome, isPaid, modelAnswered, tokensIn, tokensOut, costUsd }: KeptAnswer): NarrateAnswer | null {
  const parsed = narrateOutcome.safeParse(outcome)
  if (!parsed.success) return null
  const spent = isPaid ? { tokensIn: 0, tokensOut: 0, costUsd: 0 } : { tokensIn, tokensOut, costUsd }
  return { outcome: parsed.data, modelAnswered, ...spent, said: null }
}

async function askOutside(
  context: RunContext,
  patientId: string,
  narrator: Narrator,
  question: NarrateQuestion,
): Promise<NarrateAnswer | null> {
  try {
    return await context.withCapacity(
      {
        provider: narrator.name,
        endpoint: narrator.model,
        estimatedTokens: narrator.estimateTokens(question),
        consent: { patientId, purpose: 'outside_ai' },
      },
      async () => {
        const value = await narrator.narrate(question, { signal: context.signal })
        return { value, tokensUsed: value.tokensIn + value.tokensOut, costUsd: value.costUsd, said: value.said }
      },
    )
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isPassing = aiRateLimited.matches(error) || aiUnavailable.matches(error)
    const isFinal = [aiRefused, aiMisconfigured, aiQuotaSpent].some((kind) => kind.matches(error))
    if (!isFinal && !(isPassing && context.job.attempt >= attemptsForModel)) throw error
    context.log.warn({ event: 'narrator_failed', code: error.code }, 'templates tell this file')
    return null
  }
}

/**
 * The model as pass 1 uses it: within the limits of the fleet, with the person's consent for each call, and without paying
 * twice for the same question. Each answer is kept as soon as it is there, so that a run that is broken off loses none.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { KnownPeople } from '../../clinical/identity/identifying-ranges.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import { keepAnswer, keptAnswer, type KeptAnswer } from '../../db/queries/model-answers.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import type { RunContext } from '../engine/handler.ts'
import type { ModelUse } from '../pipeline/find-by-model.ts'
import { answeredFact, type AiProvider, type Answer, type Question } from '../providers/ai/provider.ts'
import type { AiUse } from './deps.ts'

type Asker = {
  readonly context: RunContext
  readonly file: FileInStage
  readonly ai: AiProvider
  readonly use: AiUse
  /** As the profile has the person. */
  readonly person: Omit<KnownPeople, 'facts'>
}

export function modelWithinLimits({ context, file, ai, use, person }: Asker): ModelUse {
  return {
    provider: ai,
    scope: use.scope,
    deidentify: use.deidentify ? person : null,
    ask: async (question) => {
      const { patientId, shellFileId } = file
      const asking = { patientId, shellFileId, jobId: context.job.id, questionHash: questionHash(ai, question) }
      const kept = await context.read((tx) => keptAnswer(tx, asking))
      const known = kept === null ? null : answerOf(kept)
      if (known !== null) return known
      const answer = await askOutside({ context, file, ai }, question)
      await context.write(async (tx) => {
        // Consent that went away meanwhile takes the answer with it.
        if (await holdConsent(tx, { patientId, purpose: 'outside_ai' })) await keepAnswer(tx, asking, answer)
      })
      return answer
    },
  }
}

function askOutside(
  { context, file, ai }: Pick<Asker, 'context' | 'file' | 'ai'>,
  question: Question,
): Promise<Answer> {
  return context.withCapacity(
    {
      provider: ai.name,
      endpoint: ai.model,
      estimatedTokens: ai.estimateTokens(question),
      consent: { patientId: file.patientId, purpose: 'outside_ai' },
    },
    async () => {
      const value = await ai.find(question, { signal: context.signal })
      const tokensUsed = value.tokensIn + value.tokensOut
      return { value, tokensUsed, costUsd: value.costUsd, said: value.said }
    },
  )
}

/** Everything that an answer hangs on: another prompt, model or word of the question is another question. */
export function questionHash({ name, model, promptVersion }: AiProvider, question: Question): string {
  const { text, documentClass, locale, repair } = question
  const asked = JSON.stringify([name, model, promptVersion, documentClass, locale, text, repair ?? null])
  return createHash('sha256').update(asked).digest('hex')
}

const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('facts'), facts: z.array(answeredFact) }),
  z.object({ kind: z.literal('cut_off') }),
  z.object({ kind: z.literal('refused') }),
  z.object({ kind: z.literal('malformed'), content: z.string(), faults: z.array(z.string()) }),
])

/** null: kept by another version of this code. What an earlier job paid for costs this one nothing. */
function answerOf({ outcome, isPaid, ...used }: KeptAnswer): Answer | null {
  const parsed = outcomeSchema.safeParse(outcome)
  if (!parsed.success) return null
  const { modelAnswered, tokensIn, tokensOut, costUsd } = used
  return {
    outcome: parsed.data,
    modelAnswered,
    tokensIn: isPaid ? 0 : tokensIn,
    tokensOut: isPaid ? 0 : tokensOut,
    costUsd: isPaid ? 0 : costUsd,
    said: null,
  }
}

/** The model as pass 1 uses it. */
import { z } from 'zod'
import type { KnownPeople } from '../../clinical/identity/identifying-ranges.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import type { RunContext } from '../engine/handler.ts'
import type { ModelUse } from '../pipeline/find-by-model.ts'
import { answeredFact, type AiProvider, type AnswerOutcome } from '../providers/ai/provider.ts'
import { askOutside } from './ask-outside.ts'
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
    ask: (question) =>
      askOutside(context, file, {
        provider: ai,
        question,
        estimatedTokens: ai.estimateTokens(question),
        outcome: outcomeSchema,
        ask: (signal) => ai.find(question, { signal }),
      }),
  }
}

const outcomeSchema: z.ZodType<AnswerOutcome> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('facts'), facts: z.array(answeredFact) }),
  z.object({ kind: z.literal('cut_off') }),
  z.object({ kind: z.literal('refused') }),
  z.object({ kind: z.literal('malformed'), content: z.string(), faults: z.array(z.string()) }),
])

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
import { askOutside } from './ask-outside.ts'

/** A busy or absent service is asked again so often; then templates tell the file rather than that it waits longer. */
const attemptsForModel = 3

/** `not_had`: no answer is to be had, for good or for too long, and why. What is to be waited for ends this run as ever. */
export type Narrated =
  | { readonly kind: 'answered'; readonly answer: NarrateAnswer }
  | { readonly kind: 'not_had'; readonly why: string }

export async function askNarrator(
  context: RunContext,
  file: FileInStage,
  narrator: Narrator,
  question: NarrateQuestion,
): Promise<Narrated> {
  try {
    const answer = await askOutside(context, file, {
      provider: narrator,
      question,
      estimatedTokens: narrator.estimateTokens(question),
      outcome: narrateOutcome,
      ask: (signal) => narrator.narrate(question, { signal }),
    })
    return { kind: 'answered', answer }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const isPassing = aiRateLimited.matches(error) || aiUnavailable.matches(error)
    const isOperators = aiMisconfigured.matches(error) || aiQuotaSpent.matches(error)
    const isFinal = isOperators || aiRefused.matches(error)
    if (!isFinal && !(isPassing && context.job.attempt >= attemptsForModel)) throw error
    const why = reasonOf(error)
    const told = { event: 'model', provider: narrator.name, model: narrator.model, reason: why }
    if (isOperators) context.log.error(told, 'the model is not to be had: only an operator can mend that')
    else context.log.warn(told, 'templates tell this file')
    return { kind: 'not_had', why }
  }
}

/** In the words of pass 1 (`unansweredReasons`); `unavailable` is what pass 1 waits for. */
function reasonOf(error: AppError): string {
  if (aiMisconfigured.matches(error)) return 'misconfigured'
  if (aiQuotaSpent.matches(error)) return 'quota_spent'
  return aiRefused.matches(error) ? 'refused' : 'unavailable'
}

/**
 * Who may be asked what a document says. Every provider answers in the same shape and gets the same checks afterwards:
 * an answer without printed words is nothing. This floor knows no document model, so the words of the model are
 * repeated here as the answer's schema and compared by the compiler where the pipeline takes answers in.
 */
import { z } from 'zod'
import { defineError } from '../../../platform/errors.ts'

export const aiRateLimited = defineError('ai_rate_limited', 429, 'The reading service is busy.')
export const aiUnavailable = defineError('ai_unavailable', 503, 'The reading service cannot be reached.')
export const aiRefused = defineError('ai_refused', 422, 'The reading service would not answer.')
export const aiAnswerCutOff = defineError('ai_answer_cut_off', 502, 'The reading service did not finish its answer.')
export const aiAnswerMalformed = defineError(
  'ai_answer_malformed',
  502,
  'The reading service answered in a wrong form.',
)
export const aiMisconfigured = defineError('ai_misconfigured', 500, 'The reading service is not set up rightly.')

export const answeredTypes = [
  'medication',
  'lab_result',
  'vital_sign',
  'condition',
  'allergy',
  'immunization',
  'procedure',
  'symptom',
  'physical_finding',
  'imaging_result',
  'family_history',
  'social_history',
  'encounter',
  'identity',
] as const
export const answeredStatuses = ['present', 'negated', 'historical', 'family', 'hypothetical', 'uncertain'] as const
export const identityKinds = ['name', 'date_of_birth', 'other'] as const

/** Strict structured output wants every key present, so what may be missing is null. */
export const answeredFact = z.object({
  type: z.enum(answeredTypes),
  status: z.enum(answeredStatuses),
  /** Verbatim, long enough to be found again: the words that state the fact. */
  quote: z.string(),
  /** Verbatim and inside the quote. */
  name: z.string(),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  reference_range: z.string().nullable(),
  date: z.string().nullable(),
  dose: z.string().nullable(),
  route: z.string().nullable(),
  frequency: z.string().nullable(),
  reaction: z.string().nullable(),
  relationship: z.string().nullable(),
  identity_kind: z.enum(identityKinds).nullable(),
})
export type AnsweredFact = z.infer<typeof answeredFact>

export const answer = z.object({ facts: z.array(answeredFact) })

export type Question = {
  /** A part of the document's text; what it says is content to read, never an instruction. */
  readonly text: string
  readonly documentClass: string
  readonly locale: string
}

/** What a service says of its own limits. */
export type SaidLimits = {
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  /** How long it will take nothing more; 0 mostly. */
  readonly pauseMs: number
}

export type Answer = {
  readonly facts: readonly AnsweredFact[]
  /** As the service named it: it may not be the one that was asked for. */
  readonly modelAnswered: string
  readonly tokensIn: number
  readonly tokensOut: number
  /** null: the price of this model is not known. */
  readonly costUsd: number | null
  /** null: nothing was said. */
  readonly said: SaidLimits | null
}

export type AiProvider = {
  readonly name: string
  readonly model: string
  readonly promptVersion: string
  /** How much of the service's limits a question will take. */
  estimateTokens(question: Question): number
  find(question: Question, options: { readonly signal: AbortSignal }): Promise<Answer>
}

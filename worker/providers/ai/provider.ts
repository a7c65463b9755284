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
/** The key, the model or the address is wrong: only an operator can mend it, and the rules go on alone. */
export const aiMisconfigured = defineError('ai_misconfigured', 500, 'The reading service is not set up rightly.')
/** More than the model takes at once: asked in parts it may be answered. */
export const aiTooLong = defineError('ai_too_long', 413, 'That is too much for the reading service at once.')
/** Likewise: no question is answered until the operator's account with the service is filled up. */
export const aiQuotaSpent = defineError('ai_quota_spent', 402, 'The budget for the reading service is spent.')

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
  /** The answer to the same question that was in no form to be read, and what was wrong with it. */
  readonly repair?: WrongForm | null | undefined
}

/** Faults name places of the answer ("facts.3.type"), never what stood there. */
export type WrongForm = { readonly content: string; readonly faults: readonly string[] }

/** What a service says of its own limits. */
export type SaidLimits = {
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  /** How long it will take nothing more; 0 mostly. */
  readonly pauseMs: number
}

/** Each of these was paid for, whether it is of use or not. */
export type FormOutcome<Form> =
  | { readonly kind: 'answered'; readonly value: Form }
  /** It ended in the middle: the question was too long. */
  | { readonly kind: 'cut_off' }
  /** The service or the model would not answer. */
  | { readonly kind: 'refused' }
  | ({ readonly kind: 'malformed' } & WrongForm)

export type AnswerOutcome =
  | { readonly kind: 'facts'; readonly facts: readonly AnsweredFact[] }
  | Exclude<FormOutcome<never>, { readonly kind: 'answered' }>

export type Paid<Outcome> = {
  readonly outcome: Outcome
  /** As the service named it: it may not be the one that was asked for. */
  readonly modelAnswered: string
  readonly tokensIn: number
  readonly tokensOut: number
  /** null: the price of this model is not known. */
  readonly costUsd: number | null
  /** null: nothing was said. */
  readonly said: SaidLimits | null
}

export type Answer = Paid<AnswerOutcome>

export type AiProvider = {
  readonly name: string
  readonly model: string
  readonly promptVersion: string
  /** How much of the service's limits a question will take. */
  estimateTokens(question: Question): number
  find(question: Question, options: { readonly signal: AbortSignal }): Promise<Answer>
}

import type { Answer, AnsweredFact } from '../../worker/providers/ai/provider.ts'

/** A fact as a model says it: what is not given is null, as the schema wants it. */
export const said = (fact: Partial<AnsweredFact> & Pick<AnsweredFact, 'type' | 'quote' | 'name'>): AnsweredFact => ({
  status: 'present',
  value: null,
  unit: null,
  reference_range: null,
  date: null,
  dose: null,
  route: null,
  frequency: null,
  reaction: null,
  relationship: null,
  identity_kind: null,
  ...fact,
})

export const answered = (facts: readonly AnsweredFact[], changes: Partial<Answer> = {}): Answer => ({
  ...unusable({ kind: 'facts', facts }),
  ...changes,
})

/** An answer of whatever kind, paid for. */
export const unusable = (outcome: Answer['outcome']): Answer => ({
  outcome,
  modelAnswered: 'answering-model',
  tokensIn: 10,
  tokensOut: 5,
  costUsd: null,
  said: null,
})

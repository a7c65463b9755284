/** The same finding printed twice in one document is one fact with all its places. */
import type { FoundFact } from '../document/found-fact.ts'
import { tokenise } from '../terminology/tokens.ts'

const rank: Record<FoundFact['strength'], number> = { strong: 2, fair: 1, weak: 0 }

export function mergeDuplicates(facts: readonly FoundFact[]): FoundFact[] {
  const merged = new Map<string, FoundFact>()
  for (const fact of facts) {
    const key = keyOf(fact)
    const known = merged.get(key)
    merged.set(key, known ? join(known, fact) : fact)
  }
  return [...merged.values()]
}

/** "Possible stenosis" that the same document rules out further down is not a possibility any more. */
export function withoutRuledOut(facts: readonly FoundFact[]): FoundFact[] {
  const denied = facts.filter((fact) => fact.status === 'negated' && fact.concept !== null)
  return facts.filter((fact) => {
    if (fact.status !== 'uncertain' && fact.status !== 'hypothetical') return true
    return !denied.some((other) => other.concept === fact.concept && lastPlace(other) > lastPlace(fact))
  })
}

function lastPlace(fact: FoundFact): number {
  return Math.max(...fact.spans.map((span) => span.start))
}

/** Only what agrees in everything that matters: two values, two days or two polarities stay two facts. */
function keyOf(fact: FoundFact): string {
  const name = tokenise(fact.text)
    .map((token) => token.key)
    .join(' ')
  const isUndated =
    fact.type === 'condition' ||
    fact.type === 'symptom' ||
    fact.type === 'allergy' ||
    fact.type === 'identity' ||
    fact.type === 'family_history'
  return JSON.stringify([
    fact.type,
    name,
    fact.status,
    fact.value,
    fact.unit,
    isUndated && fact.date?.meaning !== 'onset' ? null : (fact.date?.iso ?? null),
    fact.detail.identityKind ?? fact.detail.relationship ?? fact.detail.frequency ?? fact.detail.doseNumber ?? null,
  ])
}

function join(first: FoundFact, second: FoundFact): FoundFact {
  const [best, other] = rank[second.strength] > rank[first.strength] ? [second, first] : [first, second]
  const isNew = (span: FoundFact['spans'][number]) =>
    !best.spans.some((own) => own.role === span.role && own.start === span.start)
  return {
    ...best,
    referenceRange: best.referenceRange ?? other.referenceRange,
    date: best.date ?? other.date,
    detail: { ...other.detail, ...best.detail },
    concept: best.concept ?? other.concept,
    spans: [...best.spans, ...other.spans.filter(isNew)],
  }
}

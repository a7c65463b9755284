/** The same finding printed twice in one document is one fact with all its places. */
import type { FoundFact } from '../../document/found-fact.ts'
import { tokenise } from '../../terminology/tokens.ts'

const rank: Record<FoundFact['strength'], number> = { strong: 2, fair: 1, weak: 0 }

export function mergeDuplicates(facts: readonly FoundFact[]): FoundFact[] {
  return [...Map.groupBy(facts, keyOf).values()].flatMap((same) => {
    const [first, ...others] = same
    return first === undefined ? [] : [joined(first, others)]
  })
}

/** "Possible stenosis" that the same document rules out further down is not a possibility any more. */
export function withoutRuledOut(facts: readonly FoundFact[]): FoundFact[] {
  const lastDenied = new Map<string | null, number>()
  for (const fact of facts) {
    if (fact.status !== 'negated' || fact.concept === null) continue
    lastDenied.set(fact.concept, Math.max(lastPlace(fact), lastDenied.get(fact.concept) ?? 0))
  }
  return facts.filter((fact) => {
    if (fact.status !== 'uncertain' && fact.status !== 'hypothetical') return true
    return (lastDenied.get(fact.concept) ?? 0) <= lastPlace(fact)
  })
}

function lastPlace(fact: FoundFact): number {
  return fact.spans.reduce((last, span) => Math.max(last, span.start), 0)
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
    isMeasured(fact) ? (fact.detail.laterality ?? null) : null,
  ])
}

/** 15 on the right and 15 on the left are two readings. */
const isMeasured = ({ type }: FoundFact) => type === 'lab_result' || type === 'vital_sign'

/** A heading that each page repeats is joined hundreds of times: the places gather in one list. */
function joined(first: FoundFact, others: readonly FoundFact[]): FoundFact {
  let best = first
  let places = placesFrom([first])
  for (const other of others) {
    const isBetter = rank[other.strength] > rank[best.strength]
    places = isBetter ? placesFrom([other, { spans: places.spans }]) : withPlaces(places, other)
    best = isBetter ? join(other, best) : join(best, other)
  }
  return { ...best, spans: places.spans }
}

function join(best: FoundFact, other: FoundFact): FoundFact {
  return {
    ...best,
    referenceRange: best.referenceRange ?? other.referenceRange,
    date: best.date ?? other.date,
    detail: { ...other.detail, ...best.detail },
    concept: best.concept ?? other.concept,
  }
}

type Places = { readonly spans: FoundFact['spans'][number][]; readonly seen: Set<string> }

function placesFrom(facts: readonly Pick<FoundFact, 'spans'>[]): Places {
  const [first, ...others] = facts
  const spans = [...(first?.spans ?? [])]
  const places = { spans, seen: new Set(spans.map(placeKey)) }
  return others.reduce(withPlaces, places)
}

function withPlaces(places: Places, { spans }: Pick<FoundFact, 'spans'>): Places {
  const added = spans.filter((span) => !places.seen.has(placeKey(span)))
  for (const span of added) {
    places.seen.add(placeKey(span))
    places.spans.push(span)
  }
  return places
}

const placeKey = ({ role, start }: FoundFact['spans'][number]) => `${role} ${start}`

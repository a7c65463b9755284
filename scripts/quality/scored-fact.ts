/** A found fact in the scorers' format. What the record would not assert is not asserted here either. */
import type { Box } from '../../clinical/document/page.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'

const typeNames: Partial<Record<FoundFact['type'], string>> = {
  medication: 'medication',
  lab_result: 'observation',
  vital_sign: 'vital',
  condition: 'condition',
  allergy: 'allergy',
  immunization: 'immunization',
  procedure: 'procedure',
  encounter: 'encounter',
  family_history: 'condition',
}

export function scoredFact(document: MappedDocument, fact: FoundFact) {
  // A denied symptom is a denial worth checking; an asserted one is no diagnosis and is not scored.
  const type = fact.type === 'symptom' && fact.status === 'negated' ? 'condition' : typeNames[fact.type]
  if (type === undefined || (fact.status === 'hypothetical' && type !== 'procedure' && type !== 'medication')) return []
  const place = placeOf(document, fact)
  return [
    {
      type,
      text: fact.text,
      value: fact.value ?? undefined,
      unit: fact.unit ?? undefined,
      date: fact.date?.iso,
      status: statusOf(fact),
      frequency: frequencyOf(fact),
      ...place,
    },
  ]
}

function statusOf(fact: FoundFact): string {
  if (fact.status === 'hypothetical') return 'planned'
  return fact.type === 'medication' && fact.detail.clinicalStatus === 'stopped' && fact.status === 'historical'
    ? 'stopped'
    : fact.status
}

function frequencyOf({ type, detail }: FoundFact): string | undefined {
  if (type !== 'medication') return undefined
  const dose =
    detail.dose && /[a-z]{3}/i.test(detail.dose) && !/\b(mg|mcg|units)\b/.test(detail.dose) ? detail.dose : ''
  return [dose, detail.frequency].filter(Boolean).join(' ') || undefined
}

/** The hull of what was printed of it, but for the reference range: what a reviewer is shown. */
function placeOf(document: MappedDocument, fact: FoundFact): { page: number; bbox: Box } | null {
  const name = fact.spans.find((span) => span.role === 'name')
  const first =
    name &&
    document.words.find((word) => word.start < name.start + name.length && name.start < word.start + word.length)
  if (!first) return null
  const shown = fact.spans.filter((span) => span.role !== 'reference_range' && span.role !== 'cue')
  const words = document.words.filter(
    (word) =>
      word.page === first.page &&
      shown.some((span) => word.start < span.start + span.length && span.start < word.start + word.length),
  )
  const edge = (pick: (box: Box) => number, choose: (...values: number[]) => number) =>
    choose(...words.map((word) => pick(word.box)))
  return {
    page: first.page,
    bbox: [
      edge((box) => box[0], Math.min),
      edge((box) => box[1], Math.min),
      edge((box) => box[2], Math.max),
      edge((box) => box[3], Math.max),
    ],
  }
}

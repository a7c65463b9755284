/** A found fact in the scorers' format. What the record would not assert is not asserted here either. */
import type { Box, Page } from '../../clinical/document/page.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { turnBox } from '../../worker/pipeline/read/geometry.ts'

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

export type MeasuredDocument = { readonly mapped: MappedDocument; readonly pages: readonly Page[] }

export function scoredFact(document: MeasuredDocument, fact: FoundFact) {
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
function placeOf({ mapped, pages }: MeasuredDocument, fact: FoundFact): { page: number; bbox: Box } | null {
  const name = fact.spans.find((span) => span.role === 'name')
  const first = name && mapped.words.find((word) => touches(word, name))
  if (!first) return null
  const shown = fact.spans.filter((span) => span.role !== 'reference_range' && span.role !== 'cue')
  const words = mapped.words.filter((word) => word.page === first.page && shown.some((span) => touches(word, span)))
  const edge = (place: 0 | 1 | 2 | 3, choose: (...values: number[]) => number) =>
    choose(...words.map((word) => word.box[place]))
  const upright: Box = [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)]
  const rotation = pages.find((page) => page.number === first.page)?.rotation ?? 0
  // The truth's boxes are those of the picture as it came in.
  return { page: first.page, bbox: turnBox(upright, rotation === 90 ? 270 : rotation === 270 ? 90 : rotation) }
}

function touches(word: Extent, span: Extent): boolean {
  return word.start < span.start + span.length && span.start < word.start + word.length
}

type Extent = { readonly start: number; readonly length: number }

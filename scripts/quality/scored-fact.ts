/** A found fact in the scorers' format. What the record would not assert is not asserted here either. */
import type { Box, Page } from '../../clinical/document/page.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { PlacedFact, PlacedSource } from '../../worker/pipeline/place-facts.ts'
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

export function scoredFact(document: MeasuredDocument, { fact, sources }: PlacedFact) {
  // A denied symptom is a denial worth checking; an asserted one is no diagnosis and is not scored.
  const type = fact.type === 'symptom' && fact.status === 'negated' ? 'condition' : typeNames[fact.type]
  // What no relative has says nothing of the patient, and the truth does not list it.
  if (fact.type === 'family_history' && fact.status === 'negated') return []
  if (type === undefined || (fact.status === 'hypothetical' && type !== 'procedure' && type !== 'medication')) return []
  const place = placeOf(document, fact, sources)
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

/** The hull of what its name's line prints of it, but for the reference range and reactions: what a reviewer is shown. */
function placeOf(
  { mapped, pages }: MeasuredDocument,
  fact: FoundFact,
  [name, ...others]: PlacedFact['sources'],
): { page: number; bbox: Box } {
  const isPart = ({ role }: PlacedSource) =>
    role !== 'reference_range' && role !== 'cue' && (role !== 'detail' || fact.type === 'medication')
  const shown = [name, ...others.filter((source) => isPart(source) && isOnLineOf(mapped.text, source, name))]
  const upright: Box = [
    Math.min(...shown.map(({ x0 }) => x0)),
    Math.min(...shown.map(({ y0 }) => y0)),
    Math.max(...shown.map(({ x1 }) => x1)),
    Math.max(...shown.map(({ y1 }) => y1)),
  ]
  const rotation = pages.find((page) => page.number === name.pageNumber)?.rotation ?? 0
  // The truth's boxes are those of the picture as it came in.
  return { page: name.pageNumber, bbox: turnBox(upright, rotation === 90 ? 270 : rotation === 270 ? 90 : rotation) }
}

function isOnLineOf(text: string, source: PlacedSource, name: PlacedSource): boolean {
  const [from, to] = [Math.min(source.textStart, name.textStart), Math.max(source.textStart, name.textStart)]
  return source.pageNumber === name.pageNumber && !text.slice(from, to).includes('\n')
}

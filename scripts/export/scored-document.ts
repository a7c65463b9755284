/** Facts of the API in the format of the scorers: see `corpus/score/README.md` for what each field means. */
import type { ApiFact, ApiSource } from '../../db/queries/facts.ts'

export type ExportedDocument = {
  readonly doc: string
  readonly facts: readonly ScoredFact[]
  readonly pages: readonly ScoredPage[]
}

export type ScoredPage = {
  readonly page: number
  readonly text: string
  readonly words: readonly (readonly [text: string, x0: number, y0: number, x1: number, y1: number])[]
}

export type ScoredFact = {
  readonly type: string
  readonly text: string
  readonly code?: { readonly system: string; readonly code: string }
  readonly value?: string
  readonly unit?: string
  readonly date?: string
  readonly status: string
  readonly page?: number
  readonly bbox?: ApiSource['box']
}

const typeNames: { readonly [Type in ApiFact['type']]?: string } = {
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

/**
 * Exported is what the record says, and what it would say if a person let a held document in: nothing that is kept and
 * shown outside of it. Nor is who the document is about, or what it names as possible only; a denied symptom is a
 * denial worth checking.
 */
export function scoredFacts(fact: ApiFact): ScoredFact[] {
  if (!fact.in_record && !fact.held) return []
  const type = fact.type === 'symptom' && fact.status === 'negated' ? 'condition' : typeNames[fact.type]
  const isPlan = fact.type === 'medication' || fact.type === 'procedure'
  if (type === undefined || (fact.status === 'hypothetical' && !isPlan)) return []
  const [first] = fact.sources
  return [
    {
      type,
      text: fact.text,
      ...(fact.code === null ? {} : { code: { system: fact.code.system, code: fact.code.code } }),
      ...(fact.value === null ? {} : { value: fact.value }),
      ...(fact.unit === null ? {} : { unit: fact.unit }),
      ...(fact.date === null ? {} : { date: fact.date }),
      status: fact.status === 'hypothetical' ? 'planned' : fact.status,
      ...(first === undefined ? {} : { page: first.page, bbox: boxOfRow(first, fact.sources) }),
    },
  ]
}

/** The hull of what stands in the row of the name: a date in the page's head is a source, but not this fact's place. */
function boxOfRow(name: ApiSource, sources: readonly ApiSource[]): ApiSource['box'] {
  const inRow = sources.filter(({ page, box }) => page === name.page && isInRow(box, name.box))
  const boxes = inRow.map((source) => source.box)
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[2])),
    Math.max(...boxes.map((box) => box[3])),
  ]
}

function isInRow(box: ApiSource['box'], name: ApiSource['box']): boolean {
  const middle = (box[1] + box[3]) / 2
  return middle >= name[1] && middle <= name[3]
}

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
  readonly bbox?: ScorablePlace['box']
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
/** What review adds is not scored. */
type ScorablePlace = Omit<ApiSource, 'text_version' | 'fact_id'>
type Unscored = 'detail' | 'version' | 'decision_id' | 'as_found' | 'is_separate' | 'also_in' | 'sources'
export type ScorableFact = Omit<ApiFact, Unscored> & { readonly sources: readonly ScorablePlace[] }

/** `text` is the one that the fact's sources point into. */
export function scoredFacts(fact: ScorableFact, text: string): ScoredFact[] {
  if (!fact.in_record && !fact.held) return []
  const type = fact.type === 'symptom' && fact.status === 'negated' ? 'condition' : typeNames[fact.type]
  // What no relative has says nothing of the patient.
  if (fact.type === 'family_history' && fact.status === 'negated') return []
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
      ...(first === undefined ? {} : { page: first.page, bbox: boxOfRow(first, fact, text) }),
    },
  ]
}

/** The hull of what stands on the line of the name: a date in the page's head is a source, but not this fact's place. */
function boxOfRow(name: ScorablePlace, fact: ScorableFact, text: string): ScorablePlace['box'] {
  const boxes = fact.sources
    .filter((source) => source === name || (isOnLineOf(source, name, text) && source.quote !== fact.reference_range))
    .map((source) => source.box)
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[2])),
    Math.max(...boxes.map((box) => box[3])),
  ]
}

// By the text, not by the boxes: on a skewed scan the end of a row lies beside the start of the next one.
function isOnLineOf(source: ScorablePlace, name: ScorablePlace, text: string): boolean {
  const [from, to] = [Math.min(source.start, name.start), Math.max(source.start, name.start)]
  return source.page === name.page && !text.slice(from, to).includes('\n')
}

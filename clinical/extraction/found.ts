/** How a finder hands over what it found. */
import type { FactDetail, FactStatus, FactType, FoundDate, FoundFact, Span, SpanRole } from '../document/found-fact.ts'
import type { MappedDocument } from '../document/mapped.ts'
import { touchedBy } from '../document/places.ts'
import {
  allergenLexicon,
  conditionLexicon,
  medicineLexicon,
  observationLexicon,
  procedureLexicon,
} from '../terminology/concepts.ts'
import type { Lexicon } from '../terminology/lexicon.ts'
import { tokenise } from '../terminology/tokens.ts'
import type { DatedContext } from './statements/dated-context.ts'
import type { LineRole } from './statements/line-roles.ts'
import type { Segment } from './statements/segments.ts'
import type { UnderHeading } from './results/specimens.ts'

/** What every finder may look at. */
export type Reading = {
  readonly document: MappedDocument
  readonly segments: readonly Segment[]
  /** One for each line of the document. */
  readonly roles: readonly LineRole[]
  readonly dates: DatedContext
  /** One for each line of the document. */
  readonly headings: readonly UnderHeading[]
}

export type Range = { readonly start: number; readonly end: number }

export type Found = {
  readonly type: FactType
  readonly name: Range
  readonly status?: FactStatus
  readonly value?: string | null
  readonly unit?: string | null
  readonly referenceRange?: string | null
  readonly date?: FoundDate | null
  readonly detail?: FactDetail
  readonly parts?: readonly (readonly [SpanRole, Range | null | undefined])[]
  readonly concept?: string | null
  readonly strength?: FoundFact['strength']
}

const foundBy = { pass: 1, provider: 'local', model: 'rules', promptVersion: null } as const

export function foundFact(document: MappedDocument, found: Found): FoundFact {
  return {
    type: found.type,
    text: legibleName(document, found.type, found.name),
    status: found.status ?? 'present',
    value: found.value ?? null,
    unit: found.unit ?? null,
    referenceRange: found.referenceRange ?? null,
    date: found.date ?? null,
    detail: found.detail ?? {},
    spans: spansOf([['name', found.name], ...(found.parts ?? [])]),
    concept: found.concept ?? null,
    strength: found.strength ?? 'fair',
    foundBy,
  }
}

const lexicons: Partial<Record<FactType, () => Lexicon<unknown>>> = {
  medication: medicineLexicon,
  lab_result: observationLexicon,
  vital_sign: observationLexicon,
  condition: conditionLexicon,
  symptom: conditionLexicon,
  family_history: conditionLexicon,
  procedure: procedureLexicon,
  allergy: allergenLexicon,
}

/** As printed. A word that was recognised from a picture, and misread, is written as the dictionary writes it. */
function legibleName(document: MappedDocument, type: FactType, range: Range): string {
  const text = document.text.slice(range.start, range.end)
  const lexicon = lexicons[type]?.()
  const legible =
    lexicon && isRecognised(document, range)
      ? tokenise(text).reduceRight((corrected, token) => {
          const key = lexicon.correct(token.key)
          const word = key === token.key ? null : (lexicon.words.get(key) ?? null)
          return word === null
            ? corrected
            : `${corrected.slice(0, token.start)}${casedLike(token.text, word)}${corrected.slice(token.end)}`
        }, text)
      : text
  return legible.replace(/\s+/g, ' ').trim()
}

/** From a picture, so that letters may be others. */
export function isRecognised(document: MappedDocument, range: Range): boolean {
  return touchedBy(document.words, range).some((word) => word.confidence01 < 1)
}

/** Words that no dictionary knows only count where the reader was sure of them: specks and stains read as letters. */
export function isLegible({ document }: Reading, range: Range): boolean {
  const text = document.text.slice(range.start, range.end)
  const isSure = touchedBy(document.words, range).every((word) => word.confidence01 >= 0.7)
  return isSure && /\p{L}{4}/u.test(text) && (text.match(/[^\p{L}\p{N}\s(),/'’-]/gu)?.length ?? 0) <= 1
}

function casedLike(printed: string, word: string): string {
  if (/^\p{Lu}/u.test(word) || /\d/.test(word)) return word
  return /^\p{Lu}/u.test(printed) ? word.slice(0, 1).toUpperCase() + word.slice(1) : word
}

export function trimmed(text: string, range: Range, edge = /[\s:;,.–-]/): Range {
  let { start, end } = range
  while (start < end && edge.test(text[start] ?? '')) start += 1
  while (end > start && edge.test(text[end - 1] ?? '')) end -= 1
  return { start, end }
}

function spansOf(parts: readonly (readonly [SpanRole, Range | null | undefined])[]): Span[] {
  return parts.flatMap(([role, range]) =>
    range && range.end > range.start ? [{ role, start: range.start, length: range.end - range.start }] : [],
  )
}

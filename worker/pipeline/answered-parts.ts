/**
 * Finds the parts of an answered fact again: value, unit, range, date and details. Each must be printed where the fact
 * is printed, whole, and beside its name: a part that is somewhere else is another fact's.
 */
import type { FactDetail, Span, SpanRole } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { touchedBy } from '../../clinical/document/places.ts'
import type { Range } from '../../clinical/extraction/found.ts'
import {
  allergenLexicon,
  medicineLexicon,
  observationLexicon,
  vaccineLexicon,
} from '../../clinical/terminology/concepts.ts'
import { findTerms, type Lexicon } from '../../clinical/terminology/lexicon.ts'
import { tokenise } from '../../clinical/terminology/tokens.ts'
import type { AnsweredFact } from '../providers/ai/provider.ts'
import { alignQuote } from './align-quote.ts'

export type PartRefusal = 'value_not_printed' | 'value_in_part' | 'value_elsewhere' | 'unit_in_part' | 'unit_elsewhere'

export type Parts = {
  readonly value: Range | null
  readonly unit: Range | null
  readonly referenceRange: Range | null
  readonly detail: FactDetail
  readonly spans: readonly Span[]
  /** What was said beside the fact and is not printed beside it: left out. */
  readonly dropped: number
}

/** How far from the name's own statement a quote may reach for its parts. */
const furthest = 240

/** The statement or row that the name stands in, and the quote around it as far as it is one. */
export function neighbourhood(document: MappedDocument, own: Range, quote: Range): Range {
  const rows = touchedBy(document.lines, own).filter(({ kind }) => kind === 'table_row')
  const from = Math.min(own.start, ...rows.map(({ start }) => start))
  const to = Math.max(own.end, ...rows.map(({ start, length }) => start + length))
  return {
    start: Math.min(from, Math.max(quote.start, from - furthest)),
    end: Math.max(to, Math.min(quote.end, to + furthest)),
  }
}

export function partsOf(document: MappedDocument, said: AnsweredFact, name: Range, around: Range): Parts | PartRefusal {
  const { text } = document
  const locate = (words: string | null) => nearestExact(text, words, name, around)
  const value = locate(said.value)
  // A unit stands behind its number.
  const unit = nearestExact(text, said.unit, value ?? name, around)
  const referenceRange = locate(said.reference_range)
  // A number that is not printed where the fact is printed is an invented one.
  if (isMissing(said.value, value) || isMissing(said.unit, unit) || isMissing(said.reference_range, referenceRange))
    return 'value_not_printed'
  const wrong = faultOf(text, said, { name, value, unit, referenceRange })
  if (wrong !== null) return wrong
  const details = detailsOf(text, said, name, locate)
  const spans = [
    ...(value === null ? [] : [spanOf('value', value)]),
    ...(unit === null ? [] : [spanOf('unit', unit)]),
    ...(referenceRange === null ? [] : [spanOf('reference_range', referenceRange)]),
    ...details.found.map(({ place }) => spanOf('detail', place)),
  ]
  const detail = {
    ...Object.fromEntries(details.found.map(({ key, place }) => [key, printed(text, place)])),
    ...comparatorBefore(text, value),
    ...(said.type === 'identity' && said.identity_kind !== null ? { identityKind: said.identity_kind } : {}),
  }
  return { value, unit, referenceRange, detail, spans, dropped: details.dropped }
}

export const spanOf = (role: SpanRole, { start, end }: Range): Span => ({ role, start, length: end - start })
export const printed = (text: string, { start, end }: Range): string => text.slice(start, end).replace(/\s+/g, ' ')

const isMissing = (words: string | null, place: Range | null) => words !== null && words.trim() !== '' && place === null

/** The place nearest to the name, behind it first: "20 mg … 20 mg" belongs to whom it stands beside. */
function nearestExact(text: string, words: string | null, name: Range, around: Range): Range | null {
  if (words === null || words.trim() === '') return null
  const behind = alignQuote(text, words, name.start, around.end)
  if (behind?.exactness === 'exact') return { start: behind.start, end: behind.end }
  const before = alignQuote(text, words, around.start, name.start)
  return before?.exactness === 'exact' ? { start: before.start, end: before.end } : null
}

type Places = {
  readonly name: Range
  readonly value: Range | null
  readonly unit: Range | null
  readonly referenceRange: Range | null
}

const measured: ReadonlySet<AnsweredFact['type']> = new Set(['lab_result', 'vital_sign'])
const dosed: ReadonlySet<AnsweredFact['type']> = new Set(['medication', 'immunization'])

function faultOf(text: string, said: AnsweredFact, places: Places): PartRefusal | null {
  const { name, value, unit } = places
  if (value === null) return unit === null ? null : 'unit_elsewhere'
  if (isPartOfNumber(text, value)) return 'value_in_part'
  if (measured.has(said.type) || dosed.has(said.type)) {
    const between = text.slice(Math.min(name.end, value.end), Math.max(name.start, value.start))
    const isOwn = value.start >= name.start && value.end <= name.end
    const hasNumber = measured.has(said.type) && /\d/.test(between) && /\d/.test(text.slice(value.start, value.end))
    if (!isOwn && (hasNumber || namesAnother(said.type, between))) return 'value_elsewhere'
  }
  if (unit === null) return null
  if (isPartOfUnit(text, unit)) return 'unit_in_part'
  // Behind its number, with nothing but words of the number's own between them.
  const isBeside = unit.start >= value.start && !/\d/.test(text.slice(value.end, Math.max(value.end, unit.start)))
  return isBeside ? null : 'unit_elsewhere'
}

/** "20" of "20.5", "132" of "132/84", "5" of "5-10", "2.5" of "-2.5", "03" of a date. */
function isPartOfNumber(text: string, { start, end }: Range): boolean {
  const before = text.slice(Math.max(0, start - 5), start)
  const behind = text.slice(end, end + 5)
  const opens = /^\d/.test(text.slice(start, end)) && /\d[.,:]?$|\d\s?[-–/]\s?$|(?:^|[\s(=:])[-−]$|\.$/.test(before)
  const closes = /\d$/.test(text.slice(start, end)) && /^(?:[.,:]?\d|\s?[-–/]\s?\d)/.test(behind)
  return opens || closes
}

/** "mg" of "mg/L", "mmol" of "mmol/L", "g" of "kg". */
function isPartOfUnit(text: string, { start, end }: Range): boolean {
  return (
    /^(?:\s?\/\s?[\p{L}\d]|\^|²|³|[\p{L}%])/u.test(text.slice(end, end + 4)) ||
    /[\p{L}/]$/u.test(text.slice(0, start).slice(-1))
  )
}

const neighbours: { readonly [Type in AnsweredFact['type']]?: () => readonly Lexicon<unknown>[] } = {
  medication: () => [medicineLexicon()],
  allergy: () => [allergenLexicon(), medicineLexicon()],
  immunization: () => [vaccineLexicon()],
  lab_result: () => [observationLexicon()],
  vital_sign: () => [observationLexicon()],
}

/** Another thing of the same kind between a name and a part: the part is that one's. "Brand (substance) 20 mg" is one thing. */
function namesAnother(type: AnsweredFact['type'], between: string): boolean {
  const tokens = tokenise(between.replaceAll(/\([^)]*\)/g, ' '))
  return (neighbours[type]?.() ?? []).some((lexicon) =>
    findTerms(lexicon, tokens).some(({ terms }) => terms.some(({ isAmbiguous }) => !isAmbiguous)),
  )
}

function comparatorBefore(text: string, value: Range | null): FactDetail {
  const sign =
    value === null ? null : /(<=|>=|[<>≤≥])\s?$/.exec(text.slice(Math.max(0, value.start - 3), value.start))?.[1]
  const comparator = sign === '≤' ? '<=' : sign === '≥' ? '>=' : sign
  return comparator === '<' || comparator === '>' || comparator === '<=' || comparator === '>=' ? { comparator } : {}
}

function detailsOf(text: string, said: AnsweredFact, name: Range, locate: (words: string | null) => Range | null) {
  const given = detailKeys.flatMap((key) => {
    const words = said[key]
    return words === null || words.trim() === '' ? [] : [{ key, place: locate(words) }]
  })
  const found = given.flatMap(({ key, place }) =>
    place === null ||
    isPartOfNumber(text, place) ||
    isPartOfUnit(text, place) ||
    namesAnother(said.type, text.slice(Math.min(name.end, place.end), Math.max(name.start, place.start)))
      ? []
      : [{ key, place }],
  )
  return { found, dropped: given.length - found.length }
}

const detailKeys = ['dose', 'route', 'frequency', 'reaction', 'relationship'] as const

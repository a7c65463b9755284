/**
 * Ties a fact to the printed words that it came from. The same for rules and models: what stands on no word of a page
 * is refused and counted.
 */
import { spanRoles, type FoundFact, type Span } from '../../clinical/document/found-fact.ts'
import type { MappedDocument, MappedWord } from '../../clinical/document/mapped.ts'
import { touchedBy } from '../../clinical/document/places.ts'
import { typeBox } from '../../clinical/document/type-boxes.ts'

export type PlacedSource = {
  readonly role: Span['role']
  readonly pageNumber: number
  readonly textStart: number
  readonly textLength: number
  readonly quote: string
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
  readonly confidence01: number
}

export type PlacedFact = {
  readonly fact: FoundFact
  /** The same finding of a later run has the same key. */
  readonly findingKey: string
  /** Name first; one for each line that a span touches. */
  readonly sources: readonly [PlacedSource, ...PlacedSource[]]
}

export type Placing = { readonly placed: readonly PlacedFact[]; readonly refused: number }

export function placeFacts(document: MappedDocument, facts: readonly FoundFact[]): Placing {
  const byKey = new Map<string, PlacedFact>()
  let refused = 0
  for (const fact of facts) {
    const placed = placeFact(document, fact)
    if (placed === null) refused += 1
    else if (!byKey.has(placed.findingKey)) byKey.set(placed.findingKey, placed)
  }
  return { placed: [...byKey.values()], refused }
}

function placeFact(document: MappedDocument, fact: FoundFact): PlacedFact | null {
  const spans = fact.spans.toSorted((a, b) => spanRoles.indexOf(a.role) - spanRoles.indexOf(b.role))
  const [first, ...others] = spans.flatMap((span) => sourcesOf(document, span))
  // The name's own words must be there; a value without its name says nothing.
  if (first === undefined || first.role !== 'name') return null
  return { fact, findingKey: findingKey(fact), sources: [first, ...others] }
}

function findingKey(fact: FoundFact): string {
  const at = (role: Span['role']) => {
    const span = fact.spans.find((each) => each.role === role)
    return span === undefined ? '-' : `${span.start}+${span.length}`
  }
  const key = `${fact.type}:${at('name')}:${at('value')}`
  // A card prints a vaccine once and the days of its doses beside it.
  return at('date') === '-' ? key : `${key}:${at('date')}`
}

function sourcesOf(document: MappedDocument, span: Span): PlacedSource[] {
  const end = span.start + span.length
  return touchedBy(document.lines, { start: span.start, end }).flatMap((line) => {
    const textStart = Math.max(span.start, line.start)
    const piece = { start: textStart, length: Math.min(end, line.start + line.length) - textStart }
    const quote = document.text.slice(piece.start, piece.start + piece.length)
    const words = line.words.flatMap((index) => document.words[index] ?? [])
    const touched = touchedBy(words, { start: textStart, end: textStart + piece.length })
    if (touched.length === 0 || quote.trim() === '') return []
    const printed = ({ start, length, box }: MappedWord) => ({ text: document.text.slice(start, start + length), box })
    const box = typeBox(words.map(printed), touched.map(printed))
    if (!hasExtent(box)) return []
    const [x0, y0, x1, y1] = box
    const where = { textStart, textLength: piece.length, quote, confidence01: legibility01(touched) }
    return [{ role: span.role, pageNumber: line.page, ...where, x0, y0, x1, y1 }]
  })
}

const hasExtent = ([x0, y0, x1, y1]: readonly [number, number, number, number]) =>
  x0 >= 0 && y0 >= 0 && x1 <= 1 && y1 <= 1 && x0 < x1 && y0 < y1

/** A fact is as legible as the least legible of its words. */
function legibility01(words: readonly MappedWord[]): number {
  return Math.min(1, ...words.map(({ confidence01 }) => confidence01))
}

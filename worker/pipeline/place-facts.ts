/**
 * Ties a fact to the printed words that it came from. The same for rules and models: what stands on no word of a page
 * is refused and counted.
 */
import { boxesOf } from '../../clinical/document/boxes.ts'
import { spanRoles, type FoundFact, type Span } from '../../clinical/document/found-fact.ts'
import type { Line, MappedDocument } from '../../clinical/document/mapped.ts'
import { touchedBy } from '../../clinical/document/places.ts'

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
    const [place] = boxesOf({ lines: [line], words: document.words }, piece)
    const quote = document.text.slice(piece.start, piece.start + piece.length)
    if (place === undefined || quote.trim() === '' || !hasExtent(place.box)) return []
    const [x0, y0, x1, y1] = place.box
    const words = { textStart, textLength: piece.length, quote, confidence01: legibility01(document, line, piece) }
    return [{ role: span.role, pageNumber: place.page, ...words, x0, y0, x1, y1 }]
  })
}

const hasExtent = ([x0, y0, x1, y1]: readonly [number, number, number, number]) =>
  x0 >= 0 && y0 >= 0 && x1 <= 1 && y1 <= 1 && x0 < x1 && y0 < y1

/** A fact is as legible as the least legible of its words. */
function legibility01(document: MappedDocument, line: Line, piece: { start: number; length: number }): number {
  const end = piece.start + piece.length
  const touched = line.words.flatMap((index) => {
    const word = document.words[index]
    return word !== undefined && word.start < end && word.start + word.length > piece.start ? [word.confidence01] : []
  })
  return Math.min(1, ...touched)
}

/**
 * Ties a fact to the printed words that it came from. The same for rules and models: what stands on no word of a page, or
 * on words that are struck out, is refused and counted; a medicine that is struck out was stopped.
 */
import { spanRoles, type FoundFact, type Span } from '../../clinical/document/found-fact.ts'
import type { MappedDocument, MappedWord } from '../../clinical/document/mapped.ts'
import { firstNotBefore, touchedBy } from '../../clinical/document/places.ts'
import { heldToStrikes, struckWordsOf } from '../../clinical/document/struck-words.ts'
import { lineSlopes } from './line-slopes.ts'
import { printedLine, typeBox, type PrintedLine } from './type-boxes.ts'

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
  if (facts.length === 0) return { placed: [], refused: 0 }
  const printed = { document, lineAt: linesOf(document) }
  const struck = struckWordsOf(document)
  let refused = 0
  for (const found of facts) {
    const fact = heldToStrikes(found, struck)
    const placed = fact === null ? null : placeFact(printed, fact)
    if (placed === null) refused += 1
    else if (!byKey.has(placed.findingKey)) byKey.set(placed.findingKey, placed)
  }
  return { placed: [...byKey.values()], refused }
}

type Printed = { readonly document: MappedDocument; readonly lineAt: (place: number) => LineWords }

function placeFact(printed: Printed, fact: FoundFact): PlacedFact | null {
  const spans = fact.spans.toSorted((a, b) => spanRoles.indexOf(a.role) - spanRoles.indexOf(b.role))
  const [first, ...others] = spans.flatMap((span) => sourcesOf(printed, span))
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

function sourcesOf({ document, lineAt }: Printed, span: Span): PlacedSource[] {
  const end = span.start + span.length
  const first = firstNotBefore(document.lines, (line) => line.start + line.length <= span.start)
  return touchedBy(document.lines, { start: span.start, end }).flatMap((line, place) => {
    const textStart = Math.max(span.start, line.start)
    const textLength = Math.min(end, line.start + line.length) - textStart
    const quote = document.text.slice(textStart, textStart + textLength)
    const { words, printed } = lineAt(first + place)
    const touched = touchedBy(words, { start: textStart, end: textStart + textLength })
    if (touched.length === 0 || quote.trim() === '') return []
    const [x0, y0, x1, y1] = typeBox(
      printed,
      touched.map((word) => printedWord(document, word)),
    )
    if (!hasExtent([x0, y0, x1, y1])) return []
    const where = { textStart, textLength, quote, confidence01: legibility01(touched) }
    return [{ role: span.role, pageNumber: line.page, ...where, x0, y0, x1, y1 }]
  })
}

type LineWords = { readonly words: readonly MappedWord[]; readonly printed: PrintedLine }

/** A row of results is asked for by each of its parts: what is said of its type is worked out once. */
function linesOf(document: MappedDocument): (place: number) => LineWords {
  const slopes = lineSlopes(document)
  const known = new Map<number, LineWords>()
  return (place) => {
    const line = known.get(place) ?? lineWords(document, place, slopes[place] ?? 0)
    known.set(place, line)
    return line
  }
}

function lineWords(document: MappedDocument, place: number, slope: number): LineWords {
  const line = document.lines[place]
  const words =
    line === undefined ? [] : touchedBy(document.words, { start: line.start, end: line.start + line.length })
  const printed = printedLine(
    words.map((word) => printedWord(document, word)),
    slope,
  )
  return { words, printed }
}

function printedWord(document: MappedDocument, { start, length, box }: MappedWord) {
  return { text: document.text.slice(start, start + length), box }
}

const hasExtent = ([x0, y0, x1, y1]: readonly [number, number, number, number]) =>
  x0 >= 0 && y0 >= 0 && x1 <= 1 && y1 <= 1 && x0 < x1 && y0 < y1

/** A fact is as legible as the least legible of its words. */
function legibility01(words: readonly MappedWord[]): number {
  return Math.min(1, ...words.map(({ confidence01 }) => confidence01))
}

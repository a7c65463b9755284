/**
 * Facts of a document in which words are struck out. It is read twice: as printed, for what no strike touches and for the
 * medicines that were stopped so, and without the struck words, for what is still said beside them. What stands on a line
 * of its own must not borrow from what is left of the line below it, so there the first reading counts.
 */
import type { FoundFact } from '../../document/found-fact.ts'
import type { MappedDocument } from '../../document/mapped.ts'
import { touchedBy } from '../../document/places.ts'
import { heldToStrikes, struckWordsOf, withoutStruckWords } from '../../document/struck-words.ts'

type Read = (document: MappedDocument) => readonly FoundFact[]

export function readAroundStrikes(document: MappedDocument, read: Read): readonly FoundFact[] {
  const struck = struckWordsOf(document)
  const printed = read(document)
  if (struck.isNone) return printed
  const isFree = (fact: FoundFact): boolean =>
    rangesOf(fact).every((range) => !struck.touches(range)) && !struck.touches(lineAround(document, fact))
  const free = printed.filter(isFree)
  const known = new Set(free.map(placeOf))
  const said = read(withoutStruckWords(document)).filter((fact) => !known.has(placeOf(fact)))
  const stopped = printed
    .filter((fact) => rangesOf(fact).slice(0, 1).every(struck.covers))
    .flatMap((fact) => heldToStrikes(fact, struck) ?? [])
  return [...free, ...said, ...stopped]
}

const rangesOf = ({ spans }: FoundFact) => spans.map(({ start, length }) => ({ start, end: start + length }))
const placeOf = ({ spans }: FoundFact): number => spans[0]?.start ?? 0

function lineAround(document: MappedDocument, fact: FoundFact): { readonly start: number; readonly end: number } {
  const at = placeOf(fact)
  const [line] = touchedBy(document.lines, { start: at, end: at + 1 })
  return line === undefined ? { start: at, end: at } : { start: line.start, end: line.start + line.length }
}

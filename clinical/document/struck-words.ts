/**
 * What somebody struck out is printed, and not said. The text keeps it, as it keeps all that is printed; who reads for
 * facts reads a text that has spaces in its place.
 */
import type { FactDetail, FoundFact, Span } from './found-fact.ts'
import type { MappedDocument, MappedWord } from './mapped.ts'
import { touchedBy } from './places.ts'

type Range = { readonly start: number; readonly end: number }
export type StruckWords = {
  readonly isNone: boolean
  /** Whether some of what is printed there is struck out. */
  readonly touches: (range: Range) => boolean
  /** Whether all of it is. */
  readonly covers: (range: Range) => boolean
  /** Whether its first word is. */
  readonly begins: (range: Range) => boolean
}

const isStruck = (word: MappedWord) => word.isStruck === true

export function struckWordsOf({ words }: Pick<MappedDocument, 'words'>): StruckWords {
  const isNone = !words.some(isStruck)
  const printed = (range: Range) => (isNone ? [] : touchedBy(words, range))
  return {
    isNone,
    touches: (range) => printed(range).some(isStruck),
    covers: (range) => printed(range).length > 0 && printed(range).every(isStruck),
    begins: (range) => printed(range).slice(0, 1).some(isStruck),
  }
}

/** The document with spaces for what is struck out: all places stay, and nothing there can be read as said. */
export function withoutStruckWords(document: MappedDocument): MappedDocument {
  const pieces: string[] = []
  let at = 0
  for (const { start, length } of document.words.filter(isStruck)) {
    pieces.push(document.text.slice(at, start), ' '.repeat(length))
    at = start + length
  }
  return at === 0 ? document : { ...document, text: pieces.join('') + document.text.slice(at) }
}

/**
 * What a fact comes to whose name is struck out: a medicine that was taken is one that was stopped; of anything else
 * nothing is left to say.
 */
function takenBack(fact: FoundFact): FoundFact | null {
  const wasTaken = fact.status === 'present' || fact.status === 'historical'
  if (fact.type !== 'medication' || !wasTaken) return null
  const detail: FactDetail = { ...fact.detail, clinicalStatus: 'stopped', isStruckOut: true }
  // A day that stands elsewhere is the day of what is still said.
  const date = fact.spans.some(({ role }) => role === 'date') ? fact.date : null
  return { ...fact, status: 'historical', date, detail }
}

/** The fact as it may stand: null where what it says was struck out. */
export function heldToStrikes(fact: FoundFact, struck: StruckWords): FoundFact | null {
  if (struck.isNone) return fact
  const [name, ...others] = fact.spans
  if (name !== undefined && struck.covers(rangeOf(name))) return takenBack(fact)
  // "~~500~~ mg" has lost its number, whatever is left of it.
  const isLost = (span: Span) => span.role === 'value' && struck.begins(rangeOf(span))
  return others.some(isLost) ? null : fact
}

const rangeOf = ({ start, length }: Span): Range => ({ start, end: start + length })

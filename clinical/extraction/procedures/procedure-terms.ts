/**
 * Names of procedures: those of the table, and those that words of surgery make ("laparotomy", "PDA ligation", "hernia
 * repair") where the table does not have them.
 */
import { bodySiteLexicon, conditionLexicon, procedureLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms, matchAt, type Match } from '../../terminology/lexicon.ts'
import type { Segment } from '../statements/segments.ts'

const surgicalEnding =
  /^(?!(?:anatomy|dichotomy|phlebotomy|colostomy|ileostomy|tracheostomy|urostomy|gastrostomy)$)\p{L}{3,}(?:ectomy|ectomies|otomy|otomies|ostomy|plasty|plasties|pexy|rrhaphy|desis|centesis)$/iu
const surgicalNoun =
  /^(?:repairs?|removal|excision|resection|replacements?|ligation|ablation|fixation|fusion|reconstruction|transplant|transplantation|amputation|bypass|debridement|stenting|surgery|osteotomy|embolisation|embolization)$/i

/** Whether an item that no table knows is called as an operation is. */
export function isSurgical(printed: string): boolean {
  return printed
    .split(/[^\p{L}]+/u)
    .some((word) => surgicalEnding.test(word) || surgicalNoun.test(word) || more.test(word))
}

const more =
  /^(?:arthroscopy|endoscopy|biopsy|graft(?:ing)?|insertion|drainage|release|dissection|removed|operation|\p{L}+scopy|stents?)$/iu

export function procedureTerms(segment: Pick<Segment, 'tokens'>): Match<Concept>[] {
  const listed = findTerms(procedureLexicon(), segment.tokens)
  const made = segment.tokens.flatMap((_, place) => madeAt(segment, place) ?? [])
  const isFree = (match: Match<Concept>) => !listed.some((other) => other.from < match.to && match.from < other.to)
  return [...listed, ...made.filter(isFree)].toSorted((a, b) => a.start - b.start)
}

/** "Lumpectomy" by itself; "repair" behind a site or an illness. */
function madeAt({ tokens }: Pick<Segment, 'tokens'>, place: number): Match<Concept> | null {
  const token = tokens[place]
  if (token === undefined) return null
  if (surgicalEnding.test(token.text)) return named(tokens, objectStart(tokens, place) ?? place, place + 1)
  const start = surgicalNoun.test(token.text) ? objectStart(tokens, place) : null
  return start === null ? null : named(tokens, start, place + 1)
}

/** Where the site or illness begins that ends right before this token. */
function objectStart(tokens: Segment['tokens'], place: number): number | null {
  for (let from = Math.max(0, place - 4); from < place; from += 1) {
    const isObject = [bodySiteLexicon(), conditionLexicon()].some(
      (lexicon) => matchAt<unknown>(lexicon, tokens, from, 'as_written')?.to === place,
    )
    if (isObject) return from
  }
  return null
}

function named(tokens: Segment['tokens'], from: number, to: number): Match<Concept> | null {
  const [first, last] = [tokens[from], tokens[to - 1]]
  if (!first || !last) return null
  const name = tokens
    .slice(from, to)
    .map(({ text }) => text)
    .join(' ')
  const meaning: Concept = { concept: '', name, group: 'surgery' }
  return { start: first.start, end: last.end, from, to, terms: [{ text: name, meaning, isAmbiguous: false }] }
}

/** One sentence, one concept given with it: what the cues say of it. */
import { assertionOf, findCues } from '../../clinical/extraction/statements/context.ts'
import { sentenceRole } from '../../clinical/extraction/statements/segments.ts'
import { tokenise } from '../../clinical/terminology/tokens.ts'

export function assertConcept(sentence: string, concept: string): string {
  const place = placeOf(sentence, concept)
  const { start, end } = sentenceAround(sentence, place)
  const tokens = tokenise(sentence, start, end)
  const from = tokens.findIndex((token) => token.end > place.start)
  const to = tokens.filter((token) => token.start < place.end).length
  const { status } = assertionOf(tokens, findCues(tokens), { from, to })
  const section = sentenceRole(sentence, start, end)?.slug ?? ''
  if (status === 'present' && section.startsWith('past-')) return 'historical'
  if (status === 'present' && section === 'family-history') return 'family'
  return status === 'hypothetical' || status === 'other' ? 'uncertain' : status
}

/** The concept is written in capitals in its sentence, with other white space than in the list. */
function placeOf(sentence: string, concept: string): { start: number; end: number } {
  const words = concept
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = words.join('\\s+')
  const match =
    new RegExp(pattern.toUpperCase().replace(/\\S\+/g, '\\s+'), 'u').exec(sentence) ??
    new RegExp(pattern, 'iu').exec(sentence)
  return match ? { start: match.index, end: match.index + match[0].length } : { start: 0, end: sentence.length }
}

/** Some entries hold several sentences; no cue crosses from one to the next. */
function sentenceAround(text: string, place: { start: number; end: number }): { start: number; end: number } {
  const stops = Array.from(text.matchAll(/(?<=[a-z\])][.!?])\s+(?=[A-Z*])/g), (match) => match.index)
  const start = stops.findLast((stop) => stop < place.start) ?? 0
  const end = stops.find((stop) => stop >= place.end) ?? text.length
  return { start, end }
}

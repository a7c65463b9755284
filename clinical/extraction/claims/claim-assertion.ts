/** How the words around and inside of a claimed name speak of it. */
import { conditionLexicon, medicineLexicon, observationLexicon, procedureLexicon } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import type { ClaimInPlace } from './claims.ts'
import { assertionOf, type Assertion } from '../statements/context.ts'
import type { Segment } from '../statements/segments.ts'

/** The most contrary reading first: what is said of another person is not denied of this one. */
const byWeight: readonly Assertion['status'][] = [
  'other',
  'family',
  'negated',
  'hypothetical',
  'uncertain',
  'historical',
  'present',
]

/**
 * Cues act on what stands beside them. A name that was taken too wide ("no fever", "husband has epilepsy") has them
 * inside of it, so its first and last word are read as well, unless the dictionary knows the name as a whole.
 */
export function readAssertion({ claim, segment, cues }: ClaimInPlace): Assertion {
  const { from, to } = tokensOf(segment, claim.name)
  const isInside = cues.some((hit) => hit.from < to && from < hit.to)
  const whole = { from, to }
  const ends =
    isInside && to - from > 1 && !isKnownName(segment, whole)
      ? [
          { from: to - 1, to },
          { from, to: from + 1 },
        ]
      : []
  const readings = [whole, ...ends].map((concept) => assertionOf(segment.tokens, cues, concept))
  const [first] = readings.toSorted((a, b) => byWeight.indexOf(a.status) - byWeight.indexOf(b.status))
  return first ?? assertionOf(segment.tokens, cues, whole)
}

/** The tokens that a range touches, [from, to). */
export function tokensOf(segment: Segment, range: { readonly start: number; readonly end: number }) {
  const from = segment.tokens.findIndex((token) => token.end > range.start)
  const to = segment.tokens.findIndex((token) => token.start >= range.end)
  return { from: from < 0 ? segment.tokens.length : from, to: to < 0 ? segment.tokens.length : to }
}

function isKnownName(segment: Segment, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const tokens = segment.tokens.slice(from, to)
  return [conditionLexicon(), medicineLexicon(), procedureLexicon(), observationLexicon()].some((lexicon) =>
    findTerms<unknown>(lexicon, tokens, 'any').some((match) => match.from === 0 && match.to === tokens.length),
  )
}

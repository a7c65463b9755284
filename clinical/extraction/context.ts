/**
 * What a statement says of a concept: there, denied, possible, only feared, past, or somebody else's. Cues act inside
 * their segment, up to a word that ends their scope; pseudo-cues ("no change", "gram negative") swallow the cue in them.
 */
import { cueLexicon, type Cue, type CueCategory } from '../terminology/cues.ts'
import { matchAt, type Match } from '../terminology/lexicon.ts'
import type { Token } from '../terminology/tokens.ts'

export type CueHit = {
  readonly start: number
  readonly end: number
  /** Tokens [from, to) */
  readonly from: number
  readonly to: number
  /** None for a pseudo-cue, which only swallows its words. */
  readonly effects: readonly Cue[]
}

export type Assertion = {
  readonly status: 'present' | 'negated' | 'uncertain' | 'hypothetical' | 'historical' | 'family' | 'other'
  /** Also denied: "no family history of". */
  readonly isNegated: boolean
  /** Present, but said to have begun before. */
  readonly isEstablished: boolean
  readonly cue: CueHit | null
}

type Reach = { readonly hit: CueHit; readonly category: CueCategory; readonly distance: number }

/** How many tokens a cue reaches where it does not hold to the end of its clause. */
const reachOf: Partial<Record<string, number>> = {
  'historical/before': 6,
  'historical/after': 6,
  'negation/after': 8,
  'uncertain/before': 8,
  'uncertain/after': 6,
  'hypothetical/after': 2,
  'current/before': 4,
  'established/before': 5,
  'established/after': 5,
  'current/after': 5,
  'family/after': 8,
}

/** Too common to speak of the past on their own unless the concept follows at once. */
const weakPast = new Set([
  'had',
  'has had',
  'post',
  'following',
  'past',
  'prior',
  'previous',
  'underwent',
  'ph',
  'following',
])

export function findCues(tokens: readonly Token[]): CueHit[] {
  const matches = tokens.flatMap((_, place) => matchAt(cueLexicon(), tokens, place, 'any') ?? [])
  return longestFirst(matches).map((match) => {
    const effects = match.terms.map((term) => term.meaning)
    const active = effects.filter((effect) => !effect.category.startsWith('pseudo-'))
    return { start: match.start, end: match.end, from: match.from, to: match.to, effects: active }
  })
}

/** "were not consistent with" is "not consistent with", though "were not" stands further left. */
function longestFirst(matches: readonly Match<Cue>[]): Match<Cue>[] {
  const kept: Match<Cue>[] = []
  for (const match of matches.toSorted((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from)) {
    if (!kept.some((other) => other.from < match.to && match.from < other.to)) kept.push(match)
  }
  return kept.toSorted((a, b) => a.from - b.from)
}

/** `concept`: its tokens [from, to). */
export function assertionOf(
  tokens: readonly Token[],
  cues: readonly CueHit[],
  concept: { from: number; to: number },
): Assertion {
  const reaches = cues.flatMap((hit) => reachesOf(tokens, cues, hit, concept))
  const nearest = (category: CueCategory) =>
    reaches.filter((reach) => reach.category === category).toSorted((a, b) => a.distance - b.distance)[0] ?? null
  const negated = nearest('negation')
  const said = (status: Assertion['status'], reach: Reach | null): Assertion => ({
    status,
    isNegated: negated !== null,
    isEstablished: nearest('established') !== null,
    cue: reach?.hit ?? null,
  })

  const family = nearest('family')
  if (family) return said('family', family)
  const other = nearest('other-subject')
  if (other) return said('other', other)
  const uncertain = nearest('uncertain')
  if (negated && !(uncertain && /exclud|rule/.test(hitText(tokens, uncertain.hit)))) return said('negated', negated)
  const hypothetical = nearest('hypothetical')
  if (hypothetical) return said('hypothetical', hypothetical)
  if (uncertain) return said('uncertain', uncertain)
  return said(
    isPast(nearest('historical'), [nearest('established'), nearest('current')]) ? 'historical' : 'present',
    nearest('historical'),
  )
}

function isPast(historical: Reach | null, present: readonly (Reach | null)[]): boolean {
  return historical !== null && !present.some((reach) => reach !== null && reach.distance <= historical.distance)
}

function reachesOf(
  tokens: readonly Token[],
  cues: readonly CueHit[],
  hit: CueHit,
  concept: { from: number; to: number },
): Reach[] {
  if (hit.from >= concept.from && hit.to <= concept.to) return []
  return hit.effects.flatMap(({ category, direction }) => {
    if (category === 'termination' || category === 'no-known') return []
    // "No acute distress": the longest cue may reach into the concept's own words.
    const isBefore = direction !== 'after' && hit.from < concept.from
    const isAfter = direction !== 'before' && hit.from >= concept.to && isAnswer(tokens, hit)
    if (!isBefore && !isAfter) return []
    const [left, right] = isBefore ? [hit.to, concept.from] : [concept.to, hit.from]
    const distance = Math.max(0, right - left)
    if (distance > limitOf(hitText(tokens, hit), category, isBefore ? 'before' : 'after')) return []
    return isEnded(tokens, cues, left, right, category) ? [] : [{ hit, category, distance }]
  })
}

/** "Smoking: no", "fever - nil": a bare no behind a concept only answers where nothing follows that it could deny. */
function isAnswer(tokens: readonly Token[], hit: CueHit): boolean {
  if (!/^(?:no|nil|none|neg|free|absent)$/.test(hitText(tokens, hit))) return true
  const next = tokens[hit.to]
  return next === undefined || /^[.,;)]$/.test(next.text)
}

function limitOf(cue: string, category: CueCategory, side: string): number {
  if (category === 'historical' && weakPast.has(cue)) return 1
  if (cue === '?') return 1
  return reachOf[`${category}/${side}`] ?? Number.POSITIVE_INFINITY
}

function isEnded(
  tokens: readonly Token[],
  cues: readonly CueHit[],
  left: number,
  right: number,
  category: CueCategory,
): boolean {
  return cues.some(
    (other) =>
      other.from >= left &&
      other.to <= right &&
      other.effects.some((effect) => effect.category === 'termination') &&
      !isInnerTermination(tokens, other, category),
  )
}

/** "No pain since, or due to, the fall" keeps its subject; a decimal point or an initial does not end a sentence. */
function isInnerTermination(tokens: readonly Token[], hit: CueHit, category: CueCategory): boolean {
  if (category !== 'family' && category !== 'other-subject') return false
  return !/^(but|however|although|though|whereas|;|\.)$/.test(hitText(tokens, hit))
}

function hitText(tokens: readonly Token[], hit: CueHit): string {
  return tokens
    .slice(hit.from, hit.to)
    .map((token) => token.text.toLowerCase())
    .join(' ')
}

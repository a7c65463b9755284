/**
 * What a statement says of a concept: there, denied, possible, only feared, past, or somebody else's. Cues act inside
 * their segment, up to a word that ends their scope; pseudo-cues ("no change", "gram negative") swallow the cue in them.
 * Answers ("Asthma - N", "SOB (+)") outrank the words around them, and speak of their own question alone.
 */
import { cueLexicon, type Cue, type CueCategory } from '../../terminology/cues.ts'
import { matchAt, type Match } from '../../terminology/lexicon.ts'
import type { Token } from '../../terminology/tokens.ts'
import { findAnswers, type Answer } from './answers.ts'
import { relativeHit } from './relative-cues.ts'

export type CueHit = {
  readonly start: number
  readonly end: number
  /** Tokens [from, to) */
  readonly from: number
  readonly to: number
  /** None for a pseudo-cue, which only swallows its words. */
  readonly effects: readonly Cue[]
  /** Set for an answer: what it answers. */
  readonly answer?: Answer
}

export type Assertion = {
  readonly status: 'present' | 'negated' | 'uncertain' | 'hypothetical' | 'historical' | 'family' | 'other'
  /** Also denied: "no family history of". */
  readonly isNegated: boolean
  /** Present, but said to have begun before. */
  readonly isEstablished: boolean
  /** Said to be over, whatever kind of condition it is: "migraines resolved", "asthma as a child". */
  readonly isEnded: boolean
  readonly cue: CueHit | null
}

type Reach = { readonly hit: CueHit; readonly category: CueCategory; readonly distance: number }

/** How many tokens a cue reaches where it does not hold to the end of its clause. */
const reachOf: Partial<Record<string, number>> = {
  'historical/before': 6,
  'historical/after': 6,
  'ended/before': 4,
  'ended/after': 4,
  'question/before': 12,
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

const known = new WeakMap<readonly Token[], CueHit[]>()

/** Several finders ask about the same segment. */
export function findCues(tokens: readonly Token[]): CueHit[] {
  const cues = known.get(tokens) ?? readCues(tokens)
  known.set(tokens, cues)
  return cues
}

function readCues(tokens: readonly Token[]): CueHit[] {
  const starting = tokens.map((_, place) => {
    const match = matchAt(cueLexicon(), tokens, place, 'any')
    return match && isToldOn(tokens, match) ? null : match
  })
  const answers = findAnswers(tokens, starting)
  const matches = starting.filter((match) => match !== null)
  const hits = longestFirst(matches).flatMap((match): CueHit[] => {
    if (answers.some((answer) => answer.from < match.to && match.from < answer.to)) return []
    const effects = asPrinted(tokens, match).map((term) => term.meaning)
    const active = effects.filter((effect) => !effect.category.startsWith('pseudo-'))
    const hit = { start: match.start, end: match.end, from: match.from, to: match.to, effects: active }
    if (active.some(({ category }) => category === 'historical') && isDuration(tokens, match)) return []
    return [active.some(({ category }) => ofSomebody.has(category)) ? relativeHit(tokens, hit) : hit]
  })
  return [...hits, ...answers.flatMap((answer) => answerHit(tokens, answer) ?? [])].toSorted((a, b) => a.from - b.from)
}

const ofSomebody: ReadonlySet<CueCategory> = new Set(['family', 'other-subject'])

/** "He lives with his wife, who has Parkinson's disease": the words that swallow a relative do not where more is told of them. */
function isToldOn(tokens: readonly Token[], match: Match<Cue>): boolean {
  if (!match.terms.some(({ meaning }) => meaning.category === 'pseudo-family')) return false
  const next = tokens[match.to]?.text === ',' ? match.to + 1 : match.to
  return /^(?:who|whose)$/i.test(tokens[next]?.text ?? '')
}

/** "A three month history of cough", "8/12 hx of pain" tell how long it has gone on, not that it is past. */
function isDuration(tokens: readonly Token[], match: Match<Cue>): boolean {
  if (!/^(?:history|hx|h\/o) of$/i.test(hitText(tokens, match))) return false
  const before = hitText(tokens, { from: Math.max(0, match.from - 3), to: match.from })
  return /(?:\b\d+ ?\/ ?(?:7|12|52)|\b(?:day|week|month|year|hour|wk|mth|yr|hr)s?['’]?|\d ?[dwmyh])$/.test(before)
}

function answerHit(tokens: readonly Token[], answer: Answer): CueHit | null {
  const [first, last] = [tokens[answer.from], tokens[answer.to - 1]]
  if (!first || !last) return null
  return { start: first.start, end: last.end, from: answer.from, to: answer.to, effects: [], answer }
}

/** "Rules out" denies and "rule out" does not, though they fold into one: what is printed exactly so goes first. */
function asPrinted(tokens: readonly Token[], match: Match<Cue>): Match<Cue>['terms'] {
  const printed = hitText(tokens, match)
  const exact = match.terms.filter((term) => term.text.toLowerCase() === printed)
  return exact.length > 0 ? exact : match.terms
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
  const answered = cues.find(({ answer }) => answer && isWithin(concept, answer.holds))
  const doubted = cues.find(({ answer }) => answer?.kind === 'no' && isWithin(concept, answer.mayHold))
  const negated = nearest('negation')
  const ended = nearest('ended')
  const current = [nearest('established'), nearest('current')]
  const isEnded = isPast(ended, [nearest('current')])
  const said = (status: Assertion['status'], hit: CueHit | null | undefined): Assertion => ({
    status,
    isNegated: answered ? answered.answer?.kind === 'no' : negated !== null,
    isEstablished: nearest('established') !== null,
    isEnded,
    cue: hit ?? null,
  })

  const family = nearest('family')
  const other = nearest('other-subject')
  // "His wife's mother" is not of his family.
  if (family && other?.hit.to !== family.hit.from) return said('family', family.hit)
  if (other) return said('other', other.hit)
  const past = isEnded ? ended : isPast(nearest('historical'), current) ? nearest('historical') : null
  if (answered?.answer) return said(statusOfAnswer[answered.answer.kind] ?? (past ? 'historical' : 'present'), answered)
  const uncertain = nearest('uncertain')
  if (negated && !(uncertain && /exclud|rule/.test(hitText(tokens, uncertain.hit)))) return said('negated', negated.hit)
  const question = nearest('question')
  if (question) return said('other', question.hit)
  const hypothetical = nearest('hypothetical')
  if (hypothetical) return said('hypothetical', hypothetical.hit)
  if (uncertain || doubted) return said('uncertain', uncertain?.hit ?? doubted)
  return said(past ? 'historical' : 'present', past?.hit ?? nearest('historical')?.hit)
}

function isWithin(concept: { from: number; to: number }, range: { from: number; to: number }): boolean {
  return range.from < concept.to && concept.from < range.to
}

/** A question that nobody answered says nothing of the patient, as little as what is said of somebody else. */
const statusOfAnswer: Partial<Record<Answer['kind'], Assertion['status']>> = {
  no: 'negated',
  unsure: 'uncertain',
  open: 'other',
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
    if (category === 'termination' || category === 'no-known' || category.startsWith('answer-')) return []
    // "No acute distress": the longest cue may reach into the concept's own words.
    const isBefore = direction !== 'after' && hit.from < concept.from
    const isAfter = direction !== 'before' && hit.from >= concept.to && isAnswer(tokens, hit)
    if (!isBefore && !isAfter) return []
    const [left, right] = isBefore ? [hit.to, concept.from] : [concept.to, hit.from]
    const distance = Math.max(0, right - left)
    if (distance > limitOf(hitText(tokens, hit), category, isBefore ? 'before' : 'after')) return []
    const isOut = isBefore ? isTerminated : isCutOff
    return isOut(tokens, cues, [left, right], { hit, category }) ? [] : [{ hit, category, distance }]
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
  // "Not pneumonia"; what else "not" denies is a longer cue.
  if (/^not(?: an?)?$/.test(cue)) return 0
  // "Resolved: pneumonia, shingles" holds for the whole list.
  if (cue.endsWith(':') || tellsHistory.test(cue)) return Number.POSITIVE_INFINITY
  return reachOf[`${category}/${side}`] ?? Number.POSITIVE_INFINITY
}

/** "Past medical history includes", "PMH of" open a list. */
const tellsHistory =
  /^(?:(?:past|previous) (?:medical )?history|medical history|pmhx?) .*(?:\bof|for|includ\w+|compris\w+|consist\w+)$/

type Said = { readonly hit: CueHit; readonly category: CueCategory }
type Gap = readonly [left: number, right: number]

function isTerminated(tokens: readonly Token[], cues: readonly CueHit[], gap: Gap, { hit, category }: Said): boolean {
  const [left, right] = gap
  if (category === 'negation' && /^(?:no|nil|without)\b/.test(hitText(tokens, hit)) && isGraded(tokens, gap))
    return true
  // "Pneumonia (resolved), COPD": what is over stands before the cue.
  if (category === 'ended' && /^[,;)\]]$/.test(tokens[left]?.text ?? '') && left < right) return true
  return terminationsIn(cues, [left, right]).some((other) => !isInnerTermination(tokens, other, category))
}

/** "No fracture, mild degenerative change": nobody denies the mild kind alone, unless a list goes on with "or". */
function isGraded(tokens: readonly Token[], [left, right]: Gap): boolean {
  const comma = tokens.slice(0, right).findLastIndex(({ text }) => text === ',')
  if (comma <= left || !grade.test(tokens[comma + 1]?.text ?? '')) return false
  return !tokens.slice(left).some(({ text }) => /^(?:or|nor)$/i.test(text))
}

const grade = /^(?:mild|moderate|minor|minimal|small|trace|stable|early|old|mildly|moderately|minimally)$/i

/** "Considered, but since excluded": the turn leads straight to what is said of the concept and does not end it. */
function isCutOff(tokens: readonly Token[], cues: readonly CueHit[], gap: Gap, { hit, category }: Said): boolean {
  const [left, right] = gap
  if (category === 'ended' && !/^(?:have|all)\b/.test(hitText(tokens, hit)) && isParted(tokens, gap)) return true
  return terminationsIn(cues, [left, right]).some((other) => {
    const rest = tokens.slice(other.to, right).map((token) => token.text)
    const leadsOn = turn.test(hitText(tokens, other)) && rest.every((word) => auxiliary.test(word))
    return !leadsOn && !isInnerTermination(tokens, other, category)
  })
}

const turn = /^(?:but|however|although|though|then|subsequently|which|has|since)$/
const auxiliary =
  /^(?:,|this|it|that|was|is|were|are|has|have|had|been|now|later|then|since|subsequently|felt|thought|to|be|considered|deemed|eventually|ultimately|effectively|clinically)$/i

/** "Asthma, otitis media resolved" says it of the last. */
function isParted(tokens: readonly Token[], [left, right]: Gap): boolean {
  return tokens.slice(left, right - 1).some(({ text }) => /^[,/]$/.test(text))
}

function terminationsIn(cues: readonly CueHit[], [left, right]: Gap): CueHit[] {
  return cues.filter(
    (other) =>
      other.from >= left && other.to <= right && other.effects.some((effect) => effect.category === 'termination'),
  )
}

/** "No pain since, or due to, the fall" keeps its subject; a decimal point or an initial does not end a sentence. */
function isInnerTermination(tokens: readonly Token[], hit: CueHit, category: CueCategory): boolean {
  if (category !== 'family' && category !== 'other-subject' && category !== 'question') return false
  return !/^(but|however|although|though|whereas|;|\.|(patient|pt) .*)$/.test(hitText(tokens, hit))
}

function hitText(tokens: readonly Token[], hit: { from: number; to: number }): string {
  return tokens
    .slice(hit.from, hit.to)
    .map((token) => token.text.toLowerCase())
    .join(' ')
}

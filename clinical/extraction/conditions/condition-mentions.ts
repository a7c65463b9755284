/** Conditions and symptoms: the items of lists, and the dictionary's terms in sentences. */
import type { FactStatus, FoundDate, FoundFact } from '../../document/found-fact.ts'
import type { Cover } from '../../document/places.ts'
import { conditionLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { itemFact, listItems } from './condition-items.ts'
import { lasting, notCondition, tooPlain } from './condition-words.ts'
import { assertionOf, type Assertion } from '../statements/context.ts'
import { foundFact, type Range, type Reading } from '../found.ts'
import {
  isProvisional,
  cuesOf,
  laterality,
  listSections,
  speaksOfOthers,
  type MentionContext,
} from '../statements/mention-context.ts'
import { statedDate } from '../statements/mention-dates.ts'
import { relativeWith } from './family-members.ts'
import { onsetAgeOf } from './onset-age.ts'
import { extendMention } from '../statements/mention-extent.ts'
import { procedureTerms } from '../procedures/procedure-terms.ts'
import type { Segment } from '../statements/segments.ts'

const closedSections = new Set([
  'medications',
  'admission-medications',
  'discharge-medications',
  'ceased-medications',
  'allergies',
  'immunisations',
  'patient-details',
  'care-team',
  'technique',
  'specimens',
  'payment-and-administrative',
  'comparison',
  'advance-directives',
])

/** What these sections say is to come or to look out for, unless it is denied. */
const aheadSections = new Set(['plan', 'follow-up', 'discharge-instructions', 'goals'])

export function findMentions(reading: Reading, taken: Cover, rowLines: ReadonlySet<number>): FoundFact[] {
  return reading.segments.flatMap((segment, place) => {
    if (
      segment.kind === 'heading' ||
      rowLines.has(segment.firstLine) ||
      closedSections.has(segment.role.slug ?? '') ||
      isAdministrative(reading, segment)
    )
      return []
    const context: MentionContext = { reading, segment, cues: cuesOf(reading.segments, place) }
    const items = listItems(reading, segment)
    if (items) return items.flatMap((item) => itemFact(context, item, taken) ?? [])
    return statedConditions(context, taken)
  })
}

/** "Unit: Renal Medicine", "Referred to: Diabetes Centre": names of places and people, not findings. */
function isAdministrative(reading: Reading, segment: Segment): boolean {
  const label = /^\s*([^:\n\t]{2,30})[:\t]/.exec(reading.document.text.slice(segment.start, segment.end))?.[1] ?? ''
  return /\b(?:clinic|unit|ward|department|dept|service|hospital|practice|provider|attending|refer\w*|copy|cc|address|phone|fax|email|specialty|consultant|doctor|physician|facility|location|patient|name|employer|occupation|insurance|payer|medicare|destination|to|from)$/i.test(
    label,
  )
}

function statedConditions(context: MentionContext, taken: Cover): FoundFact[] {
  const { reading, segment, cues } = context
  const text = reading.document.text
  const label = /^\s*\p{Lu}[^:\n.]{1,38}:/u.exec(text.slice(segment.start, segment.end))?.[0].length ?? 0
  const procedures = procedureTerms(segment)
  return findTerms(conditionLexicon(), segment.tokens).flatMap((match) => {
    const term = clearTerm(match, segment)
    const isAnswered = cues.some(
      ({ answer }) => answer && answer.holds.from <= match.from && match.to <= answer.holds.to,
    )
    if (
      !term ||
      (match.end <= segment.start + label &&
        label > 0 &&
        !isAnswered &&
        /diagnos|history|problem|condition/i.test(text.slice(segment.start, segment.start + label))) ||
      tooPlain.test(text.slice(match.start, match.end)) ||
      notCondition.test(text.slice(match.end, match.end + 24)) ||
      taken.touches(match) ||
      // The hernia of a hernia repair.
      procedures.some((procedure) => procedure.start <= match.start && match.end < procedure.end)
    )
      return []
    const assertion = assertionOf(segment.tokens, cues, match)
    const name = extendMention(text, segment, match)
    const fact = conditionFact(context, { name, term, assertion, match })
    return fact ? [fact] : []
  })
}

type Mention = { name: Range; term: Concept; assertion: Assertion; match: Match<Concept> }

function conditionFact(context: MentionContext, { name, term, assertion, match }: Mention): FoundFact | null {
  const { reading, segment } = context
  const slug = segment.role.slug ?? ''
  if (assertion.status === 'family' || slug === 'family-history' || deniesFamily(reading, assertion))
    return familyFact(context, { name, term, assertion, match })
  if (assertion.status === 'other') return null
  if (assertion.status !== 'negated' && isComment(context)) return null
  const printed = reading.document.text.slice(name.start, name.end)
  const isSymptom = term.group === 'symptom'
  const said = statusOf(segment, term, assertion, printed)
  const status =
    said === 'present' && isFormer(reading.document.text.slice(Math.max(0, name.start - 12), name.end), printed)
      ? 'historical'
      : said === 'historical' && isSymptom && isLasting(reading, segment, assertion)
        ? 'present'
        : said
  if (slug === 'indication' && status !== 'negated' && isSymptom) return null
  const type = isSymptom
    ? slug === 'examination' && status === 'present'
      ? 'physical_finding'
      : 'symptom'
    : 'condition'
  const date: FoundDate | null = statedDate(reading, segment, match)
  const age = status === 'present' || status === 'historical' ? onsetAgeOf(reading, name, segment.end, false) : null
  return foundFact(reading.document, {
    type,
    name,
    status,
    date,
    detail: {
      ...(status === 'present' && assertion.isEstablished ? { clinicalStatus: 'active' as const } : {}),
      ...(status === 'historical' && assertion.isEnded ? { clinicalStatus: 'resolved' as const } : {}),
      ...laterality(printed),
      ...(age ? { onsetAge: reading.document.text.slice(age.start, age.end) } : {}),
    },
    parts: [
      ['cue', assertion.cue],
      ['detail', age],
    ],
    concept: term.concept,
    strength: isSymptom ? 'weak' : 'fair',
  })
}

/** "Old MI", "previous TIA": over, whatever it is. "78 year old" is not. */
function isFormer(around: string, printed: string): boolean {
  const lead = around.slice(0, around.length - printed.length)
  if (/^(?:old|former|previous|past|prior)\s/i.test(printed)) return !/\b(?:years?|yrs?|months?)[\s-]*$/i.test(lead)
  return /(?<!\b(?:years?|yrs?|months?)[\s-])\b(?:old|former|previous|past|prior)\s$/i.test(lead)
}

/** "She has had reflux for six months": a complaint that goes on, unless it is said to be over. */
function isLasting({ document }: Reading, segment: Segment, { cue, isEnded }: Assertion): boolean {
  if (isEnded || cue === null || segment.role.isOver || (segment.role.slug ?? '').startsWith('past-')) return false
  return /^(?:has|have|had) had$|^had$/i.test(document.text.slice(cue.start, cue.end))
}

/** Laboratories print advice under results, prescriptions what a medicine is for, vaccine cards the diseases: nobody's diagnosis. */
export function isComment({ reading, segment }: Pick<MentionContext, 'reading' | 'segment'>): boolean {
  const slug = segment.role.slug
  return (
    speaksOfOthers.has(reading.document.documentClass) &&
    (slug === null || /^(?:results|specimens|vital-signs|clinical-notes)$/.test(slug))
  )
}

/** "No family history of glaucoma" says nothing of the patient's eyes. */
export function deniesFamily(reading: Reading, { cue }: Assertion): boolean {
  return cue !== null && /famil/i.test(reading.document.text.slice(cue.start, cue.end))
}

/** What patients are given to read is true of anybody. */
const forReading =
  /leaflet|fact\s?sheet|brochure|handout|(?:patient|health) education|what (?:is|are|causes)\b|about your (?:condition|medicine|illness|operation|procedure)/i

export function statusOf(
  segment: Segment,
  term: Pick<Concept, 'name'>,
  assertion: Assertion,
  printed: string,
): FactStatus {
  const { status, isEnded } = assertion
  if (status === 'negated' || status === 'uncertain' || status === 'hypothetical') return status
  const slug = segment.role.slug ?? ''
  if (forReading.test(segment.role.heading ?? '')) return 'hypothetical'
  if (isProvisional(segment.role)) return 'uncertain'
  const isTold = slug === 'indication' && (status === 'historical' || isEnded)
  if ((aheadSections.has(slug) || slug === 'indication') && !isTold)
    return slug === 'indication' && /^known/i.test(printed) ? 'present' : 'hypothetical'
  if (segment.role.isOver || isEnded) return 'historical'
  const isPast = status === 'historical' || slug === 'past-medical-history' || slug === 'past-surgical-history'
  return isPast && !lasting.test(`${printed} ${term.name}`) ? 'historical' : 'present'
}

function familyFact(context: MentionContext, { name, term, assertion, match }: Mention): FoundFact | null {
  const { reading, segment } = context
  if (assertion.status === 'other') return null
  const isDenied = assertion.isNegated || assertion.status === 'negated'
  if (isDenied && !isDeniedOfFamily(context, assertion, match)) return null
  const relationship = relativeWith(segment.tokens, match)
  const age = isDenied ? null : onsetAgeOf(reading, name, segment.end, true)
  return foundFact(reading.document, {
    type: 'family_history',
    name,
    status: isDenied ? 'negated' : 'family',
    detail: {
      ...(relationship ? { relationship } : {}),
      ...(age ? { onsetAge: reading.document.text.slice(age.start, age.end) } : {}),
    },
    parts: [
      ['cue', assertion.cue],
      ['detail', age],
    ],
    concept: term.concept,
    strength: 'fair',
  })
}

/** "Her mother, who never smoked, had breast cancer" denies no cancer: the denial must lead straight to what it denies. */
function isDeniedOfFamily({ segment, cues }: MentionContext, assertion: Assertion, match: Match<Concept>): boolean {
  const { cue } = assertion
  if (cue?.answer?.kind === 'no') return true
  const denying = cues.findLast(
    ({ effects, to }) => to <= match.from && effects.some(({ category }) => category === 'negation'),
  )
  if (denying === undefined) return false
  return !segment.tokens
    .slice(denying.to, match.from)
    .some(({ text }) =>
      /^(?:had|has|have|having|died|was|were|is|are|developed|suffered|got|but|with|who|smok\w+|drank|drinks?)$/i.test(
        text,
      ),
    )
}

function clearTerm(match: Match<Concept>, segment: Segment): Concept | null {
  const clear = match.terms.find((term) => !term.isAmbiguous)
  const unclear = listSections.has(segment.role.slug ?? '') ? match.terms[0] : undefined
  const concept = (clear ?? unclear)?.meaning ?? null
  return concept && concept.group !== 'social, history and care' && concept.group !== 'allergy' ? concept : null
}

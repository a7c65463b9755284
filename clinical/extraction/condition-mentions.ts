/** Conditions and symptoms: the items of lists, and the dictionary's terms in sentences. */
import type { FactStatus, FoundDate, FoundFact } from '../document/found-fact.ts'
import type { Cover } from '../document/places.ts'
import { conditionLexicon, type Concept } from '../terminology/concepts.ts'
import { findTerms, type Match } from '../terminology/lexicon.ts'
import { itemFact, listItems } from './condition-items.ts'
import { lasting, notCondition, tooPlain } from './condition-words.ts'
import { assertionOf, findCues, type Assertion } from './context.ts'
import { foundFact, type Range, type Reading } from './found.ts'
import { isProvisional, laterality, listSections, speaksOfOthers, type MentionContext } from './mention-context.ts'
import { statedDate } from './mention-dates.ts'
import { relativeWith } from './family-members.ts'
import { extendMention } from './mention-extent.ts'
import type { Segment } from './segments.ts'

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
  return reading.segments.flatMap((segment) => {
    if (
      segment.kind === 'heading' ||
      rowLines.has(segment.firstLine) ||
      closedSections.has(segment.role.slug ?? '') ||
      isAdministrative(reading, segment)
    )
      return []
    const context: MentionContext = { reading, segment, cues: findCues(segment.tokens) }
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
      taken.touches(match)
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
  if (assertion.status === 'family' || (slug === 'family-history' && assertion.status !== 'negated'))
    return familyFact(context, { name, term, assertion, match })
  if (assertion.status === 'other' || slug === 'family-history' || deniesFamily(reading, assertion)) return null
  if (assertion.status !== 'negated' && isComment(context)) return null
  const status = statusOf(segment, term, assertion, reading.document.text.slice(name.start, name.end))
  const isSymptom = term.group === 'symptom'
  if (slug === 'indication' && status !== 'negated' && isSymptom) return null
  const type = isSymptom
    ? slug === 'examination' && status === 'present'
      ? 'physical_finding'
      : 'symptom'
    : 'condition'
  const date: FoundDate | null = statedDate(reading, segment, match)
  return foundFact(reading.document, {
    type,
    name,
    status,
    date,
    detail: {
      ...(status === 'present' && assertion.isEstablished ? { clinicalStatus: 'active' as const } : {}),
      ...(status === 'historical' && assertion.isEnded ? { clinicalStatus: 'resolved' as const } : {}),
      ...laterality(reading.document.text.slice(name.start, name.end)),
    },
    parts: [['cue', assertion.cue]],
    concept: term.concept,
    strength: isSymptom ? 'weak' : 'fair',
  })
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
  if (aheadSections.has(slug) || slug === 'indication')
    return slug === 'indication' && /^known/i.test(printed) ? 'present' : 'hypothetical'
  if (segment.role.isOver || isEnded) return 'historical'
  const isPast = status === 'historical' || slug === 'past-medical-history' || slug === 'past-surgical-history'
  return isPast && !lasting.test(`${printed} ${term.name}`) ? 'historical' : 'present'
}

function familyFact({ reading, segment }: MentionContext, { name, term, assertion, match }: Mention): FoundFact | null {
  if (assertion.isNegated || assertion.status === 'other') return null
  const relationship = relativeWith(segment.tokens, match)
  return foundFact(reading.document, {
    type: 'family_history',
    name,
    status: 'family',
    detail: relationship ? { relationship } : {},
    parts: [['cue', assertion.cue]],
    concept: term.concept,
    strength: 'fair',
  })
}

function clearTerm(match: Match<Concept>, segment: Segment): Concept | null {
  const clear = match.terms.find((term) => !term.isAmbiguous)
  const unclear = listSections.has(segment.role.slug ?? '') ? match.terms[0] : undefined
  const concept = (clear ?? unclear)?.meaning ?? null
  return concept && concept.group !== 'social, history and care' && concept.group !== 'allergy' ? concept : null
}

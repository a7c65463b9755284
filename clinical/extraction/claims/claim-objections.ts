/** What rules a claim out altogether, whatever its status: another person, a heading, a section that states no such thing. */
import type { FactType } from '../../document/found-fact.ts'
import type { ClaimInPlace, Objection } from './claims.ts'
import { isComment } from '../conditions/condition-mentions.ts'
import type { Assertion } from '../statements/context.ts'
import { closedToMedicines } from '../medicines/medications.ts'
import { aims } from '../results/running-results.ts'

const conditionLike: ReadonlySet<FactType> = new Set(['condition', 'symptom'])
const measured: ReadonlySet<FactType> = new Set(['lab_result', 'vital_sign'])
/** A title may name a contact or a person, and what was done ("Colonoscopy report"), but states no finding. */
const inTitles: ReadonlySet<FactType> = new Set(['identity', 'encounter', 'procedure', 'imaging_result'])
/** What these sections say is not said of the patient's health. */
const silentSections = new Set([
  'technique',
  'comparison',
  'care-team',
  'payment-and-administrative',
  'advance-directives',
  'specimens',
])
const speaksOfAllergy =
  /allerg|intoleran|anaphyla|sensitiv|adverse|reacti|\bADR\b|\bNK(?:D|F)?A\b|\brash\b|hives|swelling|angio-?o?edema|cannot take|can't take|avoid/i
const allergyDenied =
  /\b(?:no|not|nil|never|without|denie[sd]|deny|isn't|wasn't)\b[^.;,:]{0,40}\b(?:allerg|intoleran|anaphyla|hypersensitiv|sensitiv|reacti)\w*[^.;,]{0,20}$/i
const tolerated = /\btolerat(?:e[sd]?|ing)\b|\bwithout\b[^.;]{0,30}\b(?:reaction|incident|problem|issue|rash)/i
const coming = /\b(?:next|follow-?\s?up|scheduled|booked|due|will (?:be|see|attend)|to be seen|upcoming|planned)\b/i

export function objectionTo(place: ClaimInPlace, assertion: Assertion): Objection | null {
  const { claim, segment, reading } = place
  const slug = segment.role.slug ?? ''
  if (segment.kind === 'heading' && segment.role.slug !== null && !inTitles.has(claim.type)) return 'heading'
  if (assertion.status === 'other') return 'other_person'
  if (claim.type === 'family_history') return objectionToFamily(place, assertion)
  if (isOfFamily(place, assertion)) return mayBecomeFamily(place, assertion) ? null : 'other_person'
  if (claim.type !== 'identity' && claim.type !== 'encounter' && silentSections.has(slug)) return 'section'
  if (measured.has(claim.type)) return objectionToResult(place, assertion)
  if (claim.type === 'medication' && closedToMedicines.has(slug)) return 'section'
  if (claim.type === 'allergy') return objectionToAllergy(place, assertion)
  if (conditionLike.has(claim.type) && assertion.status !== 'negated' && isComment({ ...place, reading }))
    return 'section'
  if (claim.type === 'encounter') return objectionToEncounter(place, assertion)
  return null
}

/** A condition of a relative that was rightly called one, under whichever type. */
export function mayBecomeFamily({ claim }: ClaimInPlace, assertion: Assertion): boolean {
  return conditionLike.has(claim.type) && claim.status === 'family' && !assertion.isNegated
}

function isOfFamily({ claim, segment }: ClaimInPlace, { status }: Assertion): boolean {
  if (claim.type === 'identity' || claim.type === 'social_history') return status === 'family'
  return status === 'family' || claim.status === 'family' || segment.role.slug === 'family-history'
}

/** "No family history of glaucoma" tells of no relative either. */
function objectionToFamily({ claim, segment }: ClaimInPlace, assertion: Assertion): Objection | null {
  if (assertion.isNegated || claim.status === 'negated') return 'denied'
  const isSaid = assertion.status === 'family' || segment.role.slug === 'family-history'
  return isSaid || claim.detail.relationship !== undefined ? null : 'no_relative'
}

function objectionToResult({ claim, segment, reading }: ClaimInPlace, assertion: Assertion): Objection | null {
  if (assertion.status === 'hypothetical') return 'planned'
  if (claim.value === null) return assertion.status === 'negated' && claim.status !== 'negated' ? 'denied' : null
  const before = Math.min(claim.name.start, claim.value.start)
  const text = reading.document.text
  const isAimed = [claim.name.start, claim.value.start].some((at) =>
    aims.test(text.slice(Math.max(segment.start, at - 40), at)),
  )
  if (isAimed) return 'aim'
  const isDated = reading.dates
    .within(segment.start, segment.end)
    .some((date) => date.end <= before || date.start >= before)
  return assertion.status === 'historical' && !isDated ? 'undated' : null
}

/** "Not on any medicine, allergic to peanuts" denies no allergy, but which of the two a denial means is not for us to guess. */
function objectionToAllergy({ claim, segment, reading }: ClaimInPlace, assertion: Assertion): Objection | null {
  const sentence = reading.document.text.slice(segment.start, segment.end)
  const isAbout = segment.role.slug === 'allergies' || speaksOfAllergy.test(sentence)
  if (!isAbout) return 'section'
  if (assertion.status === 'hypothetical') return 'planned'
  const before = reading.document.text.slice(segment.start, claim.name.start)
  if (claim.status !== 'negated')
    return tolerated.test(sentence) || allergyDenied.test(before) || isDeniedItem(segment, assertion) ? 'denied' : null
  const isDenied =
    assertion.status === 'negated' || /\b(?:no|nil|not|none|never|den(?:y|ies|ied)|NK\w?D?A)\b/i.test(sentence)
  return isDenied ? null : 'not_denied'
}

/** In a list of allergies a denial can only mean the item; in a sentence it may mean the medicine before it. */
function isDeniedItem({ role }: ClaimInPlace['segment'], { status }: Assertion): boolean {
  return role.slug === 'allergies' && status === 'negated'
}

function objectionToEncounter({ segment, reading }: ClaimInPlace, assertion: Assertion): Objection | null {
  if (assertion.status === 'negated') return 'denied'
  const isAhead = ['plan', 'follow-up', 'discharge-instructions'].includes(segment.role.slug ?? '')
  const isComing = coming.test(reading.document.text.slice(segment.start, segment.end))
  return isAhead || isComing || assertion.status === 'hypothetical' ? 'planned' : null
}

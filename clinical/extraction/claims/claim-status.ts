/** The status that a claim may have, once nothing speaks against it as a whole. */
import type { FactStatus, FactType } from '../../document/found-fact.ts'
import { vaccineCourse } from '../../terminology/vaccine-words.ts'
import { mayBecomeFamily } from './claim-objections.ts'
import { tokensOf } from './claim-assertion.ts'
import type { ClaimInPlace, ClaimVerdict, Held } from './claims.ts'
import { statusOf as conditionStatus } from '../conditions/condition-mentions.ts'
import type { Assertion } from '../statements/context.ts'
import { deniesFamily } from '../conditions/condition-mentions.ts'
import { readDirections } from '../medicines/directions.ts'
import { courseOf, neverBegun } from '../medicines/medicine-course.ts'
import { listSections } from '../statements/mention-context.ts'
import { statusOf as procedureStatus } from '../procedures/procedure-fact.ts'

export function statusByRules(place: ClaimInPlace, assertion: Assertion): ClaimVerdict {
  const { claim } = place
  const held = (changes: Partial<Held>): ClaimVerdict => ({
    kind: 'held',
    type: claim.type,
    status: claim.status,
    clinicalStatus: null,
    cue: assertion.cue,
    ...changes,
  })
  if (claim.type === 'family_history' || mayBecomeFamily(place, assertion))
    return held({ type: 'family_history', status: 'family' })
  if (deniesFamily(place.reading, assertion)) return { kind: 'objected', why: 'denied' }
  switch (claim.type) {
    case 'identity':
    case 'lab_result':
    case 'vital_sign':
    case 'encounter':
    case 'allergy':
      return held({ status: cautious(claim.status, assertion.status === 'uncertain' ? 'uncertain' : 'present') })
    case 'medication': {
      const course = medicineCourse(place, assertion)
      const status = cautious(claim.status, assertion.status === 'uncertain' ? 'uncertain' : course.status)
      return held({ status, clinicalStatus: status === course.status ? course.clinicalStatus : null })
    }
    case 'procedure': {
      const status = cautious(claim.status, procedureByRules(place, assertion))
      return held({ status, clinicalStatus: clinicalStatusOfProcedure(status) })
    }
    case 'immunization':
      return held({ status: cautious(claim.status, doseStatus(place, assertion)) })
    default:
      return held({ status: cautious(claim.status, findingStatus(place, assertion)) })
  }
}

/** Present asserts most; denied, feared or past assert less. What either reading takes back is taken back. */
function cautious(said: FactStatus, byRules: FactStatus): FactStatus {
  if (said === byRules || byRules === 'present') return said
  if (byRules === 'historical') return said === 'present' ? 'historical' : said
  if (byRules === 'negated') return said === 'negated' || said === 'present' || said === 'historical' ? 'negated' : said
  // One reads a denial where the other reads a doubt: neither is sure.
  return said === 'uncertain' || said === 'hypothetical' ? said : byRules
}

/** Conditions in sections for other things are named in passing: what a medicine is for, what caused a reaction. */
const passingSections = new Set([
  'medications',
  'admission-medications',
  'discharge-medications',
  'ceased-medications',
  'allergies',
  'immunisations',
  'patient-details',
])
const findings: ReadonlySet<FactType> = new Set(['condition', 'symptom'])

function findingStatus({ claim, segment, reading }: ClaimInPlace, assertion: Assertion): FactStatus {
  const printed = reading.document.text.slice(claim.name.start, claim.name.end)
  const status = conditionStatus(segment, { name: '' }, assertion, printed)
  const isUnsure = segment.kind === 'heading' || passingSections.has(segment.role.slug ?? '')
  return findings.has(claim.type) && isUnsure && status === 'present' ? 'uncertain' : status
}

function medicineCourse({ claim, segment, reading }: ClaimInPlace, { status }: Assertion) {
  const text = reading.document.text
  const { start, end } = claim.name
  if (neverBegun.test(text.slice(end, segment.end))) return { status: 'negated' as const, clinicalStatus: null }
  const isDosed = readDirections(text, end, segment.end).frequency !== null
  const before = text.slice(Math.max(segment.start, start - 90), start)
  return courseOf(segment.role, { before, after: text.slice(end, segment.end), status }, isDosed)
}

function procedureByRules({ claim, ...context }: ClaimInPlace, assertion: Assertion): FactStatus {
  const { from, to } = tokensOf(context.segment, claim.name)
  const isListed = listSections.has(context.segment.role.slug ?? '') && to > from
  return procedureStatus(context, claim.name, { concept: null, date: null, isListed }, assertion) ?? 'uncertain'
}

function clinicalStatusOfProcedure(status: FactStatus): Held['clinicalStatus'] {
  if (status === 'hypothetical') return 'planned'
  return status === 'present' || status === 'historical' ? 'completed' : null
}

function doseStatus({ claim, segment, reading }: ClaimInPlace, { status }: Assertion): FactStatus {
  const { text } = reading.document
  const from = Math.max(segment.start, claim.name.start - 60)
  const around = text.slice(from, Math.min(segment.end, claim.name.end + 60))
  const course = vaccineCourse(around)
  if (status === 'negated' || course === 'not_given') return 'negated'
  if (course === 'to_come' || status === 'hypothetical') return 'hypothetical'
  return status === 'uncertain' ? 'uncertain' : 'present'
}

/** Medicines from tables, from lists, and from sentences that say that somebody takes, starts or stops them. */
import type { FoundFact } from '../../document/found-fact.ts'
import { coverOf, type Cover } from '../../document/places.ts'
import { findMedicineCues } from '../../terminology/medicine-cues.ts'
import { assertionOf, findCues, type Assertion } from '../statements/context.ts'
import type { Range, Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'
import { medicationFact } from './medication-fact.ts'
import { findMedicationRows } from './medication-tables.ts'
import { cueAfter, cueBefore } from './medicine-course.ts'
import { doseOf, stateBelow } from './medicine-dose.ts'
import { joinNames } from './medicine-glosses.ts'
import { findMedicines, type NamedMedicine } from './medicine-name.ts'
import { strengthIn } from './strength.ts'
import { prescriberOf } from './prescriber.ts'
import { readDirections } from './directions.ts'
import type { Segment } from '../statements/segments.ts'
import type { Table } from '../statements/table-columns.ts'

/** Where a medicine that is named is not one that is taken. */
export const closedToMedicines = new Set([
  'allergies',
  'immunisations',
  'family-history',
  'results',
  'technique',
  'comparison',
  'specimens',
  'care-team',
  'patient-details',
  'indication',
  'procedures',
  'past-surgical-history',
  'findings',
])
const medicineSections = new Set([
  'medications',
  'admission-medications',
  'discharge-medications',
  'ceased-medications',
])
const takes =
  /\b(?:tak(?:e|es|ing|en)|took|on|us(?:es|ing)|start(?:ed|ing)?|commenc(?:ed|e|ing)|prescribed|given|continu(?:e|ed|es|ing)|ceased?|stop(?:ped)?|discontinu(?:ed|e)|increas(?:ed|e)|decreas(?:ed|e)|reduced?|switch(?:ed)?|chang(?:ed|e)|medications?|medicines?|meds|trial of|requires|injects|tolerating|maintained|adding|added|add|withh(?:eld|old)|restart(?:ed)?|resumed?|refill)\b(?!\s+(?:examination|arrival|admission))/i
/** What stands between a verb of taking and a medicine may be other medicines, doses and small words, not a new clause. */
const maxVerbDistance = 90
const inpatientOnly =
  /\b(?:loaded with|covered with|intravenous(?:ly)?|IV|infusion|bolus|contrast|in the emergency department|in ED|intra-?operative(?:ly)?|nebuli[sz]ed)\b/i
const stops =
  /\b(?:ceased?|stop(?:ped)?|discontinu(?:ed?|ing)|withdrawn|no longer (?:taking|on|takes)|off|withheld|weaned off|cease|finished|completed|should not be restarted)\b/i

export function findMedications(reading: Reading, tables: readonly Table[], taken: Cover): FoundFact[] {
  const rows = findMedicationRows(reading, tables)
  const inRows = coverOf(rows.spans)
  const isFree = (range: Range) => !taken.touches(range) && !inRows.touches(range)
  const running = reading.segments.flatMap((segment, place) => {
    const slug = segment.role.slug ?? ''
    const isClosed = closedToMedicines.has(slug)
    if (segment.kind === 'heading' || rows.lines.has(segment.firstLine) || (isClosed && !beside.has(slug))) return []
    const medicines = joinNames(reading.document.text, findMedicines(segment.tokens)).filter(isFree)
    if (isClosed) return prescribedHere(reading, segment, place, medicines)
    if (medicines.length === 0 && isFree(segment)) return unknownMedicine(reading, segment)
    return medicines.flatMap((medicine, order) => {
      const limit = medicines[order + 1]?.start ?? segment.end
      const fact = statedMedicine(reading, segment, place, medicine, limit)
      return fact ? [fact] : []
    })
  })
  return [...rows.facts, ...running]
}

/** Prescriptions and notes of a travel clinic go on to medicines without a heading; there a line that opens with one and says how to take it counts. */
const beside = new Set(['patient-details', 'care-team', 'immunisations'])

function prescribedHere(
  reading: Reading,
  segment: Segment,
  place: number,
  medicines: readonly NamedMedicine[],
): FoundFact[] {
  const [medicine] = medicines
  if (!medicine || bare(reading.document.text, segment).start !== medicine.start) return []
  const fact = statedMedicine(reading, segment, place, medicine, medicines[1]?.start ?? segment.end)
  return fact?.detail.frequencyCode === undefined || fact.status !== 'present' ? [] : [fact]
}

/** A list of medicines names some that no table has, or that were misread: what has a strength and directions is one. */
function unknownMedicine(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  if (!medicineSections.has(segment.role.slug ?? '') || segment.kind === 'pair') return []
  const item = bare(text, segment)
  const lead = /^\p{Lu}?[\p{L}'-]{3,}(?:[ /-][\p{L}'-]{2,}){0,4}(?:\s\d{2}\/\d{2}(?=\s\d))?/u.exec(
    text.slice(item.start, item.end),
  )?.[0]
  if (
    lead === undefined ||
    /^(?:take|inhale|apply|inject|use|instil|place|give|put|insert|medic|drug|dose|total|date)/i.test(lead)
  )
    return []
  const end = item.start + lead.length
  const strength = strengthIn(text, end, Math.min(segment.end, end + 40))
  const directions = readDirections(text, strength?.end ?? end, segment.end)
  if (!strength || strength.start - end > 12 || (!directions.frequency && !directions.dose)) return []
  const fact = medicationFact(reading, {
    medicine: { start: item.start, end, term: null },
    strength,
    directions,
    role: segment.role,
    said: { before: '', after: text.slice(end, segment.end), status: 'present' },
    isListed: true,
    segment,
  })
  return fact ? [fact] : []
}

function statedMedicine(
  reading: Reading,
  segment: Segment,
  place: number,
  medicine: NamedMedicine,
  limit: number,
): FoundFact | null {
  const text = reading.document.text
  const isListed = medicineSections.has(segment.role.slug ?? '')
  const above = text.slice(Math.max(segment.start, medicine.start - maxVerbDistance), medicine.start)
  const isOpening = isListed && /(?:^|[,;:•*\n]|\d[.)])\s*$/.test(above)
  // The line above an item of a list is about another medicine.
  const before = isOpening ? (above.split('\n').at(-1) ?? '') : above
  const { strength, directions } = doseOf(reading, segment, place, medicine, { before, limit })
  const isDosed = strength !== null || directions.frequency !== null
  const said = `${limit === segment.end ? stateBelow(reading, segment, place) : ''}${text.slice(medicine.end, limit)}`
  const isSaid = isTold(before, said)
  const isWeak = !isOpening && (medicine.term.isAmbiguous || medicine.end - medicine.start <= 3)
  if (isReactedTo(before) || isMeasured(text, medicine)) return null
  if (!isListed && !isDosed && (isWeak || !(takes.test(before) || isSaid) || isInpatient(segment, before))) {
    if (isWeak || !isStopped(said)) return null
  }
  if (isWeak && !(isDosed && (isListed || takes.test(before) || strength !== null))) return null
  const status = statusOf(text, segment, medicine)
  if (status === 'family' || status === 'other') return null
  if (isExample(before) && !isDosed) return null
  return medicationFact(reading, {
    medicine,
    strength,
    directions,
    role: segment.role,
    said: { before, after: said, status },
    isListed: isListed || (strength !== null && medicine.start - segment.start < 6),
    segment,
    extra: prescriberOf(before, said),
  })
}

/** "If there is no improvement consider adalimumab": what is denied is over before the medicine's own verb. */
function statusOf(text: string, segment: Segment, medicine: NamedMedicine): Assertion['status'] {
  const { status, cue } = assertionOf(segment.tokens, findCues(segment.tokens), medicine)
  if (status !== 'negated' || cue === null || cue.end > medicine.start) return status
  const between = text.slice(cue.end, medicine.start)
  const verb = findMedicineCues(between, 'before').find(({ cue: said }) => said === 'planned' || said === 'active')
  const denied = verb ? between.slice(0, verb.start).replace(smallWords, '') : ''
  return /\p{L}/u.test(denied) ? 'present' : status
}

const smallWords =
  /\b(?:be|been|being|to|currently|yet|ever|want\w*|wish\w*|need\w*|keen|willing|able|prepared|happy|agree\w*|plan\w*|intend\w*|any|recent|current|regular|prior|previous|the|of|a|an|and|or|longer|using|use|taking|like|prefer\w*)\b/gi

/** "Blood thinners (e.g. warfarin)" on a form names what is meant, not what is taken. */
const isExample = (before: string) =>
  /[([]\s*(?:e\.?\s?g\.?|for example|such as|like|i\.?e\.?|incl\w*)[^)\]]*$/i.test(before)

function isTold(before: string, after: string): boolean {
  const told = ['stopped', 'held', 'planned', 'past', 'exchange', 'against']
  return told.includes(cueBefore(before) ?? '') || told.includes(cueAfter(after) ?? '')
}

/** "Allergic to trimethoprim so cephalexin was prescribed": behind another verb stands what is taken after all. */
function isReactedTo(before: string): boolean {
  const said = /\b(?:allerg|intoleran|reaction to|anaphyla|sensitiv)[^;.]*$/i.exec(before)?.[0]
  return (
    said !== undefined &&
    !/\b(?:so|hence|therefore|thus|but|instead|however|takes?|taking|given|prescribed|started|commenced|switched|changed to|treated with)\b/i.test(
      said,
    )
  )
}

function isInpatient(segment: Segment, before: string): boolean {
  return (
    inpatientOnly.test(before) ||
    (segment.role.slug === 'hospital-course' &&
      !/\b(?:start|commenc|continu|discharged on|increase|restart)/i.test(before))
  )
}

function isStopped(after: string): boolean {
  const clause = after.split(/[.;]|\bbut\b/)[0] ?? ''
  return stops.test(clause.slice(0, 60))
}

/** "Digoxin level 0.8", "lithium 0.6 mmol/L": a concentration, not a medicine. */
function isMeasured(text: string, medicine: Range): boolean {
  return /^\s*(?:level|concentration|assay|screen|resistan|allerg|toxicity|\S{0,12}\s?(?:mmol|umol|µmol|nmol|pmol|mg|ug|g|U|IU)\/(?:d?L)\b)/i.test(
    text.slice(medicine.end, medicine.end + 40),
  )
}

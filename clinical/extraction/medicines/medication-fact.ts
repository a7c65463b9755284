/** A medicine as a fact: its strength and directions, whether it is taken, and since when. */
import type { FactDetail, FoundDate, FoundFact } from '../../document/found-fact.ts'
import { foundDate } from '../statements/dated-context.ts'
import type { Directions } from './directions.ts'
import { foundFact, type Range, type Reading } from '../found.ts'
import { courseOf, type Course, type SaidOfMedicine } from './medicine-course.ts'
import type { NamedMedicine } from './medicine-name.ts'
import type { Strength } from './strength.ts'
import type { SectionRole } from '../statements/section-role.ts'
import type { Segment } from '../statements/segments.ts'

export type MedicineStatement = {
  readonly medicine: Range & { readonly term: NamedMedicine['term'] | null }
  readonly strength: Strength | null
  readonly directions: Directions
  readonly role: SectionRole
  readonly said: SaidOfMedicine
  readonly isListed: boolean
  readonly segment: Segment | null
  readonly date?: FoundDate | null
  readonly extra?: FactDetail
}

export function medicationFact(reading: Reading, statement: MedicineStatement): FoundFact | null {
  const { medicine, strength, directions } = statement
  const course = courseOf(statement.role, statement.said, directions.frequency !== null)
  if (course.status === 'hypothetical' && !strength && !course.isDirect) return null
  const text = reading.document.text
  const printed = (range: Range | null) =>
    range ? text.slice(range.start, range.end).replace(/\s+/g, ' ').trim() : undefined
  const detail = withoutGaps({
    dose: printed(directions.dose) ?? (directions.isVarying ? undefined : printed(strength)),
    route: printed(directions.route),
    form: printed(directions.form),
    frequency: printed(directions.frequency),
    frequencyCode: directions.frequencyCode ?? undefined,
    duration: printed(directions.duration),
    indication: printed(directions.indication),
  })
  return foundFact(reading.document, {
    type: 'medication',
    name: medicine,
    status: course.status,
    value: strength?.value ?? null,
    unit: strength?.unit || null,
    date: statement.date ?? startDate(reading, statement, course),
    detail: withoutGaps({ ...detail, clinicalStatus: course.clinicalStatus, ...statement.extra }),
    parts: [
      ['value', strength],
      ['detail', directions.dose],
      ['detail', directions.route],
      ['detail', directions.frequency],
    ],
    concept: medicine.term?.meaning.concept ?? null,
    strength: medicine.term && statement.isListed ? 'strong' : medicine.term ? 'fair' : 'weak',
  })
}

function startDate(reading: Reading, statement: MedicineStatement, course: Course): FoundDate | null {
  const { medicine, segment } = statement
  const own = segment
    ? reading.dates.within(medicine.end, segment.end).find((date) => date.label !== 'birth' && date.label !== 'other')
    : null
  if (own && own.start - medicine.end < 120)
    return foundDate(own, own.label === 'stopped' || course.clinicalStatus === 'stopped' ? 'stopped' : 'started')
  if (course.clinicalStatus !== 'active') return null
  const isNew =
    /\b(?:new(?:ly)?|started|commenced)\b/i.test(statement.said.after) ||
    /\bnew(?: medications?)?:\s*$/i.test(statement.said.before)
  const isPrescribed = reading.document.documentClass === 'prescription'
  if (!isNew && !isPrescribed) return null
  for (const label of isPrescribed
    ? (['document', 'visit'] as const)
    : (['discharged', 'visit', 'document'] as const)) {
    const date = reading.dates.governing(medicine.start, [label])
    if (date) return foundDate(date, 'started')
  }
  return null
}

function withoutGaps(detail: { readonly [Key in keyof FactDetail]?: FactDetail[Key] | undefined }): FactDetail {
  return Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined && value !== ''))
}

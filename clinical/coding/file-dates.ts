/**
 * Does a date fit the file that it stands in: its contacts, and the day on which it was written? What is older than a contact
 * fits: letters tell of earlier results. Nothing is ever changed by this; a person is asked to look.
 */
import type { FoundFact } from '../document/found-fact.ts'
import type { Finding } from './checks.ts'

type DatedFact = Pick<FoundFact, 'type' | 'status' | 'date' | 'detail'>
/** ISO days, both within it. */
type Contact = { readonly start: string; readonly end: string }

export type FileDates = {
  /** Those that the file is of, as exact as a day. */
  readonly contacts: readonly Contact[]
  /** After it nothing in the file can have happened; null: not known. */
  readonly lastDay: string | null
}

/** `documentDate`: the day of the document as its person gave it. */
export function datesOfFile(
  facts: readonly DatedFact[],
  { documentDate, today }: { readonly documentDate: string | null; readonly today: string },
): FileDates {
  const contacts = facts.flatMap(contactOf).filter(({ end }) => end <= today)
  const written = facts.flatMap(({ date }) =>
    date !== null && saysWhenWritten.has(date.meaning) && isDay(date.iso) && date.iso <= today ? [date.iso] : [],
  )
  // Several documents in one file: its date is that of the first, and the others tell by theirs how far it reaches.
  const lastDay =
    documentDate === null
      ? null
      : [documentDate, ...written, ...contacts.map(({ end }) => end)].reduce((a, b) => (a > b ? a : b))
  return { contacts, lastDay }
}

export function dateFitsFile(fact: DatedFact, file: FileDates): Finding | null {
  if (fact.type === 'encounter' && endsBeforeItBegins(fact)) return check('The contact would end before it begins.')
  const iso = fact.date?.iso ?? ''
  if (fact.date === null || fact.status === 'hypothetical' || !happened.has(fact.date.meaning)) return null
  if (file.lastDay !== null && iso.slice(0, file.lastDay.length) > file.lastDay.slice(0, iso.length))
    return check('The date lies after the date of the document.')
  if (measured.has(fact.type) && isDay(iso) && isOneYearDigitOff(iso, file.contacts))
    return check('With one other figure in its year, the date would be that of the visit or stay; it may be misread.')
  return null
}

const check = (reason: string): Finding => ({ weight: 'check', reason })
const isDay = (iso: string) => iso.length === 10

const saysWhenWritten = new Set<NonNullable<FoundFact['date']>['meaning']>(['document', 'reported'])
/** A medicine may well be started or stopped on a day to come. */
const happened = new Set<NonNullable<FoundFact['date']>['meaning']>([
  'collected',
  'performed',
  'given',
  'visit',
  'onset',
])
const measured = new Set<FoundFact['type']>([
  'lab_result',
  'vital_sign',
  'physical_finding',
  'imaging_result',
  'procedure',
  'immunization',
])

function contactOf({ type, status, date, detail }: DatedFact): Contact[] {
  if (type !== 'encounter' || status !== 'present' || date === null || !isDay(date.iso)) return []
  const end = detail.endDate ?? date.iso
  return isDay(end) && end >= date.iso ? [{ start: date.iso, end }] : []
}

function endsBeforeItBegins({ date, detail }: DatedFact): boolean {
  const [start, end] = [date?.iso ?? '', detail.endDate ?? '']
  const length = Math.min(start.length, end.length)
  return length > 0 && end.slice(0, length) < start.slice(0, length)
}

function isOneYearDigitOff(iso: string, contacts: readonly Contact[]): boolean {
  if (contacts.some((contact) => isWithin(iso, contact))) return false
  return contacts.some((contact) =>
    [contact.start, contact.end].some((day) => {
      const year = day.slice(0, 4)
      return differInOneFigure(year, iso.slice(0, 4)) && isWithin(`${year}${iso.slice(4)}`, contact)
    }),
  )
}

const isWithin = (day: string, { start, end }: Contact) => day >= start && day <= end

const differInOneFigure = (a: string, b: string) =>
  Array.from(a).filter((figure, place) => figure !== b[place]).length === 1

/** Real contacts: stays in hospital, visits, consultations. The taking of a sample is none, an appointment to come neither. */
import type { FoundFact } from '../../document/found-fact.ts'
import { firstNotBefore } from '../../document/places.ts'
import { contactFact, type Contact } from './contact.ts'
import { withPeople } from './encounter-people.ts'
import { findStays } from './encounter-stays.ts'
import { findNotedVisit, findPrintedVisits } from './encounter-visits.ts'
import type { Reading } from '../found.ts'
import { findToldVisits, isSaidToBe } from './told-visits.ts'

export function findEncounters(reading: Reading): FoundFact[] {
  const stays = findStays(reading)
  const printed = findPrintedVisits(reading)
  const noted = printed.some(isItsOwn) || stays.some(isItsOwn) ? null : findNotedVisit(reading)
  const own = [...stays, ...outside(stays, [...printed.filter(isItsOwn), ...(noted ? [noted] : [])])]
  const inProse = printed
    .filter((visit) => !visit.isOwn && isAsserted(reading, visit))
    .map((visit) => ({ ...visit, isOwn: true }))
  const spoken = [...inProse, ...findToldVisits(reading)]
  const told = asOfWhen(
    reading,
    outside(stays, spoken).filter((visit) => !isComing(visit, own.filter(isItsOwn))),
    own.filter(isItsOwn),
  )
  return withPeople(reading, withoutRepeats([...own, ...told])).map((contact) => contactFact(reading, contact))
}

const denied = /\b(?:not|never|n['’]t|failed to be|unable to be)\s(?:\p{L}+\s)?$/iu

function isAsserted({ document, segments }: Reading, { name }: Contact): boolean {
  if (denied.test(document.text.slice(Math.max(0, name.start - 24), name.start))) return false
  const segment = segments[firstNotBefore(segments, (each) => each.end < name.end)]
  return segment === undefined || isSaidToBe(segment, name)
}

const isItsOwn = (contact: Contact) => contact.isOwn

/** Who is in hospital is seen every day: those are no visits. */
function outside(stays: readonly Contact[], visits: readonly Contact[]): Contact[] {
  return visits.filter(
    (visit) =>
      !stays.some(({ date, end }) => date.iso <= visit.date.iso && visit.date.iso <= (end ?? date).iso) &&
      !stays.some(({ date, end, isOwn }) => isOwn && end === null && visit.date.iso > date.iso),
  )
}

/**
 * The last time that the writer saw the patient is what the letter is about, and so is what happened on its day, where it
 * has no contact of its own.
 */
function asOfWhen(reading: Reading, told: readonly Contact[], own: readonly Contact[]): Contact[] {
  const written = reading.dates.dates.find((date) => date.label === 'document')?.iso
  const byDay = told
    .filter((visit) => visit.isOwn || visit.date.iso === written)
    .toSorted((a, b) => b.date.iso.localeCompare(a.date.iso))
  const last = own.length > 0 ? undefined : byDay[0]
  return told.map((visit) =>
    visit === last ? { ...visit, isOwn: true, status: 'present' } : { ...visit, isOwn: false, status: 'historical' },
  )
}

/** What is told of a day after the contact itself is an appointment. */
function isComing(visit: Contact, own: readonly Contact[]): boolean {
  return own.length > 0 && own.every(({ date, end }) => visit.date.iso > (end ?? date).iso)
}

/** A day's visit that is told again is the same one; one that is printed again keeps all its places by its name. */
function withoutRepeats(contacts: readonly Contact[]): Contact[] {
  return contacts.filter(
    (contact, place) =>
      contact.isOwn ||
      !contacts
        .slice(0, place)
        .some((other) => other.date.iso === contact.date.iso && (other.isOwn || other.type === contact.type)),
  )
}

/** Visits with a printed label or title beside their date, entries of a running history, and the note of a visit itself. */
import { contactTypeOf, type Contact } from './contact.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import { contactTitle } from '../statements/entry-dates.ts'
import { trimmed, type Range, type Reading } from '../found.ts'

const visitLabel = new RegExp(
  `\\b(${contactTitle}|(?:(?:office|clinic|home|outpatient|follow-?up|initial|telehealth|video|phone|emergency(?: department)?|surgery|practice|GP|hospital) )?(?:visit|consult(?:ation)?|encounter|attendance|presentation|review)(?: date)?|date (?:of|seen)(?: (?:the )?(?:visit|consultation|encounter|attendance|presentation|service|review|appointment))?|date of (?:clinic|contact|outpatient \\w+)|(?:visit|service|consultation|encounter|clinic|contact) date|seen(?: on)?|attended(?: on)?)\\s*[:\\t(–—-]?\\s*(?:on |dated )?$`,
  'i',
)
/** Behind these words the visit is still to come. */
const coming =
  /\b(?:next|upcoming|scheduled?|booked|planned|follow-?up|future|due|recall|to be|will be|please|for)\s+(?:\w+\s)?$/i

export function findPrintedVisits(reading: Reading): Contact[] {
  const visits = reading.dates.dates
    .filter((date) => date.label === 'visit' && date.iso.length === 10)
    .flatMap((date) => (date.entry ? entryVisit(reading, date, date.entry) : (labelledVisit(reading, date) ?? [])))
  return visits.length === 1 ? visits.map((visit) => titled(reading, visit)) : visits
}

/** "Emergency Department Note" above a plain "Date of service". */
function titled(reading: Reading, visit: Contact): Contact {
  const isEmergency = visit.type === 'visit' && visit.isOwn && firstMatch(reading, emergencyTitle, 8) !== null
  return isEmergency ? { ...visit, type: 'emergency' } : visit
}

function entryVisit({ document }: Reading, date: LabelledDate, entry: Range & { kind: string }): Contact[] {
  const line = document.lines[date.line]
  const said = document.text.slice(entry.start, line ? Math.min(line.start + line.length, entry.end + 40) : entry.end)
  return [
    {
      name: trimmed(document.text, entry),
      date,
      end: null,
      type: contactTypeOf(said),
      status: 'present',
      strength: entry.kind === 'cell' ? 'fair' : 'strong',
      isOwn: true,
      provider: entry.kind === 'clinician' ? trimmed(document.text, entry) : null,
      facility: null,
    },
  ]
}

function labelledVisit(reading: Reading, date: LabelledDate): Contact | null {
  const { text, lines } = reading.document
  const line = lines[date.line]
  const from = Math.max(line?.start ?? 0, date.start - 60)
  const match = visitLabel.exec(text.slice(from, date.start))
  if (!line || !match?.[1]) return null
  const start = from + match.index
  const name = trimmed(text, { start, end: start + match[1].length })
  const isLabel = line.cells.some((cell) => name.start - cell.start < 3)
  const printed = text.slice(name.start, name.end)
  if (!isLabel && (!/seen|attended|review|consult/i.test(printed) || coming.test(text.slice(line.start, start))))
    return null
  return {
    name,
    date,
    end: null,
    type: contactTypeOf(printed),
    status: 'present',
    strength: isLabel ? 'strong' : 'fair',
    isOwn: isLabel,
    provider: null,
    facility: null,
  }
}

const noteTitle =
  /^(?:.{0,30}\b)?((?:progress|clinic|office|visit|consult(?:ation)?|encounter|SOAP|follow-?up|outpatient|GP|surgery|telehealth) (?:visit )?(?:note|record|summary|report)s?)\b/i
const emergencyTitle =
  /^(?:.{0,30}\b)?((?:emergency (?:department|medicine|room)|ED)(?: (?:visit|provider|physician|attendance|consultation))? (?:note|record|report|summary|presentation))\b/i
const sawToday =
  /\b((?:I|we) (?:saw|reviewed|assessed|had the pleasure of (?:seeing|reviewing|meeting))|(?:was|were) (?:seen|reviewed) (?:today|in (?:my|our|the) (?:rooms|clinic))|thank you for (?:referring|asking me to see))\b/i
/** Says so whatever the document is. */
const today =
  /\b((?:seen|reviewed|assessed|saw|attended|presented|presents|consulted)(?: (?!but\b|on\b|not\b)[\w'’.,]+){0,7}? today|(?:here|in|presents|attends|comes in) today (?:for|with|to)|today['’]s (?:visit|consultation|appointment))\b/i

const ofNoVisit: ReadonlySet<string> = new Set([
  'lab_report',
  'imaging_report',
  'pathology_report',
  'prescription',
  'medication_list',
  'immunization_record',
  'discharge_summary',
])

/** The note of a visit is dated by the visit; a letter says that the writer saw the patient, in clinic or today. */
export function findNotedVisit(reading: Reading): Contact | null {
  const { documentClass } = reading.document
  const date = reading.dates.dates.find((candidate) => candidate.label === 'document' && candidate.iso.length === 10)
  if (!date || ofNoVisit.has(documentClass)) return null
  const name = visitOf(reading, date)
  if (!name) return null
  const words = reading.document.text.slice(name.start, name.end)
  const isEmergency = firstMatch(reading, emergencyTitle, 8) !== null
  return {
    name,
    date,
    end: null,
    type: isEmergency ? 'emergency' : contactTypeOf(words),
    status: 'present',
    strength: 'fair',
    isOwn: true,
    provider: null,
    facility: null,
  }
}

function visitOf(reading: Reading, date: LabelledDate): Range | null {
  const { documentClass } = reading.document
  const title = () => firstMatch(reading, noteTitle, 8) ?? firstMatch(reading, emergencyTitle, 8)
  if (documentClass === 'clinic_note') return firstMatch(reading, noteTitle) ?? title() ?? labelBefore(reading, date)
  if (documentClass === 'specialist_letter') return firstMatch(reading, sawToday) ?? firstMatch(reading, today)
  return (documentClass === 'unknown' ? title() : null) ?? firstMatch(reading, today)
}

function firstMatch(reading: Reading, pattern: RegExp, lines = Number.POSITIVE_INFINITY): Range | null {
  for (const line of reading.document.lines.slice(0, lines)) {
    const match = pattern.exec(reading.document.text.slice(line.start, line.start + Math.min(line.length, 200)))
    if (!match?.[1]) continue
    const start = line.start + match.index + match[0].indexOf(match[1])
    return { start, end: start + match[1].length }
  }
  return null
}

function labelBefore(reading: Reading, date: LabelledDate): Range | null {
  const line = reading.document.lines[date.line]
  if (!line) return null
  const label = /(\p{L}[\p{L} ]{2,24})\s*[:\t-]?\s*$/u.exec(reading.document.text.slice(line.start, date.start))?.[1]
  if (label === undefined) return null
  const start = reading.document.text.lastIndexOf(label, date.start)
  return { start, end: start + label.length }
}

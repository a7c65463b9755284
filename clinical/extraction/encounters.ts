/** Real contacts: stays in hospital, visits, consultations. The taking of a sample is none, an appointment to come neither. */
import type { FoundFact } from '../document/found-fact.ts'
import { foundDate, type LabelledDate } from './dated-context.ts'
import { foundFact, trimmed, type Range, type Reading } from './found.ts'

const visitLabel =
  /\b((?:(?:office|clinic|home|outpatient|follow-?up|initial|telehealth|video|phone|emergency(?: department)?|surgery|practice|GP|hospital) )?(?:visit|consult(?:ation)?|encounter|attendance|presentation|review)(?: date)?|date (?:of|seen)(?: (?:the )?(?:visit|consultation|encounter|attendance|presentation|service|review|appointment))?|(?:visit|service|consultation|encounter) date|seen(?: on)?|attended(?: on)?)\s*[:\t-]?\s*$/i
const stayLabel = /\b(admi(?:tted|ssion|t)(?: date)?|date of admission|admission(?: date)?)[^\n]{0,12}$/i

export function findEncounters(reading: Reading): FoundFact[] {
  const { dates } = reading.dates
  const admitted = dates.find((date) => date.label === 'admitted' && date.iso.length === 10)
  const discharged = admitted
    ? dates.find((date) => date.label === 'discharged' && date.iso >= admitted.iso)
    : undefined
  const stay = admitted ? stayFact(reading, admitted, discharged) : null
  const visits = dates
    .filter((date) => date.label === 'visit' && date.iso.length === 10)
    .filter((date) => !admitted || date.iso < admitted.iso || (discharged !== undefined && date.iso > discharged.iso))
    .flatMap((date) => visitFact(reading, date) ?? [])
  if (stay) return [stay, ...visits]
  const noted = visits.length > 0 ? null : notedVisit(reading)
  return noted ? [noted] : visits
}

const noteTitle =
  /^(?:.{0,30}\b)?((?:progress|clinic|office|visit|consult(?:ation)?|encounter|SOAP|follow-?up|outpatient|GP|surgery|telehealth) (?:visit )?(?:note|record|summary|report)s?)\b/i
const sawToday =
  /\b((?:I|we) (?:saw|reviewed|assessed|had the pleasure of (?:seeing|reviewing|meeting))|(?:was|were) (?:seen|reviewed) (?:today|in (?:my|our|the) (?:rooms|clinic))|thank you for (?:referring|asking me to see))\b/i

/** The note of a visit is dated by the visit; a specialist's letter says that the writer saw the patient. */
function notedVisit(reading: Reading): FoundFact | null {
  const { document } = reading
  const date = reading.dates.dates.find((candidate) => candidate.label === 'document' && candidate.iso.length === 10)
  const isNote = document.documentClass === 'clinic_note'
  if (!date || (!isNote && document.documentClass !== 'specialist_letter')) return null
  const name = isNote ? (firstMatch(reading, noteTitle) ?? labelBefore(reading, date)) : firstMatch(reading, sawToday)
  if (!name) return null
  return foundFact(document, {
    type: 'encounter',
    name,
    date: foundDate(date, 'visit'),
    detail: { encounterType: 'visit' },
    parts: [['date', date]],
    strength: 'fair',
  })
}

function firstMatch(reading: Reading, pattern: RegExp): Range | null {
  for (const line of reading.document.lines) {
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

function stayFact(reading: Reading, admitted: LabelledDate, discharged: LabelledDate | undefined): FoundFact | null {
  const name = labelRange(reading, admitted, stayLabel)
  if (!name) return null
  return foundFact(reading.document, {
    type: 'encounter',
    name,
    date: foundDate(admitted, 'visit'),
    detail: { encounterType: 'admission', ...(discharged ? { endDate: discharged.iso } : {}) },
    parts: [
      ['date', admitted],
      ['date', discharged],
    ],
    strength: 'strong',
  })
}

function visitFact(reading: Reading, date: LabelledDate): FoundFact | null {
  const name = labelRange(reading, date, visitLabel)
  if (!name) return null
  const isLabel = isLineStart(reading, date.line, name)
  const printed = reading.document.text.slice(name.start, name.end)
  if (!isLabel && !/seen|attended|review|consult/i.test(printed)) return null
  return foundFact(reading.document, {
    type: 'encounter',
    name,
    date: foundDate(date, 'visit'),
    detail: { encounterType: /emergency|\bED\b/i.test(printed) ? 'emergency' : 'visit' },
    parts: [['date', date]],
    strength: isLabel ? 'strong' : 'fair',
  })
}

function labelRange(reading: Reading, date: LabelledDate, label: RegExp): Range | null {
  const line = reading.document.lines[date.line]
  if (!line) return null
  const match = label.exec(reading.document.text.slice(Math.max(line.start, date.start - 60), date.start))
  if (!match?.[1]) return null
  const start = Math.max(line.start, date.start - 60) + match.index
  return trimmed(reading.document.text, { start, end: start + match[1].length })
}

function isLineStart(reading: Reading, place: number, name: Range): boolean {
  const line = reading.document.lines[place]
  return line !== undefined && line.cells.some((cell) => name.start - cell.start < 3)
}

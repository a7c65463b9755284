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
  return stay ? [stay, ...visits] : visits
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

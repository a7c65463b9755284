/** Stays in hospital: "Admitted … Discharged …", several of them in one file, and ranges of two dates. */
import type { DocumentClass } from '../../document/mapped.ts'
import type { Contact } from './contact.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import { trimmed, type Range, type Reading } from '../found.ts'

const stayLabel =
  /\b(admi(?:tted|ssion|t)(?: date)?|date of admission|date admitted|hospitali[sz](?:ed|ations?)|(?:inpatient|hospital) stay)[^\n]{0,12}$/i
/** Where the date stands further behind: "was admitted to the Royal Example Hospital with pneumonia on". */
const toldStay = /\b(admitted|hospitali[sz]ed)((?: [\p{L}'’.,&()-]+){0,12}) (?:on|from)\s*$/iu
const planned =
  /\b(?:to be|will be|booked|scheduled|planned|awaiting|wait-?list(?:ed)?|pre|for|future|next|due|proposed|if|prior to|before)\b[\s-](?:\w+\s){0,2}$/i
const earlier = /\b(?:previous(?:ly)?|prior|past|last|earlier|also|was|had been|been|recent(?:ly)?|an?)\s+(?:\w+\s)?$/i
const rangeJoin = /^\s*(?:\([^)]*\)\s*)?(?:-|–|—|to|until|till|through|thru)\s*$/i

/** What such documents tell of a stay is over. */
const letters: ReadonlySet<DocumentClass> = new Set([
  'referral_letter',
  'specialist_letter',
  'clinic_note',
  'health_summary',
])

export function findStays(reading: Reading): Contact[] {
  const { dates } = reading.dates
  const starts = dates.flatMap((date, place) => {
    if (date.label !== 'admitted' || date.iso.length < 10) return []
    const name = stayName(reading, date)
    return name ? [{ date, place, name }] : []
  })
  const stays = starts.map(({ date, place, name }, rank) => {
    const next = starts[rank + 1]?.place ?? dates.length
    const end = endOf(reading, date, dates.slice(place + 1, next)) ?? loneEnd(dates, date, starts.length)
    return stayOf(reading, name, date, end)
  })
  const labelled = stays.filter((stay) => stay.isOwn)
  return firstOfEachDay(labelled.length > 0 ? [...labelled, ...stays.filter((stay) => !stay.isOwn)] : stays).map(
    (stay) => (!stay.isOwn && labelled.length > 0 ? { ...stay, status: 'historical' } : stay),
  )
}

function stayOf(reading: Reading, name: Range, date: LabelledDate, end: LabelledDate | null): Contact {
  const { text } = reading.document
  const line = reading.document.lines[date.line]
  const before = text.slice(line?.start ?? 0, name.start)
  const isOwn =
    line !== undefined &&
    (before.trim() === '' || line.cells.some((cell) => name.start - cell.start < 3 && name.start >= cell.start))
  const isPast =
    !isOwn &&
    (letters.has(reading.document.documentClass) ||
      /\b(?:previous(?:ly)?|prior|past|last|earlier)\s+(?:\w+\s)?$/i.test(before))
  return {
    name,
    date,
    end,
    type: 'admission',
    status: isPast ? 'historical' : 'present',
    strength: isOwn || !earlier.test(before) ? 'strong' : 'fair',
    isOwn,
    provider: null,
    facility: null,
  }
}

function stayName(reading: Reading, date: LabelledDate): Range | null {
  const { lines, text } = reading.document
  const line = lines[date.line]
  if (!line) return null
  const from = Math.max(line.start, date.start - 120)
  const before = text.slice(from, date.start)
  const match = stayLabel.exec(before.slice(-60)) ?? toldStay.exec(before)
  if (!match?.[1]) return null
  const start = date.start - match[0].length
  if (planned.test(text.slice(line.start, start))) return null
  return trimmed(text, { start, end: start + match[1].length })
}

/** The second date of a range, else the next date that is said to be a discharge. */
function endOf(reading: Reading, start: LabelledDate, following: readonly LabelledDate[]): LabelledDate | null {
  const [next] = following
  const isRange =
    next !== undefined &&
    next.line === start.line &&
    next.iso >= start.iso &&
    next.iso.length === 10 &&
    rangeJoin.test(reading.document.text.slice(start.end, next.start))
  if (isRange) return next
  return following.find((date) => date.label === 'discharged' && date.iso >= start.iso) ?? null
}

/** The only stay of a file may print its end first. */
function loneEnd(dates: readonly LabelledDate[], start: LabelledDate, stays: number): LabelledDate | null {
  const end = dates.find((date) => date.label === 'discharged' && date.iso >= start.iso)
  return stays === 1 && end ? end : null
}

function firstOfEachDay(stays: readonly Contact[]): Contact[] {
  return [...Map.groupBy(stays, (stay) => stay.date.iso).values()].flatMap(
    (same) => same.find((stay) => stay.end !== null) ?? same[0] ?? [],
  )
}

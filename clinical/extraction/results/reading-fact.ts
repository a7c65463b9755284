/** One measured value as a fact: unit against what the observation is reported in, date by column, sentence or document. */
import type { FoundDate, FoundFact } from '../../document/found-fact.ts'
import type { Observation } from '../../terminology/concepts.ts'
import { findYearless, type PrintedDate } from '../../document/dates.ts'
import { firstNotBefore, touchedBy } from '../../document/places.ts'
import { isPlausible } from '../../terminology/plausible.ts'
import { isDoneOn, specimenOfTest } from '../../terminology/specimens.ts'
import { legibleUnit } from '../../terminology/units.ts'
import { foundDate, type DateLabel, type LabelledDate } from '../statements/dated-context.ts'
import { foundFact, isRecognised, type Range, type Reading } from '../found.ts'
import { meantUnit } from './misread-units.ts'
import { withoutContradicted } from './misread-numbers.ts'
import { observationNamed } from './observation-name.ts'
import type { RowValues } from './row-values.ts'
import type { Segment } from '../statements/segments.ts'

export type ReadingCandidate = {
  readonly name: Range
  readonly observation: Observation | null
  readonly values: RowValues
  readonly date: FoundDate | null
  readonly strength: FoundFact['strength']
  /** The heading of the column for the right or the left that it stands under. */
  readonly side?: { readonly start: number; readonly length: number } | null
}

/** Words of dose stand after a number as units do; a substance with one is a medicine, not a result. */
const doseDimensions = new Set([
  'mass',
  'dose count',
  'dose',
  'time',
  'volume',
  'content',
  'arbitrary amount',
  'dose rate',
])

export function readingFact(reading: Reading, given: ReadingCandidate): FoundFact | null {
  const { specimen, panel, observation: meant } = onSpecimen(reading, given)
  const printed = { ...given, observation: meant }
  const inUnit = withMeantUnit(reading, printed)
  const candidate = isPictured(reading, inUnit.values.value) ? withLostPoint(inUnit) : inUnit
  const values = withoutContradicted(reading, candidate.values)
  const { observation } = candidate
  if (!(values.value ?? values.illegible) || !isPossible(candidate)) return null
  const isVital = observation?.kind === 'vital'
  const side = given.side ? sideIn(reading.document.text, given.side) : null
  return foundFact(reading.document, {
    type: isVital ? 'vital_sign' : 'lab_result',
    name: candidate.name,
    value: values.value?.printed.replace(/\s+/g, ' ') ?? null,
    unit: unitText(reading, values),
    referenceRange: values.range?.printed ?? null,
    date: candidate.date,
    detail: {
      ...(values.value?.comparator ? { comparator: values.value.comparator } : {}),
      ...(values.flag ? { flag: values.flag.printed } : {}),
      ...(specimen !== null && !isVital ? { specimen } : {}),
      ...(panel !== null && !isVital ? { panel } : {}),
      ...(side !== null ? { laterality: side } : {}),
      ...(isVital && values.value?.printed.includes('/') ? { components: pressureParts(values.value.printed) } : {}),
    },
    parts: [
      ['value', values.value ?? values.illegible],
      ['unit', values.unit],
      ['reference_range', values.range],
    ],
    concept: observation?.concept ?? null,
    strength: values === candidate.values ? candidate.strength : 'weak',
  })
}

/** "R", "Right eye", "OS". */
function sideIn(text: string, { start, length }: { start: number; length: number }): string | null {
  const printed = text.slice(start, start + length).trim()
  if (/^(?:right|R\b|RE\b|O\.?D)/i.test(printed)) return 'right'
  return /^(?:left|L\b|LE\b|O\.?S)/i.test(printed) ? 'left' : null
}

/** "Creatinine" under "Urine chemistry" is another test than in serum; where no such test is known it stays uncoded. */
function onSpecimen(reading: Reading, { name, observation }: ReadingCandidate) {
  const printed = reading.document.text.slice(name.start, name.end)
  const lineAt = firstNotBefore(reading.document.lines, (line) => line.start + line.length < name.start)
  const isReport = reading.document.documentClass === 'lab_report'
  const above = isReport ? reading.headings[lineAt] : undefined
  const specimen = specimenOfTest(printed) ?? above?.specimen ?? null
  const panel = above?.panel ?? null
  if (observation === null || specimen === null || isDoneOn(observation.specimen, specimen))
    return { specimen, panel, observation }
  const other = observationNamed(`${specimen} ${printed}`)
  const isMeant = other?.isWhole === true && isDoneOn(other.observation.specimen, specimen)
  return { specimen, panel, observation: isMeant ? other.observation : null }
}

function withMeantUnit(reading: Reading, candidate: ReadingCandidate): ReadingCandidate {
  const { observation, values } = candidate
  const meant = observation === null ? null : meantUnit(reading, observation, values)
  if (meant === null) return candidate
  const { unit, isOther } = meant
  return { ...candidate, values: { ...values, unit }, strength: isOther ? 'weak' : candidate.strength }
}

export function fitsUnit(observation: Observation, values: RowValues): boolean {
  return values.unit !== null && values.unit.unit.ucum.some((ucum) => observation.acceptedUcum.includes(ucum))
}

/** A point is the first thing that a scan loses: "44" beside "3.5-5.3" and impossible is 4.4; somebody must look. */
function withLostPoint(candidate: ReadingCandidate): ReadingCandidate {
  const { values, observation } = candidate
  const decimals = /\.(\d+)\s*$/.exec(values.range?.printed ?? '')?.[1]?.length ?? 0
  const figures = values.value?.printed ?? ''
  if (!observation || !values.value || decimals === 0 || isPossible(candidate)) return candidate
  if (!/^\d+$/.test(figures) || figures.length <= decimals) return candidate
  const printed = `${figures.slice(0, -decimals)}.${figures.slice(-decimals)}`
  const pointed = { ...values, value: { ...values.value, printed, number: Number(printed) } }
  return isPossible({ ...candidate, values: pointed }) ? { ...candidate, values: pointed, strength: 'weak' } : candidate
}

function unitText(reading: Reading, { unit }: RowValues): string | null {
  if (!unit) return null
  const legible = legibleUnit(unit.printed, unit.unit)
  // A raised figure is printed with ^; a scan makes * of it.
  return isPictured(reading, unit) ? legible.replace(/(?<=10)[*°](?=\d)/, '^') : legible
}

function isPictured({ document }: Reading, range: Range | null): boolean {
  return range !== null && isRecognised(document, range)
}

const ofDischarge = /\b(on|at|prior to|before|day of) discharge\b/i

/** Sampling, else contact, else the document's own date; discharge only governs what says so. */
export function readingDate(reading: Reading, at: Range, segment: Segment | null): FoundDate | null {
  const own = segment ? ownDate(reading, at, segment) : null
  const { text } = reading.document
  const before = segment ? text.slice(own && own.start < at.start ? own.end : segment.start, at.start) : ''
  const isOfDischarge = /\bdischarge\s*$/i.test(before) || ofDischarge.test(`${before} ${segment?.role.heading ?? ''}`)
  const discharged = isOfDischarge ? reading.dates.governing(at.start, ['discharged']) : null
  if (discharged) return foundDate(discharged, 'visit')
  if (own) return foundDate(own, 'collected')
  for (const labels of dateOrder(reading)) {
    const date = reading.dates.governing(at.start, labels)
    if (date) return foundDate(date, meaningOf(date.label))
  }
  const head = headDate(reading)
  return head ? foundDate(head, 'document') : null
}

const linesOfHead = 12

/** The one day without a label at the head of a document that dates nothing else, or the one printed there twice. */
function headDate({ dates, document }: Reading): LabelledDate | null {
  const last = document.lines.at(Math.min(linesOfHead, document.lines.length) - 1)
  const days = dates
    .within(0, (last?.start ?? 0) + (last?.length ?? 0))
    .filter(({ line, label, iso }) => document.lines[line]?.page === 1 && label === null && iso.length === 10)
  const [most, next] = [...Map.groupBy(days, ({ iso }) => iso).values()].toSorted((a, b) => b.length - a.length)
  return most?.[0] && most.length > (next?.length ?? 0) ? most[0] : null
}

function dateOrder(reading: Reading): readonly (readonly DateLabel[])[] {
  return reading.document.documentClass === 'lab_report'
    ? [['collected'], ['examined', 'visit', 'document'], ['reported']]
    : [['collected', 'visit', 'admitted', 'examined'], ['document'], ['reported']]
}

function meaningOf(label: DateLabel | null): FoundDate['meaning'] {
  if (label === 'collected') return 'collected'
  if (label === 'reported') return 'reported'
  return label === 'document' ? 'document' : 'visit'
}

/**
 * A date inside the statement: the nearest one, but never a birth date or one that is said to be another thing's. In a
 * row the date of the own cell goes first, and a lone year in another cell is since when something is so.
 */
function ownDate(reading: Reading, at: Range, segment: Segment): OwnDate | null {
  const cell = cellAround(reading, at)
  const isInCell = (date: Range) => cell !== null && cell.start <= date.start && date.start < cell.end
  const stated = [...leadDates(reading, segment), ...reading.dates.within(segment.start, segment.end)].filter(
    (date) => date.label === null || !['birth', 'other', 'stopped', 'started', 'onset'].includes(date.label),
  )
  const inCell = stated.filter(isInCell)
  const outside = stated.filter((date) => cell === null || date.iso.length > 4 || segment.kind !== 'row')
  const near = inCell.length > 0 ? inCell : [...outside, ...yearlessDates(reading, at, segment)]
  const exact = near.some((date) => date.iso.length === 10) ? near.filter((date) => date.iso.length > 4) : near
  return exact.toSorted((a, b) => Math.abs(a.start - at.start) - Math.abs(b.start - at.start))[0] ?? null
}

type OwnDate = PrintedDate
/** Letters between a result and a day without a year that is its own. */
const farthestDay = 160

function cellAround({ document }: Reading, at: Range): Range | null {
  const [line] = touchedBy(document.lines, { start: at.start, end: at.start + 1 })
  const cell =
    line && line.cells.length > 1
      ? line.cells.find((each) => each.start <= at.start && at.start < each.start + each.length)
      : undefined
  return cell ? { start: cell.start, end: cell.start + cell.length } : null
}

/** "Bloods on 5 August": of the year that the document's own date makes the nearest past one. */
function yearlessDates(reading: Reading, at: Range, segment: Segment): PrintedDate[] {
  const { text } = reading.document
  const lead = leadOf(reading, segment)
  const from = Math.max(lead?.start ?? segment.start, at.start - farthestDay)
  const to = Math.min(segment.end, at.end + farthestDay)
  const written = reading.dates.governing(segment.start, [
    'document',
    'visit',
    'reported',
    'discharged',
    'examined',
    'collected',
  ])
  return written ? findYearless(text, from, to, written.iso).filter(({ start }) => !reading.dates.covers(start)) : []
}

/** "Blood tests on 3 May showed:", "LABS (3/5/2024 0640):" speak for what stands behind them. */
function leadDates(reading: Reading, segment: Segment): LabelledDate[] {
  const lead = leadOf(reading, segment)
  return lead ? reading.dates.within(lead.start, lead.end) : []
}

function leadOf(reading: Reading, segment: Segment): Segment | null {
  const lead = reading.segments[firstNotBefore(reading.segments, (each) => each.start < segment.start) - 1]
  const said = lead ? reading.document.text.slice(lead.start, lead.end) : ''
  return lead !== undefined && /:\s*$/.test(said) && (lead.kind !== 'heading' || /\d/.test(said)) ? lead : null
}

function isPossible({ values, observation }: ReadingCandidate): boolean {
  if (!observation) return true
  if (values.unit && !fitsUnit(observation, values) && doseDimensions.has(values.unit.unit.dimension)) return false
  if (!values.value || values.value.printed.includes('/') || values.value.number === null) return true
  const ucum = values.unit && fitsUnit(observation, values) ? values.unit.unit.ucum : []
  return isPlausible(observation.concept, values.value.number, ucum)
}

function pressureParts(printed: string): { name: string; value: string }[] {
  const [systolic = '', diastolic = ''] = printed.split('/').map((part) => part.trim())
  return [
    { name: 'systolic', value: systolic },
    { name: 'diastolic', value: diastolic },
  ]
}

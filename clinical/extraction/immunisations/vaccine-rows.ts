/** Doses in rows of a record: one for each date, since cards print a vaccine once and its dates beside it. */
import type { Cell } from '../../document/mapped.ts'
import type { FoundFact } from '../../document/found-fact.ts'
import { courseOfHeading, vaccineCourse, type VaccineCourse } from '../../terminology/vaccine-words.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Reading } from '../found.ts'
import {
  cellsByRole,
  columnOf,
  hasColumn,
  type ColumnRole,
  type Table,
  type TableRow,
} from '../statements/table-columns.ts'
import { deniedDose, doseDetail, doseFact, doseNumberIn, vaccineName, withoutGaps } from './vaccine-dose.ts'

export function isVaccineTable(reading: Reading, table: Table): boolean {
  if (hasColumn(table, 'vaccine')) return true
  const first = table.rows[0]
  return (
    first !== undefined &&
    reading.roles[first.place]?.role.slug === 'immunisations' &&
    !hasColumn(table, 'medicine', 'test', 'problem')
  )
}

export function rowDoses(reading: Reading, table: Table, row: TableRow): FoundFact[] {
  const text = reading.document.text
  const cells = cellsByRole(table, row.line)
  const nameCell = cells.get('vaccine') ?? row.line.cells.find((cell) => isWords(reading, cell))
  const name = nameCell ? vaccineName(reading, { start: nameCell.start, end: nameCell.start + nameCell.length }) : null
  if (!nameCell || !name) return []

  const said = row.line.cells.map((cell) => cellCourse(reading, table, cell, name.end))
  const dates = said.flatMap((cell) => cell.dates)
  const heading = courseOfHeading(reading.roles[row.place]?.role.heading ?? null)
  const beside = [
    ...(heading ? [heading] : []),
    ...said.flatMap((cell) => (cell.dates.length === 0 && cell.course ? [cell.course] : [])),
  ]
  const ofRow = beside.includes('not_given')
    ? 'not_given'
    : beside.includes('to_come')
      ? 'to_come'
      : (beside[0] ?? null)
  const given = dates.filter(({ course }) => course === 'given' || (course === null && (ofRow ?? 'given') === 'given'))
  if (given.length === 0 && (ofRow === 'not_given' || dates.some(({ course }) => course === 'not_given')))
    return [deniedDose(reading, name)]
  if (given.length === 0 && (dates.length > 0 || !isGivenUndated(reading, table, cells, ofRow))) return []

  const cellOf = (role: ColumnRole) => {
    const found = cells.get(role)
    return found ? text.slice(found.start, found.start + found.length).trim() : ''
  }
  const around = text.slice(row.line.start, row.line.start + row.line.length)
  const detail = {
    ...doseDetail(around),
    ...withoutGaps({
      batch: cellOf('batch'),
      site: cellOf('site'),
      manufacturer: cellOf('manufacturer'),
      doseNumber: numberAlone(cellOf('dose')) || doseNumberIn(around),
    }),
  }
  const doses = given.length > 0 ? given.map(({ date }) => date) : [null]
  return doses.map((date, order) =>
    doseFact(reading, name, {
      date,
      detail: { ...detail, ...numberOf(reading, table, row, date, { order, of: doses.length }) },
    }),
  )
}

/** "Dose 3" over a column numbers what stands under it; else the dates of a row count. */
function numberOf(
  reading: Reading,
  table: Table,
  row: TableRow,
  date: LabelledDate | null,
  { order, of }: { readonly order: number; readonly of: number },
): { doseNumber?: string } {
  const cell = date
    ? row.line.cells.find(({ start, length }) => start <= date.start && date.start < start + length)
    : null
  const heading = cell ? columnOf(table, cell)?.cell : null
  const printed = heading ? reading.document.text.slice(heading.start, heading.start + heading.length) : ''
  const number = doseNumberIn(printed) || numberAlone(printed) || (of > 1 ? String(order + 1) : '')
  return number === '' ? {} : { doseNumber: number }
}

/** "3", "Dose 2 of 3"; a date or a volume is no number of a dose. */
function numberAlone(printed: string): string {
  return /^\W*(?:dose\s*)?(\d{1,2})(?:\s*(?:of|\/)\s*\d{1,2})?\W*$/i.exec(printed)?.[1] ?? ''
}

/** A printed card lists vaccines that nobody has given: an empty cell for the date is no dose. */
function isGivenUndated(
  reading: Reading,
  table: Table,
  cells: ReadonlyMap<ColumnRole, Cell>,
  ofRow: VaccineCourse | null,
): boolean {
  if (!hasColumn(table, 'vaccine') || ofRow === 'to_come') return false
  const isFilled = (cell: Cell | undefined) =>
    cell !== undefined && reading.document.text.slice(cell.start, cell.start + cell.length).trim() !== ''
  const isForDates = hasColumn(table, 'date', 'dated') || table.rows.some((row) => hasDates(reading, row))
  return ofRow === 'given' || !isForDates || isFilled(cells.get('date')) || isFilled(cells.get('batch'))
}

function isWords(reading: Reading, cell: Cell): boolean {
  const end = cell.start + cell.length
  return (
    /\p{L}{2}/u.test(reading.document.text.slice(cell.start, end)) && reading.dates.within(cell.start, end).length === 0
  )
}

type CellCourse = {
  readonly course: VaccineCourse | null
  readonly dates: readonly { readonly date: LabelledDate; readonly course: VaccineCourse | null }[]
}

const notOfTheDose = /due|\bexp|next|birth|valid/i
const aside = /batch|lot\b|site|route|provider|given by|administered by|manufact|mfr|reaction|adverse|consent/i
const remarks = /comment|note|remark/i
const refusals = /refus|declin|contraind/i

/** What the cell says of its own dates; where it has none, of the row. */
function cellCourse(reading: Reading, table: Table, cell: Cell, nameEnd: number): CellCourse {
  const text = reading.document.text
  const heading = columnOf(table, cell)?.cell
  const title = heading ? text.slice(heading.start, heading.start + heading.length) : ''
  const end = cell.start + cell.length
  if (notOfTheDose.test(title)) return { course: null, dates: [] }
  const start = cell.start <= nameEnd && nameEnd <= end ? nameEnd : cell.start
  const dates = reading.dates.within(start, end).filter(({ label }) => label !== 'birth')
  if (dates.length === 0) return { course: courseUnder(title, text.slice(start, end)), dates: [] }
  return {
    course: null,
    dates: dates.map((date, order) => {
      const before = text.slice(dates[order - 1]?.end ?? start, date.start)
      const after = text.slice(date.end, dates[order + 1]?.start ?? end)
      const course = vaccineCourse(before) ?? vaccineCourse(/^[\s,;-]*\(?[^;,]*/.exec(after)?.[0] ?? '')
      return { date, course: date.label === 'other' ? 'to_come' : course }
    }),
  }
}

function courseUnder(title: string, words: string): VaccineCourse | null {
  if (aside.test(title)) return null
  if (refusals.test(title)) return /^\W*(?:y|yes|x|true|refused|declined)\W*$/i.test(words) ? 'not_given' : null
  const course = vaccineCourse(words)
  return remarks.test(title) && !/refus|declin|not (?:given|administered)|contraind|withheld/i.test(words)
    ? null
    : course
}

/** "Dose 1 | Dose 2": columns hold dates whatever stands over them. */
function hasDates(reading: Reading, { line }: TableRow): boolean {
  return reading.dates.within(line.start, line.start + line.length).length > 0
}

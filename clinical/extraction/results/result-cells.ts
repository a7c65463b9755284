/** What the cells of a table of results hold: a name with its unit, values, a blood pressure, and the day of a row. */
import type { Cell } from '../../document/mapped.ts'
import { unitOf } from '../../terminology/units.ts'
import type { Range, Reading } from '../found.ts'
import { foundDate } from '../statements/dated-context.ts'
import { columnOf, type Table, type TableRow } from '../statements/table-columns.ts'
import { readingDate } from './reading-fact.ts'
import { unitInName } from './result-headings.ts'
import { emptyValues, readValues, type RowValues } from './row-values.ts'
import { readPressure } from './vital-shapes.ts'

/** "Weight (kg)", "TSH (uIU/mL)": the name, and the unit that is printed with it. */
export function namePart(text: string, label: Range): { name: Range; unit: RowValues['unit'] } {
  const { nameLength, unit } = unitInName(text.slice(label.start, label.end))
  const name = { start: label.start, end: label.start + nameLength }
  if (!unit) return { name: label, unit: null }
  const [start, end] = [label.start + unit.from, label.start + unit.to]
  const printed = text.slice(start, end)
  const known = unitOf(printed)
  return { name, unit: known ? { start, end, printed, unit: known } : null }
}

export function valuesIn(reading: Reading, cell: Cell): RowValues {
  const end = cell.start + cell.length
  const printed = reading.document.text.slice(cell.start, end).trim()
  const unit = /^\d|^[HLN*]+$/.test(printed) && !printed.includes('/') ? null : unitOf(printed)
  if (unit) return { ...emptyValues(end), unit: { start: cell.start, end: cell.start + printed.length, printed, unit } }
  return readValues(reading.document.text, cell.start, end, reading.dates.within(cell.start, end))
}

export function pressureIn(reading: Reading, cell: Cell): RowValues | null {
  return readPressure(reading.document.text, cell.start, cell.start + cell.length)
}

/** Of several the day of sampling, then the one in a column of dates; nobody's birth and no date to come. */
export function rowDate(reading: Reading, table: Table, row: TableRow, name: Range) {
  const own = row.line.cells.flatMap((cell) => {
    const column = columnOf(table, cell)
    const head = column ? reading.document.text.slice(column.cell.start, column.cell.start + column.cell.length) : ''
    if (column?.role === 'birth' || /\b(?:next|due|review|until|follow|birth|dob)/i.test(head)) return []
    const isSampling = /collect|taken|drawn|sampl|specimen/i.test(head)
    return reading.dates
      .within(cell.start, cell.start + cell.length)
      .filter(({ label }) => isSampling || column?.role === 'date' || (label !== 'birth' && label !== 'other'))
      .map((date) => ({ date, isSampling }))
  })
  const meant = own.find(({ isSampling }) => isSampling) ?? own.find(({ date }) => date.iso.length === 10) ?? own[0]
  return meant ? foundDate(meant.date, 'collected') : readingDate(reading, name, null)
}

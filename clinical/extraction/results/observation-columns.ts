/** Tables whose columns are headed by observations (date, blood pressure, pulse, weight): diaries and flow sheets. */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Range, Reading } from '../found.ts'
import { columnOf, hasColumn, type Column, type Table, type TableRow } from '../statements/table-columns.ts'
import { readingFact } from './reading-fact.ts'
import { namePart, pressureIn, rowDate, valuesIn } from './result-cells.ts'
import { columnMeasure, observationUnder } from './result-headings.ts'
import type { RowValues } from './row-values.ts'

export type ObservationColumn = {
  readonly column: Column
  readonly name: Range
  readonly unit: RowValues['unit']
  readonly isPressure: boolean
}

/** Columns headed by observations (date, BP, pulse, weight): each row is one moment, or one place that was measured. */
export function observationColumns(reading: Reading, table: Table): ObservationColumn[] {
  const { text } = reading.document
  const rows = table.rows.map(({ line }) => line)
  const known = table.columns.flatMap((column): (ObservationColumn & { isNamed: boolean })[] => {
    const printed = text.slice(column.cell.start, column.cell.start + column.cell.length)
    const measure = notMeasured.has(column.role) ? null : columnMeasure(printed)
    const label = { start: column.cell.start, end: column.cell.start + column.cell.length }
    const { name, unit } = namePart(text, label)
    if (measure)
      return [
        {
          column,
          name,
          unit,
          isPressure: false,
          isNamed: observationUnder(text.slice(name.start, name.end)) !== null,
        },
      ]
    const cells = rows.flatMap((line) => line.cells.filter((cell) => columnOf(table, cell) === column))
    const isPressure = isReadings.test(printed) && cells.length > 0 && cells.every((cell) => pressureIn(reading, cell))
    return isPressure ? [{ column, name: label, unit: null, isPressure, isNamed: true }] : []
  })
  const isTimed = hasColumn(table, 'date') && !hasColumn(table, 'test', 'range')
  const named = known.filter(({ isNamed }) => isNamed).length
  return named >= 2 || (named === 1 && (isTimed || known.length >= 2)) ? known : []
}

/** A pressure under "Pulse": headings that were drawn together ("Date BP") no longer stand over their columns. */
function isOutOfPlace(reading: Reading, table: Table, row: TableRow, across: readonly ObservationColumn[]): boolean {
  return across.some(({ column, name, isPressure }) => {
    const cell = row.line.cells.find((candidate) => columnOf(table, candidate) === column)
    const observation = observationUnder(reading.document.text.slice(name.start, name.end))
    return (
      !isPressure &&
      observation?.concept !== 'observations:blood-pressure-panel' &&
      cell !== undefined &&
      pressureIn(reading, cell) !== null
    )
  })
}

/** "AM reading" over pressures. */
const isReadings =
  /\b(?:readings?|[ap]m|morning|evening|lying|sitting|standing|left|right|first|second|1st|2nd|home|average)\b/i
const notMeasured: ReadonlySet<Column['role']> = new Set([
  'predicted',
  'goal',
  'previous',
  'unit',
  'flag',
  'date',
  'dated',
  'birth',
  'low',
  'high',
])

export function rowOfSeveral(
  reading: Reading,
  table: Table,
  row: TableRow,
  across: readonly ObservationColumn[],
): FoundFact[] {
  const { text } = reading.document
  if (isOutOfPlace(reading, table, row, across)) return []
  return across.flatMap(({ column, name, unit, isPressure }) => {
    const cell = row.line.cells.find((candidate) => columnOf(table, candidate) === column)
    const observation = observationUnder(isPressure ? 'blood pressure' : text.slice(name.start, name.end))
    if (!cell || (!observation && !unit)) return []
    const values = pressureIn(reading, cell) ?? valuesIn(reading, cell)
    if (!observation && typeof values.value?.number !== 'number') return []
    values.unit ??= unit
    const date = rowDate(reading, table, row, name)
    const strength = observation ? 'strong' : 'weak'
    const fact = readingFact(reading, { name, observation, values, date, strength })
    return fact ? [fact] : []
  })
}

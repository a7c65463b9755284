/** Results set as a table: one value column, one column per date (cumulative reports) or side, or one per observation. */
import type { Cell } from '../../document/mapped.ts'
import type { FoundFact } from '../../document/found-fact.ts'
import { foundDate } from '../statements/dated-context.ts'
import { withLostDash, withMisreadNumber } from './misread-numbers.ts'
import { isLegible, trimmed, type Range, type Reading } from '../found.ts'
import { observationNamed } from './observation-name.ts'
import { gradeIn, isGraded } from './graded-values.ts'
import { observationColumns, rowOfSeveral } from './observation-columns.ts'
import { readingFact } from './reading-fact.ts'
import { namePart, pressureIn, rowDate, valuesIn } from './result-cells.ts'
import { unitOf } from '../../terminology/units.ts'
import { emptyValues, type RowValues } from './row-values.ts'
import { readAcuity } from './vital-shapes.ts'
import {
  cellsByRole,
  columnOf,
  hasColumn,
  type Column,
  type Table,
  type TableRow,
} from '../statements/table-columns.ts'

export type TableFacts = {
  readonly facts: FoundFact[]
  readonly claimed: ReadonlySet<number>
  /** Of columns of observations: no card's names, what stands under them was read as a table or cannot be told. */
  readonly headings: readonly Range[]
}

export function findTableResults(reading: Reading, tables: readonly Table[]): TableFacts {
  const facts: FoundFact[] = []
  const claimed = new Set<number>()
  const headings: Range[] = []
  for (const table of tables) {
    if (hasColumn(table, 'medicine', 'vaccine', 'allergen', 'problem', 'procedure', 'relative', 'directions')) continue
    const acrossNames = observationColumns(reading, table)
    headings.push(...acrossNames.map(({ column: { cell } }) => ({ start: cell.start, end: cell.start + cell.length })))
    for (const row of table.rows) {
      const found =
        acrossNames.length > 0
          ? rowOfSeveral(reading, table, row, acrossNames)
          : resultsAside(reading, table, row).flatMap((part) => rowOfOne(reading, table, part))
      // A row of results whose value could not be read is not read again as a sentence: its range would pass for the value.
      const isResultRow = found.length > 0 || hasColumn(table, 'result', 'range', 'dated')
      if (isResultRow && !(acrossNames.length > 0 && holdsRemarks(row))) claimed.add(row.place)
      facts.push(...found)
    }
  }
  return { facts, claimed, headings }
}

function rowOfOne(reading: Reading, table: Table, row: TableRow): FoundFact[] {
  const label = nameOf(reading, table, row)
  if (!label) return []
  const { name, unit } = namePart(reading.document.text, label)
  const text = reading.document.text
  const named = observationNamed(text.slice(name.start, name.end))
  const isResultTable =
    (hasColumn(table, 'result', 'range', 'dated') && (hasColumn(table, 'test') || hasColumn(table, 'range', 'unit'))) ||
    hasColumn(table, 'predicted', 'side') ||
    isReported(reading, row)
  if ((!named && !isResultTable) || holdsResults(reading, row, label)) return []
  const shared = sharedValues(reading, table, row, label)
  shared.value = gradeIn(reading, table, row, label) ?? shared.value
  shared.unit ??= unit
  const cells = readingCells(table, row)
  const readings: (readonly [RowValues, Cell | null, Column | null])[] =
    cells.length > 0
      ? cells.map(([cell, column]) => [
          withShared(acuityIn(reading, name, cell) ?? valuesIn(reading, cell), shared),
          cell,
          column,
        ])
      : [[shared, resultCell(table, row, name), null]]
  return readings.flatMap(([read, cell, column]) => {
    const values = cell && isResultTable ? withMisreadNumber(reading, cell, read) : read
    if (values.illegible && !named && !isLegible(reading, name)) return []
    const isGiven = cell !== null && read.value !== null && acuityIn(reading, name, cell) !== null
    const isWorded =
      values.value !== null && values.value.number === null && !isGiven && !isGraded(reading, name, values)
    const isFinding = isWorded && isResultTable && hasColumn(table, 'test') && isLegible(reading, name)
    const isBare = !values.unit && !values.range && !isGiven && !isGraded(reading, name, values)
    if (!named && !(isFinding && isFindingOfTest(values)) && (isWorded || isBare)) return []
    if (named && !isResultTable && !values.unit && !values.range && (isWorded || named.isAmbiguous || !named.isWhole))
      return []
    const date = column?.role === 'dated' ? datedBy(column) : rowDate(reading, table, row, name)
    const isSure = named?.isWhole && (values.unit ?? values.range)
    const strength = values !== read ? 'weak' : isSure ? 'strong' : 'fair'
    const fact =
      readingFact(reading, {
        name,
        observation: named?.observation ?? null,
        values,
        date,
        strength,
        side: sideOf(column),
      }) ??
      (isResultTable && values.unit
        ? readingFact(reading, { name, observation: null, values, date, strength: 'weak', side: sideOf(column) })
        : null)
    return fact ? [fact] : []
  })
}

/** A diary's last column often says more: "On antibiotics for a chest infection". */
function holdsRemarks({ line }: TableRow): boolean {
  return line.cells.some(({ length }) => length >= 16)
}

/** "Weight | Wt 81.5 kg, BMI 31": cells that name what they hold are read as a sentence is. */
function holdsResults(reading: Reading, { line }: TableRow, label: Range): boolean {
  return line.cells.some((cell) => {
    const printed = reading.document.text.slice(cell.start, cell.start + cell.length)
    const name =
      cell.start >= label.end
        ? /^\s*(\p{L}[\p{L}\d ]*?)(?: |\s*[:=<>≤≥])\s*[<>≤≥]?\s*\d/u.exec(printed)?.[1]
        : undefined
    return name !== undefined && name.length > 1 && observationNamed(name)?.isWhole === true
  })
}

/** The day of a column that cannot be told is not that of the document either. */
const datedBy = ({ date }: Column) => (date ? foundDate(date, 'collected') : null)

/** "Hep C Ab: Non-reactive" needs no dictionary to be a result; "Comment: normal" is none. */
const isFindingOfTest = ({ value }: RowValues) =>
  /^(?:not detected|detected|(?:non[- ]?)?reactive|positive|negative|indeterminate|equivocal|no growth)$/i.test(
    value?.printed ?? '',
  )

function resultCell(table: Table, row: TableRow, name: Range): Cell | null {
  const cell = cellsByRole(table, row.line).get('result')
  return cell && cell.start >= name.end ? cell : null
}

/** "Sodium 138 | Potassium 4.1": a row that holds several results is read as as many rows. */
function resultsAside(reading: Reading, table: Table, row: TableRow): TableRow[] {
  const { text } = reading.document
  const { cells } = row.line
  const isName = (cell: Cell) => {
    if (hasColumn(table, 'test')) return columnOf(table, cell)?.role === 'test'
    const printed = text.slice(cell.start, cell.start + cell.length)
    const named = /^\p{L}/u.test(printed) ? observationNamed(printed) : null
    return named !== null && named.isWhole && !named.isAmbiguous
  }
  const isHeaded = hasColumn(table, 'test')
  const starts = cells.flatMap((cell, at) => {
    return (at === 0 && !isHeaded) || (at < cells.length - 1 && isName(cell)) ? [at] : []
  })
  if (starts.length < 2 || starts.some((at, place) => (starts[place + 1] ?? cells.length) - at < 2)) return [row]
  return starts.map((at, place) => ({ ...row, line: { ...row.line, cells: cells.slice(at, starts[place + 1]) } }))
}

/** Rows of a laboratory's report, or under a heading of results, are results without a heading of their own. */
function isReported(reading: Reading, { line, place }: TableRow): boolean {
  if (line.cells.length < 2 || line.cells.length > 5) return false
  const { documentClass } = reading.document
  const slug = reading.roles[place]?.role.slug ?? ''
  return documentClass === 'lab_report' || documentClass === 'pathology_report' || slug === 'results'
}

function nameOf(reading: Reading, table: Table, row: TableRow): Range | null {
  const cells = cellsByRole(table, row.line)
  const first = cells.get('test') ?? row.line.cells[0]
  if (!first || row.line.cells.length < 2) return null
  const name = trimmed(reading.document.text, { start: first.start, end: first.start + first.length }, /[\s:;,.*†‡#–-]/)
  const printed = reading.document.text.slice(name.start, name.end)
  const isName =
    /\p{L}{1}/u.test(printed) && printed.length <= 60 && !/^\d+(\.\d+)?$/.test(printed) && !saysMore.test(printed)
  return isName ? name : null
}

/** "Height: 70.1 in Weight: 187.0 lb Race:" holds results of its own and is no row's name. */
const saysMore = /:\s*\S*\d.*:/

/** Everything of the row that is not its name, read cell by cell under its heading. */
function sharedValues(reading: Reading, table: Table, row: TableRow, name: Range): RowValues {
  const text = reading.document.text
  const merged = emptyValues(name.end)
  let isUnclear = false
  for (const cell of row.line.cells) {
    const column = columnOf(table, cell)
    const isName = cell.start <= name.start && name.end <= cell.start + cell.length
    if (isName || (column && notOfRow.has(column.role))) continue
    let values =
      (column?.role === 'unit' ? unitAlone(reading, cell) : pressureIn(reading, cell)) ?? valuesIn(reading, cell)
    if (column?.role === 'range') {
      merged.range ??= values.range ?? openRange(values) ?? withLostDash(reading, cell)
      merged.unit ??= values.unit
      merged.unreadUnit ??= values.unreadUnit
      continue
    }
    if (column?.role === 'flag' && isFlagLetter(values)) values = { ...emptyValues(values.end), flag: values.unit }
    if (column?.role === 'unit' || column?.role === 'flag') values.value = null
    if (column?.role === 'unit') {
      // What stands under the heading of the units is the unit, whatever the letters beside a value look like.
      merged.unit = values.unit
      if (!values.unit) merged.unreadUnit = trimmed(text, { start: cell.start, end: cell.start + cell.length })
    }
    // "<41 | 22" under no heading: nobody can tell which is the range.
    const isNumber = values.value !== null && values.value.comparator === null
    isUnclear ||= column === null && isNumber && merged.range === null && isOpen(merged.value)
    merged.value ??= values.value
    merged.unit ??= values.unit
    merged.unreadUnit ??= values.unreadUnit
    merged.flag = surerFlag(merged.flag, values.flag)
    merged.range ??= values.range ?? (merged.value !== values.value ? openRange(values) : null)
  }
  merged.range ??= rangeOfEnds(reading, table, row)
  return isUnclear ? { ...merged, value: null } : merged
}

/** "L" under a heading of units is litres and no flag. */
function unitAlone(reading: Reading, { start, length }: Cell): RowValues | null {
  const printed = reading.document.text.slice(start, start + length)
  const unit = unitOf(printed)
  return unit && { ...emptyValues(start + length), unit: { start, end: start + length, printed, unit } }
}

/** Others' values, wanted or expected ones, and those that are read column by column. */
const notOfRow: ReadonlySet<Column['role']> = new Set([
  'previous',
  'goal',
  'predicted',
  'dated',
  'side',
  'provider',
  'birth',
  'low',
  'high',
])

/** Lower and upper limit in columns of their own. */
function rangeOfEnds({ document: { text } }: Reading, table: Table, row: TableRow): RowValues['range'] {
  const cells = cellsByRole(table, row.line)
  const [low, high] = [cells.get('low'), cells.get('high')]
  if (!low || !high || high.start < low.start) return null
  const [from, to] = [low, high].map((cell) => text.slice(cell.start, cell.start + cell.length).trim())
  if (!isNumber.test(from ?? '') || !isNumber.test(to ?? '') || Number(from) > Number(to)) return null
  return { start: low.start, end: high.start + high.length, printed: `${from}-${to}` }
}

const isNumber = /^\d+(?:\.\d+)?$/

const isOpen = (value: RowValues['value']) => value !== null && value.comparator !== null

/** "A" is ampere and abnormal; under a heading of flags it is the latter. */
const isFlagLetter = ({ unit }: RowValues) => unit !== null && /^\p{Lu}{1,2}$/u.test(unit.printed)

/** A star marks that there is something, a letter says what. */
function surerFlag(known: RowValues['flag'], read: RowValues['flag']): RowValues['flag'] {
  return known === null || (read !== null && /^\*+$/.test(known.printed)) ? read : known
}

function openRange(values: RowValues): RowValues['range'] {
  return values.value?.comparator ? values.value : null
}

/** One reading for each day, or for each side. */
function readingCells(table: Table, row: TableRow): (readonly [Cell, Column])[] {
  return row.line.cells.flatMap((cell) => {
    const column = columnOf(table, cell)
    return column?.role === 'dated' || column?.role === 'side' ? [[cell, column] as const] : []
  })
}

function sideOf(column: Column | null): Column['cell'] | null {
  return column?.role === 'side' ? column.cell : null
}

/** "6/12" is a value where the row's name says vision. */
function acuityIn(reading: Reading, name: Range, cell: Cell): RowValues | null {
  const { text } = reading.document
  if (!/\bV\.?A\b|acuity|vision|pinhole/i.test(text.slice(name.start, name.end))) return null
  return readAcuity(text, cell.start, cell.start + cell.length)
}

function withShared(values: RowValues, shared: RowValues): RowValues {
  const { unreadUnit } = values.unreadUnit === null ? shared : values
  return { ...values, unit: values.unit ?? shared.unit, unreadUnit, range: values.range ?? shared.range }
}

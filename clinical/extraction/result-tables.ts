/** Results set as a table: one value column, or one column per date (cumulative reports), or one column per observation. */
import type { Cell } from '../document/mapped.ts'
import type { FoundFact } from '../document/found-fact.ts'
import { foundDate, type LabelledDate } from './dated-context.ts'
import { withLostDash, withMisreadNumber } from './misread-numbers.ts'
import { isLegible, trimmed, type Range, type Reading } from './found.ts'
import { observationNamed } from './observation-name.ts'
import { readingDate, readingFact } from './reading-fact.ts'
import { matchUnit, unitOf } from '../terminology/units.ts'
import { emptyValues, readValues, type RowValues } from './row-values.ts'
import { cellsByRole, columnOf, hasColumn, type Column, type Table, type TableRow } from './table-columns.ts'

export type TableFacts = { readonly facts: FoundFact[]; readonly claimed: ReadonlySet<number> }

export function findTableResults(reading: Reading, tables: readonly Table[]): TableFacts {
  const facts: FoundFact[] = []
  const claimed = new Set<number>()
  for (const table of tables) {
    if (hasColumn(table, 'medicine', 'vaccine', 'allergen', 'problem', 'procedure', 'relative', 'directions')) continue
    const acrossNames = namedColumns(reading, table)
    for (const row of table.rows) {
      const found =
        acrossNames.length >= 2 ? rowOfSeveral(reading, table, row, acrossNames) : rowOfOne(reading, table, row)
      // A row of results whose value could not be read is not read again as a sentence: its range would pass for the value.
      if (found.length > 0 || hasColumn(table, 'result', 'range', 'dated')) claimed.add(row.place)
      facts.push(...found)
    }
  }
  return { facts, claimed }
}

function rowOfOne(reading: Reading, table: Table, row: TableRow): FoundFact[] {
  const name = nameOf(reading, table, row)
  if (!name) return []
  const text = reading.document.text
  const named = observationNamed(text.slice(name.start, name.end))
  const isResultTable =
    hasColumn(table, 'result', 'range', 'dated') && (hasColumn(table, 'test') || hasColumn(table, 'range', 'unit'))
  if (!named && !isResultTable) return []
  const dated = table.columns.filter((column) => column.role === 'dated')
  const shared = sharedValues(reading, table, row, name)
  const cells = dated.length > 0 ? datedCells(table, row) : []
  const readings: (readonly [RowValues, Cell | null, Column | null])[] =
    cells.length > 0
      ? cells.map(([cell, column]) => [withShared(valuesIn(reading, cell), shared), cell, column])
      : [[shared, resultCell(table, row, name), null]]
  return readings.flatMap(([read, cell, column]) => {
    const values = cell && isResultTable ? withMisreadNumber(reading, cell, read) : read
    if (values.illegible && !named && !isLegible(reading, name)) return []
    const isWorded = values.value !== null && values.value.number === null
    const isFinding = isWorded && isResultTable && hasColumn(table, 'test') && isLegible(reading, name)
    if (!named && !(isFinding && isFindingOfTest(values)) && (isWorded || (!values.unit && !values.range))) return []
    if (named && !isResultTable && !values.unit && !values.range && (isWorded || named.isAmbiguous || !named.isWhole))
      return []
    const date = column ? datedBy(column) : rowDate(reading, table, row, name)
    const isSure = named?.isWhole && (values.unit ?? values.range)
    const strength = values !== read ? 'weak' : isSure ? 'strong' : 'fair'
    const fact =
      readingFact(reading, { name, observation: named?.observation ?? null, values, date, strength }) ??
      (isResultTable && values.unit
        ? readingFact(reading, { name, observation: null, values, date, strength: 'weak' })
        : null)
    return fact ? [fact] : []
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

/** Columns headed by observations (date, BP, pulse, weight): each row is one moment. */
function namedColumns(reading: Reading, table: Table): (readonly [Column, Range])[] {
  return table.columns.flatMap((column) => {
    const range = { start: column.cell.start, end: column.cell.start + column.cell.length }
    const printed = reading.document.text.slice(range.start, range.end).replace(/[([].*$/, '')
    const named = column.role === 'dated' ? null : observationNamed(printed)
    return named?.isWhole
      ? [[column, { start: range.start, end: range.start + printed.trimEnd().length }] as const]
      : []
  })
}

function rowOfSeveral(
  reading: Reading,
  table: Table,
  row: TableRow,
  named: readonly (readonly [Column, Range])[],
): FoundFact[] {
  const text = reading.document.text
  const date = ownDate(reading, table, row)
  return named.flatMap(([column, name]) => {
    const cell = row.line.cells.find((candidate) => columnOf(table, candidate) === column)
    const observation = observationNamed(text.slice(name.start, name.end))?.observation ?? null
    if (!cell || !observation) return []
    const values = pressureIn(reading, cell) ?? valuesIn(reading, cell)
    values.unit ??= headingUnit(text, name.end, column.cell.start + column.cell.length)
    const when = date ? foundDate(date, 'collected') : readingDate(reading, name, null)
    const fact = readingFact(reading, { name, observation, values, date: when, strength: 'strong' })
    return fact ? [fact] : []
  })
}

/** "Weight (kg)": the heading carries the unit of its column. */
function headingUnit(text: string, from: number, to: number): RowValues['unit'] {
  const match = /[([]\s*([^)\]]+?)\s*[)\]]/.exec(text.slice(from, to))
  const unit = match?.[1] ? unitOf(match[1]) : null
  if (!match?.[1] || !unit) return null
  const start = from + match.index + match[0].indexOf(match[1])
  return { start, end: start + match[1].length, printed: match[1], unit }
}

function nameOf(reading: Reading, table: Table, row: TableRow): Range | null {
  const cells = cellsByRole(table, row.line)
  const first = cells.get('test') ?? row.line.cells[0]
  if (!first || row.line.cells.length < 2) return null
  const name = trimmed(reading.document.text, { start: first.start, end: first.start + first.length }, /[\s:;,.*†‡#–-]/)
  const printed = reading.document.text.slice(name.start, name.end)
  const isName = /\p{L}{1}/u.test(printed) && printed.length <= 60 && !/^\d+(\.\d+)?$/.test(printed)
  return isName ? name : null
}

/** Everything of the row that is not its name, read cell by cell under its heading. */
function sharedValues(reading: Reading, table: Table, row: TableRow, name: Range): RowValues {
  const text = reading.document.text
  const merged = emptyValues(name.end)
  let isUnclear = false
  for (const cell of row.line.cells) {
    const column = columnOf(table, cell)
    const isName = cell.start <= name.start && name.end <= cell.start + cell.length
    if (isName || (column !== null && notOfRow.has(column.role))) continue
    let values = pressureIn(reading, cell) ?? valuesIn(reading, cell)
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

/** Read by themselves, or about something else. */
const notOfRow: ReadonlySet<Column['role']> = new Set(['previous', 'dated', 'provider', 'birth', 'low', 'high'])

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

function datedCells(table: Table, row: TableRow): (readonly [Cell, Column])[] {
  return row.line.cells.flatMap((cell) => {
    const column = columnOf(table, cell)
    return column?.role === 'dated' ? [[cell, column] as const] : []
  })
}

function withShared(values: RowValues, shared: RowValues): RowValues {
  const { unreadUnit } = values.unreadUnit === null ? shared : values
  return { ...values, unit: values.unit ?? shared.unit, unreadUnit, range: values.range ?? shared.range }
}

function valuesIn(reading: Reading, cell: Cell): RowValues {
  const end = cell.start + cell.length
  const printed = reading.document.text.slice(cell.start, end).trim()
  const unit = /^\d|^[HLN*]+$/.test(printed) && !printed.includes('/') ? null : unitOf(printed)
  if (unit) return { ...emptyValues(end), unit: { start: cell.start, end: cell.start + printed.length, printed, unit } }
  return readValues(reading.document.text, cell.start, end, reading.dates.within(cell.start, end))
}

function pressureIn(reading: Reading, cell: Cell): RowValues | null {
  return readPressure(reading.document.text, cell.start, cell.start + cell.length)
}

/** Systolic over diastolic, only where both are possible. */
export function readPressure(text: string, from: number, to: number): RowValues | null {
  const match = /^\s*(\d{2,3})(?:\s?\/\s?| over )(\d{2,3})(?![\d/])/.exec(text.slice(from, Math.min(to, from + 20)))
  if (!match) return null
  const [systolic, diastolic] = [Number(match[1]), Number(match[2])]
  if (systolic < 50 || systolic > 290 || diastolic < 20 || diastolic > 180 || diastolic >= systolic) return null
  const printed = match[0].trim()
  const start = from + match[0].indexOf(printed)
  const end = start + printed.length
  const value = { start, end, printed: printed.replace(' over ', '/'), number: null, comparator: null }
  const unit = matchUnit(text, end, to)
  const isPressure = unit?.unit.dimension === 'pressure'
  return {
    ...emptyValues(end),
    value,
    unit: isPressure ? { ...unit, printed: text.slice(unit.start, unit.end) } : null,
  }
}

function rowDate(reading: Reading, table: Table, row: TableRow, name: Range) {
  const own = ownDate(reading, table, row)
  return own ? foundDate(own, 'collected') : readingDate(reading, name, null)
}

/** Of several the day of sampling; a row of a file for many people tells when each was born as well. */
function ownDate({ document, dates }: Reading, table: Table, row: TableRow): LabelledDate | null {
  const own = row.line.cells.flatMap((cell) => {
    const column = columnOf(table, cell)
    const head = column ? document.text.slice(column.cell.start, column.cell.start + column.cell.length) : ''
    return dates
      .within(cell.start, cell.start + cell.length)
      .filter((date) => date.label !== 'birth' && column?.role !== 'birth')
      .map((date) => ({ date, isSampling: /collect|taken|drawn|sampl|specimen/i.test(head) }))
  })
  return (own.find(({ isSampling }) => isSampling) ?? own[0])?.date ?? null
}

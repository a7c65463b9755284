/** Medicines set as a table: one row each, wrapped cells belonging to the row above. */
import type { Cell } from '../../document/mapped.ts'
import type { FoundFact } from '../../document/found-fact.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { foundDate } from '../statements/dated-context.ts'
import { readDirections } from './directions.ts'
import { dosesByTime } from './dose-times.ts'
import { trimmed, type Range, type Reading } from '../found.ts'
import { medicationFact } from './medication-fact.ts'
import { changedDose } from './dose-changes.ts'
import { findMedicines } from './medicine-name.ts'
import { bareStrength, combinedStrength, strengthIn, type Strength } from './strength.ts'
import { noRole } from '../statements/section-role.ts'
import { cellsByRole, hasColumn, type Table, type TableRow } from '../statements/table-columns.ts'

export type MedicationRows = {
  readonly facts: FoundFact[]
  readonly lines: ReadonlySet<number>
  readonly spans: readonly Range[]
}

export function findMedicationRows(reading: Reading, tables: readonly Table[]): MedicationRows {
  const facts: FoundFact[] = []
  const lines = new Set<number>()
  const spans: Range[] = []
  for (const table of tables) {
    // "Drug | Reaction" lists allergies.
    if (hasColumn(table, 'reaction', 'severity') && !hasColumn(table, 'directions', 'frequency')) continue
    if (hasColumn(table, 'vaccine', 'allergen', 'result', 'range', 'relative') && !hasColumn(table, 'medicine'))
      continue
    for (const row of table.rows) {
      const fact = rowFact(reading, table, row)
      if (!fact) continue
      facts.push(fact)
      lines.add(row.place)
      spans.push({ start: row.line.start, end: row.line.start + row.line.length })
    }
  }
  return { facts, lines, spans }
}

function rowFact(reading: Reading, table: Table, row: TableRow): FoundFact | null {
  const text = reading.document.text
  const cells = cellsByRole(table, row.line)
  const nameCell = cells.get('medicine') ?? (isMedicineTable(reading, table, row) ? row.line.cells[0] : undefined)
  if (!nameCell) return null
  const cellEnd = nameCell.start + nameCell.length
  const medicine = findMedicines(tokenise(text, nameCell.start, cellEnd))[0] ?? null
  const inName =
    strengthIn(text, nameCell.start, cellEnd) ??
    (medicine ? (combinedStrength(text, medicine, cellEnd) ?? bareStrength(text, medicine, cellEnd)) : null)
  const strengthCell = cells.get('strength')
  const doseCell = cells.get('dose')
  const ofProduct = inName ?? (strengthCell ? doseIn(text, rangeOf(strengthCell)) : null)
  const taken = doseCell ? doseIn(text, rangeOf(doseCell)) : null
  const rowEnd = row.line.start + row.line.length
  const strength = ofProduct ?? taken ?? strengthIn(text, cellEnd, rowEnd)
  const name = nameRange(text, nameCell, inName, medicine)
  if (!name || (!medicine && !strength)) return null

  const directionCell = cells.get('directions') ?? cells.get('frequency')
  const from = directionCell?.start ?? (strength && strength.end > cellEnd ? strength.end : cellEnd)
  const to = directionCell ? directionCell.start + directionCell.length : rowEnd
  const status = cellText(text, cells.get('status'))
  const directions = readDirections(text, from, to)
  const inDose = doseCell ? readDirections(text, doseCell.start, doseCell.start + doseCell.length) : null
  // "Furosemide 40 mg | 80 mg": two of these tablets.
  const dose = directions.dose ?? inDose?.dose ?? (ofProduct && taken ? taken : null)
  const route = cells.get('route')
  const reason = cells.get('indication')
  return medicationFact(reading, {
    medicine: { ...name, term: medicine?.term ?? null },
    strength,
    directions: {
      ...directions,
      dose,
      frequency: directions.frequency ?? inDose?.frequency ?? null,
      frequencyCode: directions.frequency ? directions.frequencyCode : (inDose?.frequencyCode ?? null),
      duration: directions.duration ?? rangeOfCell(cells.get('duration')),
      route: directions.route ?? (route ? rangeOf(route) : null),
      indication: reason ? rangeOf(reason) : directions.indication,
    },
    role: reading.roles[row.place]?.role ?? noRole,
    said: {
      before: '',
      after: [text.slice(from, to), status].join(' '),
      status: 'present',
      isOver: hasEnded(reading, cells.get('stopped')),
    },
    isListed: true,
    segment: null,
    date: columnDate(reading, cells),
    extra: {
      ...(cells.has('provider') ? { prescriber: cellText(text, cells.get('provider')) } : {}),
      ...dosesByTime(reading, table, row),
    },
  })
}

/** "5 mg → 10 mg": of a change the new dose. */
function doseIn(text: string, { start, end }: Range): Strength | null {
  return changedDose(text, '', start, end)?.strength ?? strengthIn(text, start, end)
}

function isMedicineTable(reading: Reading, table: Table, row: TableRow): boolean {
  if (hasColumn(table, 'medicine', 'directions', 'frequency')) return true
  const slug = reading.roles[row.place]?.role.slug ?? ''
  return slug.endsWith('medications') && !hasColumn(table, 'test', 'problem', 'vaccine', 'allergen')
}

/** The whole cell is the name, except a strength printed in it and what follows. */
function nameRange(text: string, cell: Cell, strength: Range | null, medicine: Range | null): Range | null {
  const end = strength && strength.start > cell.start ? strength.start : cell.start + cell.length
  const bracket = text.slice(cell.start, end).search(/[([]/)
  const whole = trimmed(text, { start: cell.start, end: bracket > 2 ? cell.start + bracket : end }, /[\s:;,.*•–-]/)
  const start = text.slice(whole.start, whole.end).match(/^\d{1,2}[.)]\s*/)?.[0].length ?? 0
  const range =
    medicine && whole.end - whole.start > 60
      ? { start: medicine.start, end: medicine.end }
      : { start: whole.start + start, end: whole.end }
  return /\p{L}{3}/u.test(text.slice(range.start, range.end)) ? range : null
}

function columnDate(reading: Reading, cells: ReturnType<typeof cellsByRole>) {
  for (const [role, meaning] of [
    ['started', 'started'],
    ['stopped', 'stopped'],
    ['date', 'started'],
  ] as const) {
    const cell = cells.get(role)
    const date = cell ? reading.dates.within(cell.start, cell.start + cell.length)[0] : null
    if (date) return foundDate(date, meaning)
  }
  return null
}

/** A date of stopping ends it, unless it lies behind the day of the document; "ongoing" does not. */
function hasEnded(reading: Reading, cell: Cell | undefined): boolean {
  if (!cell) return false
  const date = reading.dates.within(cell.start, cell.start + cell.length)[0]
  if (!date)
    return /^\W*(?:y|yes|x|✓|✔|true|ceased|stopped|discontinued|ended|completed)\b/iu.test(
      cellText(reading.document.text, cell),
    )
  const day = dayOfDocument(reading, cell.start)
  return day === null || date.iso <= day
}

function dayOfDocument({ document, dates }: Reading, offset: number): string | null {
  const governing = dates.governing(offset, ['discharged', 'document', 'reported', 'visit'])
  const printed = dates.dates.find(({ start }) =>
    /\bprint(?:ed|\s?date)?\b[^\n]{0,12}$/i.test(document.text.slice(Math.max(0, start - 25), start)),
  )
  return (governing ?? printed)?.iso ?? null
}

function rangeOfCell(cell: Cell | undefined): Range | null {
  return cell ? rangeOf(cell) : null
}

function rangeOf(cell: Cell): Range {
  return { start: cell.start, end: cell.start + cell.length }
}

function cellText(text: string, cell: Cell | undefined): string {
  return cell ? text.slice(cell.start, cell.start + cell.length).trim() : ''
}

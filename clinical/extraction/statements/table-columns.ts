/** What the columns of a table hold, from their headings; cells belong to the column that they stand under. */
import type { Cell, Line, MappedDocument } from '../../document/mapped.ts'
import type { DatedContext, LabelledDate } from './dated-context.ts'
import { isRecognised } from '../found.ts'
import { outOfOrder } from './column-days.ts'
import { headsMeasures, partedCells, type HeadedAs } from '../results/result-headings.ts'

export type ColumnRole =
  | 'test'
  | 'result'
  | 'flag'
  | 'range'
  | 'low'
  | 'high'
  | 'birth'
  | 'unit'
  | 'previous'
  | 'goal'
  | 'predicted'
  | 'side'
  | 'medicine'
  | 'strength'
  | 'dose'
  | 'time_of_day'
  | 'duration'
  | 'form'
  | 'directions'
  | 'route'
  | 'frequency'
  | 'indication'
  | 'status'
  | 'started'
  | 'stopped'
  | 'problem'
  | 'procedure'
  | 'vaccine'
  | 'allergen'
  | 'reaction'
  | 'severity'
  | 'batch'
  | 'manufacturer'
  | 'site'
  | 'provider'
  | 'relative'
  | 'date'
  | 'dated'
  | 'other'

export type Column = { readonly role: ColumnRole; readonly cell: Cell; readonly date: LabelledDate | null }
export type Table = { readonly columns: readonly Column[]; readonly rows: readonly TableRow[] }
export type TableRow = { readonly line: Line; readonly place: number }

const columnWords: readonly (readonly [ColumnRole, RegExp])[] = [
  [
    'time_of_day',
    /^(?:(?:breakfast|brkf\w*|b\/?fast|lunch|dinner|tea|supper|bed|bedtime|morning|noon|midday|afternoon|evening|night|mane|midi|nocte|am|pm)(?:[\s/&]+(?=\w)|$))+$/i,
  ],
  ['duration', /^(?:duration|for how long|how long)\b(?! of)/i],
  // One result stands under either of "In range" and "Out of range", and under "Result flag" with its flag.
  ['result', /^((in|out of|within|outside) (the )?(\w+ )?(range|limits)|(results?|value)[ /]+flags?)$/i],
  ['previous', /previous|prior|last result|historic/i],
  ['goal', /^(?:your )?(?:goals?|targets?|aims?)\b|\b(?:goal|target)s?$/i],
  [
    'predicted',
    /^(?:%|percent)(?: of)?\s?\w|\bpred(?:icted)?\b\.?|\b(?:LLN|ULN)\b|\bz-?score\b|centile\b|%\s?(?:chg|change|ref)\b/i,
  ],
  ['birth', /\b(date of birth|birth ?date|born|d\.?o\.?b)\b/i],
  ['low', /^(ref\w*|normal|range|lower|limit)?[ _]?(low|lower|min|minimum)([ _]?(limit|range|bound))?$/i],
  ['high', /^(ref\w*|normal|range|upper|limit)?[ _]?(high|upper|max|maximum)([ _]?(limit|range|bound))?$/i],
  ['range', /range|reference|interval|(?<!ab)normal|limits?\b|expected|^ref\.?$/i],
  ['flag', /flag|abnormal|^h ?\/ ?l$|alert/i],
  ['unit', /^units?\b|^uom$/i],
  ['result', /^(your )?(results?|value|observed|reading|level|measurement|finding|measured|meas\b\.?|actual)\b/i],
  ['result', /^(?:pre|baseline)(?:$|[ -](?:bd|meas|bronch))/i],
  ['side', /^(?:right|left|R|L|O\.?D\.?|O\.?S\.?|[RL]E)(?: (?:eye|ear|side|hand|leg))?$/],
  ['side', /^(?:right|left)(?: (?:eye|ear|side|hand|leg))?$/i],
  ['batch', /batch|lot\b/i],
  ['manufacturer', /manufactur|^(mfr|mfg|maker|vaccine maker)\b/i],
  ['stopped', /stop|ceased|end(ed)?( date)?$|discontinued|last taken/i],
  ['started', /start|commenced|began|since|prescribed on/i],
  ['reaction', /reaction|manifestation|effect/i],
  ['severity', /severity|criticality/i],
  ['allergen', /allerg|substance|agent|sensitiv/i],
  ['vaccine', /vaccin|immuni[sz]|antigen/i],
  ['frequency', /frequency|how often|when( to take)?$|times/i],
  ['directions', /direction|instruction|^sig\b|how (to|it|i)|dosage instruction|administration/i],
  ['route', /^route/i],
  ['form', /^form/i],
  ['indication', /indication|reason|purpose|what (it|is it|for)|used for|^for$|treats/i],
  ['medicine', /medic|drug|generic|preparation|^product|^item/i],
  ['strength', /strength/i],
  ['dose', /dose|dosage|amount|how much/i],
  ['procedure', /procedure|operation|surgery|intervention/i],
  ['problem', /problem|diagnos|condition|issue|illness|disease|comorbid/i],
  ['relative', /relative|relation|family member/i],
  ['test', /test|analyte|component|investigation|assay|parameter|observation|examination|vital|measure/i],
  ['site', /^(body )?site|arm$/i],
  ['provider', /provider|prescriber|clinic|doctor|given by|administered by|place|location|facility|physician/i],
  ['status', /status|change|comment|action/i],
  ['date', /date|onset|year|when|given|administered|collected|time/i],
]

export function readTables(document: MappedDocument, dates: DatedContext): Table[] {
  const tables: OpenTable[] = []
  let current: OpenTable | null = null
  for (const [place, line] of document.lines.entries()) {
    const isOfTable = line.kind === 'table_header' || line.kind === 'table_row'
    const isMeasures = line.kind !== 'table_header' && headsMeasures(document, place, headedAs)
    if (!isOfTable && !isMeasures) continue
    const isSame: boolean = current !== null && line.table !== null && current.number === line.table
    const header: boolean = line.kind === 'table_header' || isMeasures || (!isSame && isHeader(document, line, dates))
    if (!current || !isSame || (header && current.rows.length > 0)) {
      current = { number: line.table, columns: header ? [] : inherited(current, line, place), rows: [], last: place }
      tables.push(current)
    }
    current.last = place
    if (header) current.columns = inOrder(document, mergeColumns(current.columns, columnsOf(document, line, dates)))
    else current.rows.push({ line: partedAs(document, line, current.columns), place })
  }
  return tables
}

type OpenTable = { number: number | null; columns: Column[]; rows: TableRow[]; last: number }

const measureRoles: ReadonlySet<ColumnRole> = new Set([
  'result',
  'range',
  'low',
  'high',
  'unit',
  'flag',
  'predicted',
  'goal',
  'side',
])

function headedAs(words: string): HeadedAs {
  const role = roleOfHeading(words)
  if (measureRoles.has(role)) return 'measure'
  return role === 'other' ? 'unknown' : 'other'
}

function partedAs(document: MappedDocument, line: Line, columns: readonly Column[]): Line {
  const heads = (cell: Cell) =>
    columns.filter((column) => column.cell.column === null && overlapOf(column.cell, cell) > 0)
  const cells = partedCells(
    document,
    line,
    (cell, parts) => parts.length === heads(cell).length && parts.every((part) => /^[<>]?\d[\d.]*$/.test(part)),
  )
  return cells.length === line.cells.length ? line : { ...line, cells }
}

/** A panel's title or a page's end parts a table without a heading of its own from the heading that it stands under. */
function inherited(above: OpenTable | null, line: Line, place: number): Column[] {
  if (!above || place - above.last > 4 || line.cells.length < 2) return []
  // A heading alone is one of the rows below it; over their names it is often empty.
  const headed = above.rows.length === 0 ? line.cells.slice(1) : line.cells
  const fits = headed.every((cell) => above.columns.some((column) => overlapOf(column.cell, cell) > 0))
  return fits ? above.columns : []
}

/** The column that a cell stands under: by number where the mapping gave one to both, else by overlap. */
export function columnOf(table: Table, cell: Cell): Column | null {
  const numbered = table.columns.find((column) => column.cell.column !== null && column.cell.column === cell.column)
  if (numbered) return numbered
  const overlaps = table.columns.map((column) => ({ column, overlap: overlapOf(column.cell, cell) }))
  const best = overlaps.toSorted((a, b) => b.overlap - a.overlap)[0]
  return best && best.overlap > 0 ? best.column : null
}

export function cellsByRole(table: Table, line: Line): Map<ColumnRole, Cell> {
  const found = new Map<ColumnRole, Cell>()
  for (const cell of line.cells) {
    const role = columnOf(table, cell)?.role
    if (role && cell.length > 0 && !found.has(role)) found.set(role, cell)
  }
  return found
}

export function hasColumn(table: Table, ...roles: readonly ColumnRole[]): boolean {
  return table.columns.some((column) => roles.includes(column.role))
}

function isHeader(document: MappedDocument, line: Line, dates: DatedContext): boolean {
  if (line.cells.length < 2) return false
  const roles = columnsOf(document, line, dates)
  const text = document.text.slice(line.start, line.start + line.length)
  const unknown = roles.filter((column) => column.role === 'other').length
  const isOfTimes = roles.filter((column) => column.role === 'time_of_day').length > 1
  return (
    (unknown === 0 || (isOfTimes && unknown === 1)) && !/\d/.test(text.replace(/\d{1,4}[/ .-]\w+[/ .-]\d{2,4}/g, ''))
  )
}

function columnsOf(document: MappedDocument, line: Line, dates: DatedContext): Column[] {
  const cells = partedCells(document, line, (_, parts) => {
    const roles = parts.map(roleOfHeading)
    return roles.includes('predicted') && roles.includes('result') && roles.every((role) => measureRoles.has(role))
  })
  const columns = cells.map((cell): Column => {
    const text = document.text.slice(cell.start, cell.start + cell.length).trim()
    const date = dates.within(cell.start, cell.start + cell.length)[0] ?? null
    return date ? { role: 'dated', cell, date } : { role: roleOfHeading(text), cell, date: null }
  })
  return columns.map((column, place) => ({ ...column, role: roleAmong(columns, place) }))
}

function roleOfHeading(words: string): ColumnRole {
  return columnWords.find(([, pattern]) => pattern.test(words))?.[0] ?? 'other'
}

/** The target of an assay is what is tested, and an allergen with result and range is a test for it. */
function roleAmong(columns: readonly Column[], place: number): ColumnRole {
  const { role } = columns[place] ?? { role: 'other' }
  const has = (...wanted: ColumnRole[]) => columns.some((column) => wanted.includes(column.role))
  if (role === 'goal' && columns[place + 1]?.role === 'result' && !has('test')) return 'test'
  // "Morning | Evening" of a diary of blood pressures are no times of doses.
  if (role === 'time_of_day' && !has('medicine')) return 'other'
  if (role === 'allergen' && has('result') && has('range', 'unit') && !has('reaction', 'severity')) return 'test'
  return role
}

/** Days of a cumulative report run one way: one that was read from a picture and does not fit is no day to rely on. */
function inOrder(document: MappedDocument, columns: readonly Column[]): Column[] {
  const read = columns.filter(({ date }) => date !== null && isRecognised(document, date))
  const misread = outOfOrder(read.map(({ date }) => date?.iso ?? ''))
  const without = new Set(read.filter((_, place) => misread.has(place)))
  return columns.map((column) => (without.has(column) ? { ...column, date: null } : column))
}

/** A heading of two lines: what the second line says of a column stands, dates stay. */
function mergeColumns(above: Column[], below: Column[]): Column[] {
  if (above.length === 0) return below
  const kept = above.filter(
    (column) => !below.some((other) => overlapOf(column.cell, other.cell) > 0 && other.role !== 'other'),
  )
  const added = below.filter(
    (column) => column.role !== 'other' || !above.some((other) => overlapOf(column.cell, other.cell) > 0),
  )
  return [...kept, ...added].toSorted((a, b) => a.cell.box[0] - b.cell.box[0])
}

function overlapOf(a: Cell, b: Cell): number {
  return Math.min(a.box[2], b.box[2]) - Math.max(a.box[0], b.box[0])
}

/** Lists of people: tables with a column of names, and beside it one of what tells people apart. */
import type { Cell, Line } from '../../document/mapped.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Range, Reading } from '../found.ts'

const ofNames =
  /^(?:patient|client|resident|member)(?:['’]?s)?(?: name)?$|^(?:full )?name$|^(?:sur|last |family )name, ?(?:first|given)(?: names?)?$/i
const tellsPeopleApart =
  /^(?:d\.?o\.?b\.?|date of birth|birth ?date|mrn|urn?|ur no\.?|hosp\w* no\.?|nhs no\.?|nhi|age|sex|gender|bed|room)$/i
const ofContacts = /relation|contact|role|phone|provider|doctor|dose|speciali/i
const ofBirths = /^(?:d\.?o\.?b\.?|date of birth|birth ?date)$/i

export type NamedRow = { readonly line: number; readonly name: Range; readonly isPatient: boolean }
export type NameColumns = { readonly names: readonly NamedRow[]; readonly births: readonly LabelledDate[] }

export function readNameColumns(reading: Reading): NameColumns {
  const { lines, text } = reading.document
  const printed = (cell: Cell) => text.slice(cell.start, cell.start + cell.length).trim()
  const names: NamedRow[] = []
  const births: LabelledDate[] = []
  let header: { readonly table: number | null; readonly name: Cell; readonly birth: Cell | undefined } | null = null
  for (const [place, line] of lines.entries()) {
    const named = headOf(line, printed)
    if (named !== null) {
      header = { table: line.table, name: named, birth: line.cells.find((cell) => ofBirths.test(printed(cell))) }
      continue
    }
    if (header === null || line.table === null || line.table !== header.table) continue
    const cell = under(header.name, line)
    if (cell !== undefined) {
      const isPatient = !/^(?:full )?name$/i.test(printed(header.name))
      names.push({ line: place, name: { start: cell.start, end: cell.start + cell.length }, isPatient })
    }
    const birth = header.birth === undefined ? undefined : under(header.birth, line)
    if (birth !== undefined) births.push(...reading.dates.within(birth.start, birth.start + birth.length))
  }
  return { names, births }
}

function headOf(line: Line, printed: (cell: Cell) => string): Cell | null {
  const words = line.cells.map(printed)
  if (line.table === null || words.length < 2 || words.some((each) => ofContacts.test(each))) return null
  const name = line.cells.find((cell) => ofNames.test(printed(cell)))
  if (name === undefined) return null
  const isAboutPatients =
    /^(?:patient|client|resident|member)/i.test(printed(name)) && words.every((each) => !/\d/.test(each))
  return isAboutPatients || words.some((each) => tellsPeopleApart.test(each)) ? name : null
}

function under(head: Cell, line: Line): Cell | undefined {
  return line.cells.find((cell) =>
    head.column !== null && cell.column !== null
      ? cell.column === head.column
      : cell.box[0] < head.box[2] && head.box[0] < cell.box[2],
  )
}

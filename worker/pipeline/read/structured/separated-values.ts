/** Tables that spreadsheets and laboratories write as text: CSV and its kin. */
import { bold, plain } from './flow.ts'
import type { FlowBlock } from './flow.ts'

const separators = [',', ';', '\t', '|']
const fewestColumns = 3
/** What stands above the header: a title, a patient, an empty line. */
const mostPreamble = 12

/** A table if all rows behind a short preamble have as many fields as the header, and at least three; else null. */
export function readSeparated(text: string): FlowBlock[] | null {
  if (text.includes('\f')) return null
  const [first = '', ...rest] = text.split(/\r\n|\r|\n/, mostPreamble + 3)
  const said = /^sep=(.)\s*$/i.exec(first)?.[1]
  const body = said === undefined ? text : text.slice(first.length).replace(/^\r\n?|^\n/, '')
  if (said === undefined && [first, ...rest].filter((line) => line.trim() !== '').length < 3) return null
  for (const separator of said === undefined ? separators : [said]) {
    if (!beginsAsTable(body, separator)) continue
    const blocks = tableOf(rowsOf(body, separator))
    if (blocks !== null) return blocks
  }
  return null
}

const firstPart = 65_536

/** Long prose is not taken apart to its end only to find that it is no table. */
function beginsAsTable(text: string, separator: string): boolean {
  if (text.length <= firstPart) return true
  const rows = rowsOf(text.slice(0, firstPart), separator)
  return tableOf(rows.slice(0, -1)) !== null
}

function tableOf(all: readonly (readonly string[])[]): FlowBlock[] | null {
  const rows = all.filter((row) => row.some((field) => field !== ''))
  const start = rows.findIndex((row) => row.length >= fewestColumns && row.every((field) => field.length <= 200))
  const header = rows[start]
  if (header === undefined || start > mostPreamble || rows.length - start < 2) return null
  const width = header.length
  const body = rows.slice(start + 1)
  // Rows may end early, or in separators too many; they may not say more than the header names.
  const isTable = body.every(
    (row) => row.length === width || (row.length > width && row.slice(width).every((field) => field === '')),
  )
  if (!isTable || rows.slice(0, start).some((row) => row.length > 2)) return null
  const preamble = rows.slice(0, start).map((row): FlowBlock => ({ kind: 'preformatted', text: row.join('  ') }))
  const cells = body.map((row) => row.slice(0, width).map((field) => [plain(field)]))
  return [...preamble, { kind: 'table', rows: [header.map((field) => [bold(field)]), ...cells] }]
}

/** Fields in quotation marks may hold separators, line breaks, and marks that are doubled. */
function rowsOf(text: string, separator: string): string[][] {
  const rows: string[][] = [[]]
  let field = ''
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? ''
    if (isQuoted) {
      if (letter !== '"') field += letter
      else if (text[at + 1] === '"') field += text[++at]
      else isQuoted = false
    } else if (letter === '"' && field.trim() === '') {
      isQuoted = true
      field = ''
    } else if (letter === separator || letter === '\n' || letter === '\r') {
      rows.at(-1)?.push(field.trim())
      field = ''
      if (letter === '\r' && text[at + 1] === '\n') at++
      if (letter !== separator) rows.push([])
    } else field += letter
  }
  rows.at(-1)?.push(field.trim())
  return rows
}

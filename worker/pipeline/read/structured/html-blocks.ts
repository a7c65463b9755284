/** The little HTML of narratives (FHIR) and their cousin in CDA: paragraphs, lists, tables, bold. */
import type { FlowBlock, FlowRun } from './flow.ts'
import { xmlEvents } from './xml-events.ts'

const blocks = new Set(
  'p div h1 h2 h3 h4 h5 h6 li ul ol dl dt dd br hr pre blockquote section article paragraph item list caption footnote'.split(
    ' ',
  ),
)
const boldNames = new Set('b strong h1 h2 h3 h4 h5 h6 th caption dt'.split(' '))
const struckNames = new Set('s strike del'.split(' '))
const hidden = new Set(['style', 'script', 'head', 'title'])

type Open = {
  readonly out: FlowBlock[]
  runs: FlowRun[]
  /** Rows of the tables that are open; a table in a cell is read as text of the cell. */
  readonly tables: FlowRun[][][][]
  /** Elements that are open, and what they make of their text. */
  readonly styles: { readonly name: string; readonly isBold: boolean; readonly isStruck: boolean }[]
  hidden: number
  /** Of lists that are open: the number of the last item, null for those without. */
  readonly lists: (number | null)[]
}

export function readHtml(source: string): FlowBlock[] {
  const open: Open = { out: [], runs: [], tables: [], styles: [], hidden: 0, lists: [] }
  for (const event of xmlEvents(source)) {
    if (event.kind === 'text') addText(open, event.text)
    else if (event.kind === 'open') start(open, localName(event.name), event.attributes)
    else end(open, localName(event.name))
  }
  flush(open)
  while (open.tables.length > 0) endTable(open)
  return open.out
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1).toLowerCase()

function addText(open: Open, text: string): void {
  if (open.hidden > 0) return
  const isBold = open.styles.some((style) => style.isBold)
  const isStruck = open.styles.some((style) => style.isStruck)
  open.runs.push({ text: text.replaceAll(/\s+/g, ' '), isBold, isStruck })
}

function start(open: Open, name: string, attributes: (name: string) => string | null): void {
  if (blocks.has(name) || name === 'table' || name === 'tr') flush(open)
  open.styles.push({
    name,
    isBold: boldNames.has(name) || /\bbold\b/i.test(attributes('styleCode') ?? ''),
    // CDA keeps what a new version took out, marked so.
    isStruck:
      struckNames.has(name) ||
      attributes('revised') === 'delete' ||
      /\bline-through\b/i.test(attributes('style') ?? ''),
  })
  if (hidden.has(name)) open.hidden++
  if (name === 'ul' || name === 'ol' || name === 'list')
    open.lists.push(name === 'ol' || attributes('listType') === 'ordered' ? 0 : null)
  else if (name === 'li' || name === 'item') open.runs.push({ text: markerOf(open), isBold: false })
  else if (name === 'table') open.tables.push([])
  else if (name === 'tr') open.tables.at(-1)?.push([])
  else if (name === 'td' || name === 'th') startCell(open)
}

function markerOf(open: Open): string {
  const number = open.lists.at(-1)
  if (number === undefined || number === null) return '• '
  open.lists.splice(-1, 1, number + 1)
  return `${number + 1}. `
}

function startCell(open: Open): void {
  flush(open)
  const rows = open.tables.at(-1)
  if (rows !== undefined && rows.length === 0) rows.push([])
  rows?.at(-1)?.push([])
}

function end(open: Open, name: string): void {
  if (blocks.has(name) || name === 'td' || name === 'th' || name === 'tr') flush(open)
  // HTML leaves some elements open; what is closed around them closes them too.
  const at = open.styles.findLastIndex((style) => style.name === name)
  if (at >= 0) open.styles.splice(at)
  if (hidden.has(name)) open.hidden = Math.max(0, open.hidden - 1)
  if (name === 'ul' || name === 'ol' || name === 'list') open.lists.pop()
  if (name === 'table') endTable(open)
}

/** What was gathered becomes a paragraph, or a line of the cell that is open. */
function flush(open: Open): void {
  const runs = open.runs.splice(0)
  if (runs.every(({ text }) => text.trim() === '')) return
  const cell = open.tables.at(-1)?.at(-1)?.at(-1)
  if (cell === undefined) open.out.push({ kind: 'paragraph', runs: trimmed(runs) })
  else cell.push(...(cell.length > 0 ? [{ text: '\n', isBold: false }] : []), ...trimmed(runs))
}

function trimmed(runs: readonly FlowRun[]): FlowRun[] {
  return runs.map((run, index) => (index === 0 ? { ...run, text: run.text.trimStart() } : run))
}

function endTable(open: Open): void {
  flush(open)
  const rows = open.tables.pop()?.filter((row) => row.length > 0) ?? []
  const outer = open.tables.at(-1)?.at(-1)?.at(-1)
  if (rows.length === 0) return
  if (outer === undefined) open.out.push({ kind: 'table', rows })
  else
    for (const row of rows)
      outer.push({ text: '\n', isBold: false }, ...row.flatMap((cell) => [...cell, { text: '  ', isBold: false }]))
}

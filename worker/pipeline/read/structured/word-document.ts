import { readZipDirectory, unpackEntry } from '../office/zip.ts'
import { flowOf, printed } from './flow.ts'
import type { Flow, FlowBlock, FlowRun } from './flow.ts'
import { xmlEvents } from './xml-events.ts'

const mostPartBytes = 60e6

/** DOCX: headers first, since letterheads stand in them, then the body. */
export function readWordDocument(file: Buffer): Flow {
  const entries = readZipDirectory(file) ?? []
  const parts = entries
    .filter(({ name }) => /^word\/(?:header\d*|document)\.xml$/.test(name))
    .toSorted((a, b) => Number(a.name.endsWith('document.xml')) - Number(b.name.endsWith('document.xml')))
  const seen = new Set<string>()
  const body = parts.flatMap((entry) => {
    const blocks = readBody(unpackEntry(file, entry, mostPartBytes).toString('utf8'))
    const text = blocks.map((block) => ('runs' in block ? printed(block.runs) : '')).join('\n')
    // First, even and default headers are often the same.
    if (seen.has(text)) return []
    seen.add(text)
    return blocks
  })
  return flowOf(body)
}

type Row = FlowRun[][]

/** What is open while walking through the body. Tables inside cells are read as text of the cell. */
type Open = {
  blocks: FlowBlock[]
  runs: FlowRun[]
  isBoldParagraph: boolean
  isBoldRun: boolean
  isListItem: boolean
  isText: boolean
  skipping: string | null
  tableDepth: number
  rows: Row[]
  row: Row
  cell: FlowRun[]
}

function readBody(xml: string): FlowBlock[] {
  const open: Open = {
    blocks: [],
    runs: [],
    isBoldParagraph: false,
    isBoldRun: false,
    isListItem: false,
    isText: false,
    skipping: null,
    tableDepth: 0,
    rows: [],
    row: [],
    cell: [],
  }
  for (const event of xmlEvents(xml)) {
    if (open.skipping !== null) {
      if (event.kind === 'close' && event.name === open.skipping) open.skipping = null
    } else if (event.kind === 'text') {
      if (open.isText) addText(open, event.text)
    } else if (event.kind === 'open') openElement(open, event.name, event.attributes)
    else closeElement(open, event.name)
  }
  return open.blocks
}

function addText(open: Open, text: string): void {
  open.runs.push({ text, isBold: open.isBoldRun || open.isBoldParagraph })
}

/** Drawings keep a second copy for old programs; deleted text is no text. */
const skipped = new Set(['mc:Fallback', 'w:del', 'w:instrText', 'w:moveFrom'])

function openElement(open: Open, name: string, attributes: (name: string) => string | null): void {
  const isOn = !['0', 'false', 'off'].includes(attributes('w:val') ?? '1')
  if (skipped.has(name)) open.skipping = name
  else if (name === 'w:p') startParagraph(open)
  else if (name === 'w:r') open.isBoldRun = false
  else if (name === 'w:b') open.isBoldRun = isOn
  else if (name === 'w:pStyle') open.isBoldParagraph = /^(?:heading|title|berschrift)/i.test(attributes('w:val') ?? '')
  else if (name === 'w:numPr') open.isListItem = true
  else if (name === 'w:t') open.isText = true
  else if (name === 'w:tab') addText(open, '    ')
  else if (name === 'w:br' || name === 'w:cr') addText(open, attributes('w:type') === 'page' ? ' ' : '\n')
  else if (name === 'w:tbl') open.tableDepth++
  else if (name === 'w:tr' && open.tableDepth === 1) open.row = []
  else if (name === 'w:tc' && open.tableDepth === 1) open.cell = []
}

function startParagraph(open: Open): void {
  open.runs = []
  open.isBoldParagraph = false
  open.isBoldRun = false
  open.isListItem = false
}

function closeElement(open: Open, name: string): void {
  if (name === 'w:t') open.isText = false
  else if (name === 'w:p') endParagraph(open)
  else if (name === 'w:tc' && open.tableDepth === 1) open.row.push(open.cell)
  else if (name === 'w:tr' && open.tableDepth === 1) open.rows.push(open.row)
  else if (name === 'w:tbl' && --open.tableDepth === 0) {
    open.blocks.push({ kind: 'table', rows: open.rows })
    open.rows = []
  }
}

function endParagraph(open: Open): void {
  const runs = open.isListItem ? [{ text: '• ', isBold: false }, ...open.runs] : open.runs
  if (open.tableDepth === 0) open.blocks.push({ kind: 'paragraph', runs })
  else open.cell.push(...(open.cell.length > 0 ? [{ text: '\n', isBold: false }] : []), ...runs)
  startParagraph(open)
}

/**
 * FHIR, CDA and HL7 v2 as plain pages that a person can read: names, values and dates in rows. Reading them as the coded
 * records that they are is another road; this one lets every file be looked at and searched.
 */
import { bold, paragraph, plain } from './flow.ts'
import type { FlowBlock, FlowRun } from './flow.ts'
import { decodeText } from './plain-text.ts'
import { xmlEvents } from './xml-events.ts'

/** Titles and narrative of the sections; the coded entries behind them say the same again. */
export function readClinicalDocument(file: Buffer): FlowBlock[] {
  const blocks: FlowBlock[] = []
  const path: string[] = []
  let runs: FlowRun[] = []
  let rows: FlowRun[][][] | null = null
  const flush = (isBold: boolean): void => {
    const text = runs
      .map((run) => run.text)
      .join('')
      .replaceAll(/\s+/g, ' ')
      .trim()
    runs = []
    if (text === '') return
    if (rows === null) blocks.push(paragraph({ text, isBold }))
    else
      rows
        .at(-1)
        ?.at(-1)
        ?.push({ text: `${text} `, isBold })
  }
  for (const event of xmlEvents(decodeText(file))) {
    const isNarrative = path.includes('section') && path.includes('text')
    if (event.kind === 'open') {
      path.push(event.name)
      if (!isNarrative) continue
      if (blockNames.has(event.name)) flush(false)
      if (event.name === 'table') rows = []
      if (event.name === 'tr') rows?.push([])
      if (event.name === 'td' || event.name === 'th') rows?.at(-1)?.push([])
      if (event.name === 'item') runs.push(plain('• '))
    } else if (event.kind === 'text') {
      const isTitle = path.at(-1) === 'title'
      if (isNarrative || isTitle || isPatientName(path)) runs.push(plain(`${event.text} `))
    } else {
      if (event.name === 'title') flush(true)
      else if (blockNames.has(event.name) || event.name === 'text') flush(event.name === 'th')
      else if (event.name === 'name' && isPatientName(path)) labelled(blocks, 'Patient', runs.splice(0))
      if (event.name === 'table' && rows !== null) {
        blocks.push({ kind: 'table', rows })
        rows = null
      }
      path.pop()
    }
  }
  return blocks
}

const blockNames = new Set(['paragraph', 'item', 'td', 'th', 'tr', 'table', 'list', 'caption', 'br'])

function isPatientName(path: readonly string[]): boolean {
  return (
    path.includes('recordTarget') && path.includes('name') && path.includes('patient') && !path.includes('guardian')
  )
}

function labelled(blocks: FlowBlock[], label: string, runs: readonly FlowRun[]): void {
  const text = runs
    .map((run) => run.text)
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim()
  if (text !== '') blocks.push(paragraph(bold(`${label}: `), plain(text)))
}

export function readFhir(file: Buffer): FlowBlock[] {
  const resource: unknown = JSON.parse(decodeText(file))
  const entries = listAt(resource, 'entry').map((entry) => fieldOf(entry, 'resource'))
  return [resource, ...entries].flatMap((item) => readResource(item))
}

const wholeBundles = new Set(['Bundle', 'Provenance', 'Binary'])

function readResource(resource: unknown): FlowBlock[] {
  const kind = textAt(resource, 'resourceType')
  if (kind === '' || wholeBundles.has(kind)) return []
  const rows = Object.entries(typeof resource === 'object' && resource !== null ? resource : {})
    .filter(([name]) => !['resourceType', 'id', 'meta', 'text', 'contained', 'extension'].includes(name))
    .map(([name, value]) => [name, shortText(value, 0)] as const)
    .filter(([, text]) => text !== '')
  return [paragraph(bold(kind)), ...rows.map(([name, text]) => paragraph(plain(`${name}: ${text}`)))]
}

/** The words of a value: text before display before code, numbers with their unit, periods with both ends. */
function shortText(value: unknown, depth: number): string {
  if (typeof value === 'string' && value.startsWith('<div')) return ''
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (depth > 4 || typeof value !== 'object' || value === null) return ''
  if (Array.isArray(value))
    return value
      .map((item) => shortText(item, depth + 1))
      .filter((text) => text !== '')
      .join('; ')
  const named = textAt(value, 'text') || textAt(value, 'display')
  if (named !== '') return named
  const quantity = fieldOf(value, 'value')
  if (typeof quantity === 'number') return `${textAt(value, 'comparator')}${quantity} ${textAt(value, 'unit')}`.trim()
  return Object.entries(value)
    .filter(([name]) => !['system', 'id', 'extension', 'reference', 'url'].includes(name))
    .map(([, item]) => shortText(item, depth + 1))
    .filter((text) => text !== '')
    .join(' ')
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

function textAt(value: unknown, name: string): string {
  const found = fieldOf(value, name)
  return typeof found === 'string' ? found : ''
}

function listAt(value: unknown, name: string): unknown[] {
  const found = fieldOf(value, name)
  return Array.isArray(found) ? found : []
}

/** HL7 v2: results in a table, the rest a line a segment. */
export function readHl7(file: Buffer): FlowBlock[] {
  const segments = decodeText(file)
    .split(/[\r\n]+/)
    .filter((line) => /^[A-Z][A-Z0-9]{2}\|/.test(line))
  const blocks: FlowBlock[] = []
  let results: FlowRun[][][] = []
  const flush = (): void => {
    if (results.length > 0) blocks.push({ kind: 'table', rows: [resultHeader, ...results] })
    results = []
  }
  for (const segment of segments) {
    const fields = segment.split('|')
    if (fields[0] === 'OBX') {
      results.push([3, 5, 6, 7, 8, 14].map((index) => [plain(readable(fields[index] ?? '', index))]))
      continue
    }
    flush()
    const texts = fields
      .slice(1)
      .map((field) => readable(field, 0))
      .filter((text) => text !== '')
    if (fields[0] !== 'MSH') blocks.push(paragraph(bold(`${fields[0]} `), plain(texts.join('  '))))
  }
  flush()
  return blocks
}

const resultHeader: FlowRun[][] = ['Test', 'Result', 'Units', 'Reference range', 'Flag', 'Date'].map((name) => [
  bold(name),
])

/** Names of observations stand second in their field; other parts are joined. */
function readable(field: string, index: number): string {
  const parts = field
    .replaceAll(/\\\.br\\/g, ' ')
    .replaceAll(/\\[A-Z]\\/g, '')
    .split(/[\^&~]/)
  if (index === 3) return (parts[1] ?? '') || (parts[0] ?? '')
  if (index === 14) return (parts[0] ?? '').replace(/^(\d{4})(\d\d)(\d\d).*$/, '$1-$2-$3')
  return parts.filter((part) => part !== '').join(' ')
}

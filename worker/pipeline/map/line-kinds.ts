import type { LineKind } from '../../../clinical/document/mapped.ts'
import { sectionOfHeading } from '../../../clinical/terminology/section-headings.ts'
import type { Assembled, AssembledLine } from './assemble-text.ts'
import { headsDates, looksLikeHeader } from './table-headers.ts'

export function lineKinds(assembled: Assembled, furniture: ReadonlySet<number>): LineKind[] {
  return assembled.lines.map((line, index) => {
    if (furniture.has(index)) return 'furniture'
    return line.table === null ? kindOfText(assembled, index) : kindInTable(assembled, line)
  })
}

export function cellTexts(assembled: Assembled, line: AssembledLine): string[] {
  return line.cells.map((cell) => assembled.text.slice(cell.start, cell.start + cell.length))
}

function kindInTable(assembled: Assembled, line: AssembledLine): LineKind {
  const texts = cellTexts(assembled, line)
  if (looksLikeHeader(texts) || isDateHeader(line, texts)) return 'table_header'
  const [only = ''] = texts
  if (texts.length === 1 && line.cells[0]?.column === 0 && isHeading(only, line)) return 'heading'
  return 'table_row'
}

function isDateHeader(line: AssembledLine, texts: readonly string[]): boolean {
  const hasFirst = line.cells[0]?.column === 0
  return headsDates(hasFirst ? (texts[0] ?? '') : null, hasFirst ? texts.slice(1) : texts)
}

const listMark = /^(?:[•▪▫●○◦‣▸∙·*–—☐☑☒□■▢✓✔✗✘-]|\[[ xX✓]?\]|o(?= )|\(?\d{1,2}[.)]|\(?(?:[a-z]|[ivx]{2,4})[.)])\s+\S/u
const labelled = /^\p{L}[\p{L}\p{N} .,'’()/&#-]{0,45}?\s*[:：](?=\s|$)/u

function kindOfText(assembled: Assembled, index: number): LineKind {
  const line = assembled.lines[index]
  if (line === undefined) return 'text'
  const texts = cellTexts(assembled, line)
  const text = texts.join(' ')
  if (texts.length > 2 && looksLikeHeader(texts)) return 'table_header'
  if (texts.length === 1 && isHeading(text, line)) return 'heading'
  if (listMark.test(text)) return 'list_item'
  if (labelled.test(text) && words(text.split(':')[0] ?? '') <= 6) return 'key_value'
  if (texts.length === 2 && isLabelCell(assembled, line)) return 'key_value'
  return 'text'
}

function isLabelCell(assembled: Assembled, line: AssembledLine): boolean {
  const [label = ''] = cellTexts(assembled, line)
  return !line.isBold && words(label) <= 5 && !/\d/.test(label)
}

const longestHeading = 9

/** Known headings stand for themselves; others need bold, capitals, larger type or a closing colon. */
export function isHeading(text: string, line: Pick<AssembledLine, 'isBold' | 'relativeHeight'>): boolean {
  const bare = text.replace(/[:\s]+$/, '')
  if (bare === '' || words(bare) > longestHeading || /[.;,]$/.test(bare) || !/\p{L}{2}/u.test(bare)) return false
  if (/:\s*\S/.test(bare)) return false
  if (sectionOfHeading(bare) !== null) return true
  if (/^\d/.test(bare) && /\d[^\p{L}]*$/u.test(bare)) return false
  if (line.isBold) return true
  if (/:\s*$/.test(text) && words(bare) <= 6) return true
  if (isCapitals(bare) && !/\d/.test(bare)) return true
  return line.relativeHeight > 1.3 && words(bare) <= 6
}

function isCapitals(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? []
  return (
    letters.length >= 4 && letters.every((letter) => letter === letter.toUpperCase() && letter !== letter.toLowerCase())
  )
}

function words(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length
}

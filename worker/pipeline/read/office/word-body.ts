/** The body of a Word file, a header or a note: paragraphs, tables, and what stands in boxes between them. */
import type { FlowBlock, FlowRun } from '../structured/flow.ts'
import { all, attribute, first, isElement, type Element } from '../structured/xml-tree.ts'
import { symbolOf } from './symbols.ts'
import { isOn, numberingOf, strikeOf, type NextLabel, type ParagraphStyle } from './word-styles.ts'

export type WordContext = {
  readonly styles: ReadonlyMap<string, ParagraphStyle>
  readonly label: NextLabel
  /** Takes a picture note; says true where it is read on a page of its own. */
  readonly picture: (relation: string, size: { readonly widthCm: number; readonly heightCm: number } | null) => boolean
  readonly noteNumbers: { readonly footnote: string[]; readonly endnote: string[] }
}

/** Drawings keep a second copy for old programs; deleted text is no text; codes of fields are none either. */
const skipped = new Set([
  'Fallback',
  'del',
  'moveFrom',
  'instrText',
  'delText',
  'pPr',
  'rPr',
  'tblPr',
  'tblGrid',
  'sectPr',
  'sdtPr',
  'sdtEndPr',
  'trPr',
  'tcPr',
])

export function readBlocks(holder: Element | null, context: WordContext): FlowBlock[] {
  return (holder?.children ?? []).filter(isElement).flatMap((child): FlowBlock[] => {
    if (skipped.has(child.name)) return []
    if (child.name === 'p') return readParagraph(child, context)
    if (child.name === 'tbl') return readTable(child, context)
    // Content controls, insertions, custom markup: what they hold counts.
    return isPlaceholder(child) ? [] : readBlocks(child, context)
  })
}

type Open = {
  runs: FlowRun[]
  readonly blocks: FlowBlock[]
  /** Text boxes and what else floats: set behind the paragraph that it hangs on. */
  readonly floating: FlowBlock[]
  readonly isBold: boolean
  readonly isHidden: boolean
  readonly isStruck: boolean
  readonly indent: number
}

function readParagraph(paragraph: Element, context: WordContext): FlowBlock[] {
  const properties = first(paragraph, 'pPr')
  const style = context.styles.get(attribute(first(properties, 'pStyle'), 'w:val'))
  const numbering = numberingOf(properties) ?? style?.numbering ?? null
  const isHeading = style?.isHeading === true || first(properties, 'outlineLvl') !== null
  const indent = numbering === null ? 0 : 2 * numbering.level
  const open: Open = {
    runs: [],
    blocks: [],
    floating: [],
    isBold: isHeading || style?.isBold === true,
    isHidden: style?.isHidden === true,
    isStruck: style?.isStruck === true,
    indent,
  }
  readInline(paragraph, open, context)
  const label =
    numbering === null || open.runs.every(({ text }) => text.trim() === '')
      ? ''
      : context.label(numbering.id, numbering.level)
  const runs = label === '' ? open.runs : [{ text: label, isBold: open.isBold }, ...open.runs]
  return [...open.blocks, { kind: 'paragraph', runs, indent }, ...open.floating]
}

function readInline(holder: Element, open: Open, context: WordContext): void {
  for (const child of holder.children.filter(isElement)) {
    if (skipped.has(child.name) || isPlaceholder(child)) continue
    if (child.name === 'r') readRun(child, open, context)
    else if (child.name === 'txbxContent') open.floating.push(...readBlocks(child, context))
    else readInline(child, open, context)
  }
}

const isPlaceholder = (element: Element) => element.name === 'sdt' && isOn(first(element, 'sdtPr', 'showingPlcHdr'))

function readRun(run: Element, open: Open, context: WordContext): void {
  const properties = first(run, 'rPr')
  const style = context.styles.get(attribute(first(properties, 'rStyle'), 'w:val'))
  const hidden = first(properties, 'vanish')
  if (hidden === null ? open.isHidden || style?.isHidden === true : isOn(hidden)) return
  const bold = first(properties, 'b')
  const isBold = bold === null ? open.isBold || style?.isBold === true : isOn(bold)
  // What is struck out can be seen, and is taken back.
  const isStruck = strikeOf(properties) ?? (open.isStruck || style?.isStruck === true)
  for (const child of run.children.filter(isElement)) readPart(child, { open, context, isBold, isStruck })
}

type Place = {
  readonly open: Open
  readonly context: WordContext
  readonly isBold: boolean
  readonly isStruck: boolean
}

function readPart(part: Element, { open, context, isBold, isStruck }: Place): void {
  const add = (text: string) => void open.runs.push({ text, isBold, isStruck })
  switch (part.name) {
    case 't':
      return add(part.children.map((child) => (isElement(child) ? '' : child)).join(''))
    case 'tab':
    case 'ptab':
      return add('\t')
    case 'cr':
      return add('\n')
    case 'br':
      return attribute(part, 'w:type') === 'page' ? breakPage(open) : add('\n')
    case 'noBreakHyphen':
      return add('-')
    case 'sym':
      return add(symbolOf(attribute(part, 'w:font'), Number.parseInt(attribute(part, 'w:char'), 16) || 0))
    case 'footnoteReference':
    case 'endnoteReference': {
      const list = context.noteNumbers[part.name === 'footnoteReference' ? 'footnote' : 'endnote']
      list.push(attribute(part, 'w:id'))
      return add(` [${part.name === 'footnoteReference' ? '' : 'e'}${list.length}]`)
    }
    case 'drawing':
    case 'pict':
    case 'object':
      readPicture(part, context)
      return readInline(part, open, context)
    default:
      return skipped.has(part.name) ? undefined : readInline(part, open, context)
  }
}

function breakPage(open: Open): void {
  if (open.runs.some(({ text }) => text.trim() !== ''))
    open.blocks.push({ kind: 'paragraph', runs: open.runs.splice(0), indent: open.indent })
  open.blocks.push({ kind: 'page break' })
}

const emuPerCm = 360_000

function readPicture(drawing: Element, context: WordContext): void {
  const walk = (element: Element): void => {
    for (const child of element.children.filter(isElement)) {
      if (child.name === 'Fallback' || child.name === 'txbxContent') continue
      const relation =
        child.name === 'blip' ? attribute(child, 'r:embed') : child.name === 'imagedata' ? attribute(child, 'r:id') : ''
      if (relation !== '') context.picture(relation, sizeOf(drawing))
      walk(child)
    }
  }
  walk(drawing)
}

function sizeOf(drawing: Element): { widthCm: number; heightCm: number } | null {
  const extent = first(drawing, 'inline', 'extent') ?? first(drawing, 'anchor', 'extent')
  const [width, height] = [Number(attribute(extent, 'cx')), Number(attribute(extent, 'cy'))]
  return width > 0 && height > 0 ? { widthCm: width / emuPerCm, heightCm: height / emuPerCm } : null
}

function readTable(table: Element, context: WordContext): FlowBlock[] {
  const floating: FlowBlock[] = []
  const rows = rowsOf(table).map((row) => {
    const isHeader = isOn(first(row, 'trPr', 'tblHeader'))
    const before = Number(attribute(first(row, 'trPr', 'gridBefore'), 'w:val') || '0')
    const cells = cellsOf(row).flatMap((cell) => {
      const properties = first(cell, 'tcPr')
      const span = Math.min(Math.max(Number(attribute(first(properties, 'gridSpan'), 'w:val') || '1'), 1), 60)
      const merge = first(properties, 'vMerge')
      const isBelow = merge !== null && attribute(merge, 'w:val') !== 'restart'
      const runs = isBelow ? [] : runsOfCell(readBlocks(cell, context))
      return [
        isHeader ? runs.map((run) => ({ ...run, isBold: true })) : runs,
        ...Array.from({ length: span - 1 }, () => []),
      ]
    })
    return [...Array.from({ length: Math.min(before, 60) }, () => []), ...cells]
  })
  return [{ kind: 'table', rows }, ...floating]
}

const isDeletedRow = (row: Element) => first(row, 'trPr', 'del') !== null

function rowsOf(holder: Element): Element[] {
  return inside(holder, 'tr').filter((row) => !isDeletedRow(row))
}

const cellsOf = (row: Element) => inside(row, 'tc')

/** Rows and cells may stand in content controls. */
function inside(holder: Element, name: string): Element[] {
  return holder.children.filter(isElement).flatMap((child) => {
    if (child.name === name) return [child]
    return ['sdt', 'sdtContent', 'customXml', 'ins', 'smartTag'].includes(child.name) ? inside(child, name) : []
  })
}

/** A table in a cell is read row by row as lines of the cell. */
function runsOfCell(blocks: readonly FlowBlock[]): FlowRun[] {
  const lines = blocks.flatMap((block): (readonly FlowRun[])[] => {
    if (block.kind === 'paragraph') return [block.runs]
    if (block.kind !== 'table') return []
    return block.rows.map((row) =>
      row.flatMap((cell, index) => [...(index > 0 ? [{ text: '  ', isBold: false }] : []), ...cell]),
    )
  })
  const filled = lines.filter((runs) => runs.some(({ text }) => text.trim() !== ''))
  return filled.flatMap((runs, index) => [...(index > 0 ? [{ text: '\n', isBold: false }] : []), ...runs])
}

export const textOfBlocks = (blocks: readonly FlowBlock[]) =>
  blocks
    .map((block) =>
      ('runs' in block ? block.runs : block.kind === 'table' ? block.rows.flat(2) : [])
        .map(({ text }) => text)
        .join(''),
    )
    .join('\n')

export function notesOf(root: Element | null, kind: 'footnote' | 'endnote', context: WordContext): FlowBlock[] {
  const byId = new Map(all(root, `${kind}s`, kind).map((note) => [attribute(note, 'w:id'), note]))
  return context.noteNumbers[kind].flatMap((id, index) => {
    const blocks = readBlocks(byId.get(id) ?? null, context)
    const mark = `[${kind === 'footnote' ? '' : 'e'}${index + 1}] `
    return blocks.map((block, place) =>
      block.kind === 'paragraph' && place === 0
        ? { ...block, runs: [{ text: mark, isBold: false }, ...block.runs] }
        : block,
    )
  })
}

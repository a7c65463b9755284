/** What columns that were found amount to: told from what stands in their cells. */
import type { Segment } from './bands.ts'
import { extent, textOf } from './bands.ts'
import { looksLikeHeader } from './table-headers.ts'
import type { Row } from './wrapped-rows.ts'

export type Shape = 'table' | 'label grid' | 'blocks' | 'boxes to tick'

export function shapeOf(rows: readonly Row[]): Shape {
  if (rows.some((row) => looksLikeHeader(cellTexts(row)))) return 'table'
  const columns = columnsOf(rows)
  if (columns.every(isToTick)) return 'boxes to tick'
  if (isBesideProse(rows)) return 'blocks'
  if (columns.length % 2 === 0 && isLabelGrid(columns)) return 'label grid'
  if (hasLabelsInside(columns) || isProse(columns)) return 'blocks'
  if (columns.some(isValueColumn)) return 'table'
  return columns.length >= 3 && rows.length >= 3
    ? 'table'
    : columns.length === 2 && rows.length >= 4
      ? 'table'
      : 'blocks'
}

export function cellTexts(row: Row): string[] {
  return row.map((cell) => (cell === null ? '' : textOf(cell)))
}

type Column = readonly Segment[]

function columnsOf(rows: readonly Row[]): Column[] {
  const width = Math.max(...rows.map((row) => row.length))
  return Array.from({ length: width }, (_, column) => rows.flatMap((row) => row[column] ?? []))
}

const labelEnd = /[:：]$/
const labelInside = /^\p{L}[^:]{0,30}:\s*\S/u

/** Every other column holds nothing but labels, told by a colon or by bold beside plain. */
function isLabelGrid(columns: readonly Column[]): boolean {
  return columns.every((column, index) => {
    const labels = column.filter(isLabel).length
    return index % 2 === 0 ? labels >= 0.7 * column.length : labels <= 0.3 * column.length
  })
}

function isLabel(cell: Segment): boolean {
  if (labelEnd.test(textOf(cell)) || knownLabel.test(textOf(cell))) return true
  return isBoldSegment(cell) && cell.words.length <= 5 && !/^\d/.test(textOf(cell))
}

/** Labels of people and visits that stand without a colon in a cell of their own. */
const knownLabel =
  /^(?:(?:patient|full|family|given|first|last)?\s?name|patient|surname|d\.?o\.?b\.?|date of birth|sex|gender|age|(?:home |postal )?address|mrn|urn|ur no\.?|nhs no\.?|ihi|medicare(?: no\.?| number)?|phone|mobile|fax|email|(?:date )?(?:collected|received|reported|requested|admitted|discharged|issued|printed)|admission date|discharge date|date of (?:admission|discharge|visit|service)|(?:referring |treating )?(?:doctor|gp|clinician|physician|consultant|provider)|ward|unit|facility|hospital|clinic|destination|lab(?:oratory)? no\.?|specimen(?: type| no\.?)?|episode|request(?: no\.?| id)?|ref(?:erence)?(?: no\.?)?)$/i

const boxToTick = /^(?:[☐☑☒□■▢✓✔✗✘]|\[[ xX✓]?\]|\([ xX]\))/u

function isToTick(column: Column): boolean {
  return column.length >= 2 && column.filter((cell) => boxToTick.test(textOf(cell))).length >= 0.8 * column.length
}

/** A margin with its own line pitch beside running text: no table has rows that hold nothing but their first cell so often. */
function isBesideProse(rows: readonly Row[]): boolean {
  const columns = columnsOf(rows)
  if (
    columns.length !== 2 ||
    !columns.some((column) => column.length >= 5 && wordsPerCell(column) >= 6 && fills(column))
  )
    return false
  const alone = [0, 1].map((column) => rows.filter((row) => row[column] && !row[1 - column]).length)
  return alone.every((count, column) => count >= 2 && count >= 0.25 * (columns[column]?.length ?? 0))
}

export function isBoldSegment({ words }: Pick<Segment, 'words'>): boolean {
  return words.length > 0 && words.every(({ word }) => word.isBold === true)
}

/** "Collected: 2 May" to the right of something else: two blocks that happen to share their baselines. */
function hasLabelsInside(columns: readonly Column[]): boolean {
  const right = columns.slice(1).flat()
  return right.length > 0 && right.filter((cell) => isLabelled(textOf(cell))).length >= 0.4 * right.length
}

/** Words that label people and visits in letterheads, where a colon may be missing. */
const letterheadLabel =
  /^(?:sex|gender|d\.?o\.?b\.?|date of birth|age|ihi|mrn|urn|ur no|medicare(?: no)?|ref(?:erence)?|your ref|our ref|request id|requested by|lab(?:oratory)? (?:no|id|ref)|episode|ph(?:one)?|tel(?:ephone)?|fax|mobile|email|web|abn|provider(?: no)?|address|collected|received|reported|printed|requested|ordered by|page|copy to|by|to|from|attn|dr|prof|mr|mrs|ms|miss)\b\.?\s*\S/iu

function isLabelled(text: string): boolean {
  return labelInside.test(text) || letterheadLabel.test(text)
}

/** Two columns of running text: long lines that fill their columns. */
function isProse(columns: readonly Column[]): boolean {
  return (
    columns.length <= 3 && columns.every((column) => column.length >= 4 && wordsPerCell(column) >= 4.5 && fills(column))
  )
}

function wordsPerCell(column: Column): number {
  return column.reduce((sum, { words }) => sum + words.length, 0) / Math.max(column.length, 1)
}

function fills(column: Column): boolean {
  const { left, right } = extent(column)
  const full = column.filter((cell) => cell.right - cell.left > 0.7 * (right - left)).length
  return full >= 0.6 * column.length
}

/** Numbers, dates, doses, flags, ticks. */
const shortValue = /^[<>≤≥=~(+-]*\d|^(?:H|L|HH|LL|N|A|pos|neg|positive|negative|normal|abnormal|yes|no|nil|-+|\*+)$/i

function isValueColumn(column: Column, index: number): boolean {
  if (index === 0 || column.length < 2) return false
  const values = column.filter((cell) => cell.words.length <= 4 && shortValue.test(textOf(cell))).length
  return values >= 0.6 * column.length
}

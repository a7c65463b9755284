/**
 * Lines of all pages → the text that offsets point into. Words are joined by spaces, cells by tabs, lines by line
 * feeds, pages by form feeds; so a word's own text must hold no white space.
 */
import type { Cell, Line, MappedWord } from '../../../clinical/document/mapped.ts'
import type { Box, Page, Word } from '../../../clinical/document/page.ts'
import type { DraftCell, DraftLine } from './draft-lines.ts'

export type AssembledLine = Omit<Line, 'kind' | 'section'> & {
  /** Height of the ink against the page's usual, for headings in larger type. */
  readonly relativeHeight: number
}

export type Assembled = {
  readonly text: string
  readonly pages: readonly { readonly number: number; readonly start: number; readonly length: number }[]
  readonly words: readonly MappedWord[]
  readonly lines: readonly AssembledLine[]
}

type Drafts = readonly { readonly page: Page; readonly lines: readonly DraftLine[] }[]

export function assembleText(drafts: Drafts): Assembled {
  const writer: Writer = { text: '', words: [], lines: [], tables: 0 }
  const pages = drafts.map(({ page, lines }, index) => {
    if (index > 0) writer.text += '\f'
    const start = writer.text.length
    const usualHeight = usualInkHeight(lines)
    const firstTable = writer.tables
    lines.forEach((line, place) => {
      if (place > 0) writer.text += '\n'
      writeLine(writer, { page: page.number, line, usualHeight, firstTable })
    })
    return { number: page.number, start, length: writer.text.length - start }
  })
  return { text: writer.text, pages, words: writer.words, lines: writer.lines }
}

type Writer = { text: string; words: MappedWord[]; lines: AssembledLine[]; tables: number }
type Place = { page: number; line: DraftLine; usualHeight: number; firstTable: number }

function writeLine(writer: Writer, { page, line, usualHeight, firstTable }: Place): void {
  const start = writer.text.length
  const firstWord = writer.words.length
  const cells = line.cells.map((cell, index) => {
    if (index > 0) writer.text += '\t'
    return writeCell(writer, page, cell)
  })
  const words = line.cells.flatMap((cell) => cell.words.map(({ word }) => word))
  const table = line.table === null ? null : firstTable + line.table
  if (table !== null) writer.tables = Math.max(writer.tables, table + 1)
  writer.lines.push({
    page,
    start,
    length: writer.text.length - start,
    box: boxAround(words),
    cells,
    words: Array.from({ length: writer.words.length - firstWord }, (_, index) => firstWord + index),
    table,
    isBold: words.length > 0 && words.every(({ isBold }) => isBold === true),
    relativeHeight: usualHeight === 0 ? 1 : inkHeight(line) / usualHeight,
  })
}

function writeCell(writer: Writer, page: number, cell: DraftCell): Cell {
  const start = writer.text.length
  cell.words.forEach(({ word }, index) => {
    if (index > 0) writer.text += ' '
    const text = word.text.replaceAll(/\s/g, '')
    writer.words.push({
      page,
      start: writer.text.length,
      length: text.length,
      box: word.box,
      confidence01: word.confidence01,
    })
    writer.text += text
  })
  const box = boxAround(cell.words.map(({ word }) => word))
  return { start, length: writer.text.length - start, column: cell.column, box }
}

function boxAround(words: readonly Word[]): Box {
  return [
    Math.min(...words.map(({ box }) => box[0])),
    Math.min(...words.map(({ box }) => box[1])),
    Math.max(...words.map(({ box }) => box[2])),
    Math.max(...words.map(({ box }) => box[3])),
  ]
}

function inkHeight(line: DraftLine): number {
  const heights = line.cells.flatMap((cell) => cell.words.map(({ top, bottom }) => bottom - top))
  return heights.toSorted((a, b) => a - b)[Math.floor(heights.length / 2)] ?? 0
}

function usualInkHeight(lines: readonly DraftLine[]): number {
  const heights = lines.map(inkHeight).toSorted((a, b) => a - b)
  return heights[Math.floor(heights.length / 2)] ?? 0
}

/**
 * Lines of all pages → the text that offsets point into. Words are joined by spaces, cells by tabs, lines by line
 * feeds, pages by form feeds; so a word's own text must hold no white space.
 */
import type { Cell, Line, MappedWord } from '../../../clinical/document/mapped.ts'
import { hullOf } from '../../../clinical/document/boxes.ts'
import type { Page } from '../../../clinical/document/page.ts'
import { median } from './bands.ts'
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

export type TextWriter = { readonly addPage: (draft: Draft) => void; readonly finish: () => Assembled }
type Draft = { readonly page: Page; readonly lines: readonly DraftLine[] }

export function writeText(): TextWriter {
  const writer: Writer = { text: '', words: [], lines: [], tables: 0 }
  const pages: Assembled['pages'][number][] = []
  return {
    addPage: ({ page, lines }) => {
      if (pages.length > 0) writer.text += '\f'
      const start = writer.text.length
      const heights = lines.map(inkHeight)
      const usualHeight = median(heights)
      const firstTable = writer.tables
      lines.forEach((line, place) => {
        if (place > 0) writer.text += '\n'
        const relativeHeight = usualHeight === 0 ? 1 : (heights[place] ?? usualHeight) / usualHeight
        writeLine(writer, { page: page.number, line, relativeHeight, firstTable })
      })
      pages.push({ number: page.number, start, length: writer.text.length - start })
    },
    finish: () => ({ text: writer.text, pages, words: writer.words, lines: writer.lines }),
  }
}

type Writer = { text: string; words: MappedWord[]; lines: AssembledLine[]; tables: number }
type Place = { page: number; line: DraftLine; relativeHeight: number; firstTable: number }

function writeLine(writer: Writer, { page, line, relativeHeight, firstTable }: Place): void {
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
    box: hullOf(words.map(({ box }) => box)),
    cells,
    words: Array.from({ length: writer.words.length - firstWord }, (_, index) => firstWord + index),
    table,
    isBold: words.length > 0 && words.every(({ isBold }) => isBold === true),
    relativeHeight,
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
      ...(word.isStruck === true ? { isStruck: true } : {}),
    })
    writer.text += text
  })
  const box = hullOf(cell.words.map(({ word }) => word.box))
  return { start, length: writer.text.length - start, column: cell.column, box }
}

function inkHeight(line: DraftLine): number {
  return median(line.cells.flatMap((cell) => cell.words.map(({ top, bottom }) => bottom - top)))
}

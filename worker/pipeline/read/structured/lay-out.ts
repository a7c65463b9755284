/**
 * Lays a flow out on A4 pages in a typewriter face, so that words have places like those of any other page. The places
 * are made up, but the same file always gets the same ones, and rows and columns keep their shape.
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import type { FlowBlock, FlowRun } from './flow.ts'

const grid = { left: 40, top: 48, advance: 5, lineHeight: 14, ink: 7.5, rows: 53, heightPt: 842 }
/** A4 upright, or as wide as the widest table needs: cells that wrap are harder to read, and no paper is wasted. */
const columnRange = { least: 103, most: 260 }
/** Between columns of a table, in characters: more than any gap that could be a space. */
const columnGap = 4

type PlacedWord = { readonly text: string; readonly isBold: boolean; readonly column: number }
type GridLine = readonly PlacedWord[]

export type LaidOut = {
  readonly widthPt: number
  readonly heightPt: number
  /** Words page by page; there is at least one page. */
  readonly pages: readonly (readonly Word[])[]
}

export function layOut(blocks: readonly FlowBlock[]): LaidOut {
  const columns = Math.min(Math.max(columnRange.least, ...blocks.map(wantedColumns)), columnRange.most)
  const widthPt = 2 * grid.left + columns * grid.advance
  const pages: GridLine[][] = [[]]
  for (const block of blocks) {
    if (block.kind === 'page break') {
      if (pages.at(-1)?.length !== 0) pages.push([])
      continue
    }
    for (const line of linesOf(block, columns)) {
      if ((pages.at(-1)?.length ?? 0) >= grid.rows) pages.push([])
      pages.at(-1)?.push(line)
    }
  }
  return {
    widthPt,
    heightPt: grid.heightPt,
    pages: pages.map((lines) => lines.flatMap((line, row) => line.map((word) => wordAt(word, row, widthPt)))),
  }
}

function wantedColumns(block: FlowBlock): number {
  if (block.kind !== 'table') return 0
  const widths = naturalWidths(block.rows.map((row) => row.map((runs) => wordsOf(runs))))
  return widths.reduce((sum, width) => sum + width + columnGap, -columnGap)
}

function wordAt({ text, isBold, column }: PlacedWord, row: number, widthPt: number): Word {
  const left = grid.left + column * grid.advance
  const top = grid.top + row * grid.lineHeight
  const box: Box = [
    left / widthPt,
    top / grid.heightPt,
    Math.min(left + text.length * grid.advance, widthPt) / widthPt,
    (top + grid.ink) / grid.heightPt,
  ]
  return { text, confidence01: 1, box, line: row, block: 0, isBold }
}

function linesOf(block: Exclude<FlowBlock, { kind: 'page break' }>, columns: number): GridLine[] {
  if (block.kind === 'preformatted') return preformatted(block.text, columns)
  if (block.kind === 'table') return tableLines(block.rows, columns)
  return wrap(wordsOf(block.runs), { left: 0, width: columns })
}

type RunWord = { readonly text: string; readonly isBold: boolean; readonly isGlued: boolean }

/** Runs split words anywhere ("metfor" + "min" with another style): only white space parts them. */
function wordsOf(runs: readonly FlowRun[]): RunWord[][] {
  const lines: RunWord[][] = [[]]
  let isGlued = false
  for (const { text, isBold } of runs) {
    for (const [part] of text.matchAll(/\n|[^\S\n]+|\S+/g)) {
      if (part === '\n') lines.push([])
      if (part.trim() === '') isGlued = false
      else {
        lines.at(-1)?.push({ text: part, isBold, isGlued })
        isGlued = true
      }
    }
  }
  return lines.map(joinGlued)
}

function joinGlued(words: readonly RunWord[]): RunWord[] {
  const joined: RunWord[] = []
  for (const word of words) {
    const last = joined.at(-1)
    if (word.isGlued && last !== undefined) joined.splice(-1, 1, { ...last, text: last.text + word.text })
    else joined.push(word)
  }
  return joined.flatMap(breakLong)
}

const longestWord = 90

function breakLong(word: RunWord): RunWord[] {
  const parts = word.text.match(new RegExp(`.{1,${longestWord}}`, 'gu')) ?? []
  return parts.map((text) => ({ ...word, text }))
}

function wrap(lines: readonly (readonly RunWord[])[], space: { left: number; width: number }): GridLine[] {
  return lines.flatMap((words) => {
    const wrapped: PlacedWord[][] = [[]]
    let column = space.left
    for (const { text, isBold } of words) {
      if (column > space.left && column + text.length > space.left + space.width) {
        wrapped.push([])
        column = space.left
      }
      wrapped.at(-1)?.push({ text, isBold, column })
      column += text.length + 1
    }
    return wrapped
  })
}

function preformatted(text: string, columns: number): GridLine[] {
  const line = expandTabs(text)
  if (line.length <= columns) {
    return [[...line.matchAll(/\S+/g)].map((match) => ({ text: match[0], isBold: false, column: match.index }))]
  }
  const indent = Math.min(/^ */.exec(line)?.[0].length ?? 0, columns / 2)
  return wrap(wordsOf([{ text: line, isBold: false }]), { left: indent, width: columns - indent })
}

function expandTabs(text: string): string {
  return text.replaceAll(/[^\t]*\t/g, (part) => part.slice(0, -1).padEnd(Math.ceil(part.length / 8) * 8))
}

function tableLines(rows: readonly (readonly (readonly FlowRun[])[])[], columns: number): GridLine[] {
  const cells = rows.map((row) => row.map((runs) => wordsOf(runs)))
  const widths = columnWidths(cells, columns)
  return cells.flatMap((row) => {
    let left = 0
    const placed = row.map((lines, index) => {
      const width = widths[index] ?? 10
      const wrapped = wrap(lines, { left, width })
      left += width + columnGap
      return wrapped
    })
    const height = Math.max(1, ...placed.map((lines) => lines.length))
    return Array.from({ length: height }, (_, line) => placed.flatMap((lines) => lines[line] ?? []))
  })
}

type CellWords = readonly (readonly RunWord[])[]

/** As wide as the widest cell, unless the page is too narrow: then the wide ones give way first. */
function columnWidths(rows: readonly (readonly CellWords[])[], columns: number): number[] {
  const wanted = naturalWidths(rows)
  const room = columns - columnGap * (wanted.length - 1)
  let limit = Math.max(...wanted, 1)
  const taken = (): number => wanted.reduce((sum, width) => sum + Math.min(width, limit), 0)
  while (limit > 6 && taken() > room) limit--
  return wanted.map((width) => Math.min(width, limit))
}

function naturalWidths(rows: readonly (readonly CellWords[])[]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  return Array.from({ length: count }, (_, column) => Math.max(3, ...rows.map((row) => cellWidth(row[column]))))
}

function cellWidth(lines: CellWords | undefined): number {
  return Math.max(0, ...(lines ?? []).map((words) => words.reduce((sum, { text }) => sum + text.length + 1, -1)))
}

/**
 * Runs of columns → lines in reading order. A table keeps its rows; blocks side by side (letterheads, two columns of
 * prose, grids of labels) are read one after the other, or nonsense would stand on a line.
 */
import type { Band, Segment } from './bands.ts'
import { extent, segmentOf, textOf } from './bands.ts'
import { blocksIn } from './blocks.ts'
import type { ColumnRun, Gutter, RunOrBand } from './column-runs.ts'
import { panelsIn } from './panels.ts'
import { cellTexts, shapeOf, type Shape } from './shapes.ts'
import type { PlacedWord } from './placed-words.ts'
import { isHeaderCell, looksLikeHeader } from './table-headers.ts'
import { joinWrapped, type Row } from './wrapped-rows.ts'

export type DraftCell = Segment & { readonly column: number | null }

export type DraftLine = {
  readonly cells: readonly DraftCell[]
  readonly top: number
  readonly bottom: number
  /** Counts the tables of the page. */
  readonly table: number | null
}

export function draftLines(parts: readonly RunOrBand[]): DraftLine[] {
  let tables = 0
  const lines: DraftLine[] = []
  for (const part of parts) {
    if (part.kind === 'band') {
      lines.push(looseLine(part.band))
      continue
    }
    const { run } = part
    const shape = shapeOf(rowsOf(run))
    if (shape !== 'table') {
      lines.push(...sideBySide(run, shape))
      continue
    }
    const gutters = [...run.gutters, ...run.narrow].toSorted((a, b) => a.left - b.left)
    const headed = withHeadAbove(lines, joinWrapped(rowsOf({ ...run, gutters })))
    lines.splice(lines.length - headed.taken, headed.taken)
    lines.push(...panelsIn(headed.rows).flatMap((panel) => tableLines(panel, tables++)))
    lines.push(...run.tail.map(looseLine))
  }
  return lines
}

function sideBySide(run: ColumnRun, shape: Exclude<Shape, 'table'>): DraftLine[] {
  if (shape === 'boxes to tick') return [...rowsOf(run).flatMap(singleCells), ...run.tail.map(looseLine)]
  return blocksIn(run).flatMap((block) => {
    if (block.kind === 'band') return [looseLine(block.band)]
    const inside = rowsOf(block.run)
    return shape === 'label grid' ? gridLines(inside) : blockLines(inside)
  })
}

/** "Reference" over "interval": the first line of a heading that is set over two, found apart from its table. */
function withHeadAbove(lines: readonly DraftLine[], rows: readonly Row[]): { rows: readonly Row[]; taken: number } {
  const [header] = rows
  const above = lines.at(-1)
  if (header === undefined || above === undefined || above.table !== null) return { rows, taken: 0 }
  if (!looksLikeHeader(cellTexts(header)) || !above.cells.every((cell) => isHeaderCell(textOf(cell))))
    return { rows, taken: 0 }
  const { top, bottom } = extent(header.filter((cell) => cell !== null))
  if (top - above.bottom > 0.9 * (bottom - top)) return { rows, taken: 0 }
  const places = above.cells.map((cell) =>
    header.findIndex((below) => below !== null && below.left < cell.right && cell.left < below.right),
  )
  // What stands over the first column alone is the title of the table.
  const isTitle = places.length === 1 && places[0] === 0
  if (isTitle || places.includes(-1) || new Set(places).size < places.length) return { rows, taken: 0 }
  const joined = header.map((cell, column) => {
    const added = above.cells[places.indexOf(column)]
    return cell === null || added === undefined ? cell : segmentOf([...added.words, ...cell.words])
  })
  return { rows: [joined, ...rows.slice(1)], taken: 1 }
}

function looseLine(band: Band): DraftLine {
  return {
    cells: band.segments.map((segment) => ({ ...segment, column: null })),
    ...extent(band.segments),
    table: null,
  }
}

function rowsOf({ bands, gutters }: ColumnRun): Row[] {
  return bands.map((band) => {
    const columns = Array.from({ length: gutters.length + 1 }, (): PlacedWord[] => [])
    const split = looksLikeHeader(band.segments.map(textOf)) ? splitHeader : splitAtGutters
    for (const piece of band.segments.flatMap((segment) => split(segment.words, gutters))) {
      columns[columnOf(piece, gutters)]?.push(...piece)
    }
    return columns.map((words) => (words.length === 0 ? null : segmentOf(words)))
  })
}

/** Neighbours belong together unless a whole stripe lies between them. */
function splitAtGutters(words: readonly PlacedWord[], gutters: readonly Gutter[]): PlacedWord[][] {
  const pieces: PlacedWord[][] = []
  for (const word of words) {
    const piece = pieces.at(-1)
    const before = piece?.at(-1)
    const slack = 0.3 * (word.bottom - word.top)
    const isSplit = gutters.some(
      ({ left, right }) => before !== undefined && before.right <= left + slack && word.left >= right - slack,
    )
    if (piece === undefined || isSplit) pieces.push([word])
    else piece.push(word)
  }
  return pieces
}

/** Headings are often wider than what they head: a word begins a cell where it begins over the next column. */
function splitHeader(words: readonly PlacedWord[], gutters: readonly Gutter[]): PlacedWord[][] {
  return splitAtGutters(words, gutters).flatMap((piece) => {
    const parts: PlacedWord[][] = []
    for (const word of piece) {
      const part = parts.at(-1)
      const before = part?.at(-1)
      const isNext = gutters.some(
        ({ left, right }) =>
          before !== undefined && before.left < left && word.left >= right - 0.4 * (word.bottom - word.top),
      )
      if (part === undefined || (isNext && isHeaderCell(word.word.text))) parts.push([word])
      else part.push(word)
    }
    return parts
  })
}

// Where most of its words' width is: a long name may run into the next column.
function columnOf(piece: readonly PlacedWord[], gutters: readonly Gutter[]): number {
  const widths = new Map<number, number>()
  for (const word of piece) {
    const middle = (word.left + word.right) / 2
    const column = gutters.filter((gutter) => (gutter.left + gutter.right) / 2 < middle).length
    widths.set(column, (widths.get(column) ?? 0) + word.right - word.left)
  }
  return [...widths].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 0
}

function tableLines(rows: readonly Row[], table: number): DraftLine[] {
  return rows.map((row) => {
    const cells = row.flatMap((cell, column) => (cell === null ? [] : [{ ...cell, column }]))
    return { cells, ...extent(cells), table }
  })
}

/** Row by row, each label with its value on a line of its own; a value that goes on below stays with its label. */
function gridLines(rows: readonly Row[]): DraftLine[] {
  const pairs = Array.from({ length: (rows[0]?.length ?? 0) / 2 }, (_, pair) => pair * 2)
  const items = pairs.flatMap((column) => {
    const found: { row: number; column: number; lines: DraftLine[] }[] = []
    rows.forEach((row, place) => {
      const [label, value] = [row[column] ?? null, row[column + 1] ?? null]
      const lines = lineOf([label, value].filter((cell) => cell !== null))
      const above = found.at(-1)
      if (label === null && above !== undefined) above.lines.push(...lines)
      else if (lines.length > 0) found.push({ row: place, column, lines })
    })
    return found
  })
  return items.toSorted((a, b) => a.row - b.row || a.column - b.column).flatMap(({ lines }) => lines)
}

function blockLines(rows: readonly Row[]): DraftLine[] {
  const width = Math.max(...rows.map((row) => row.length))
  return Array.from({ length: width }, (_, column) => column).flatMap((column) =>
    rows.flatMap((row) => lineOf([row[column] ?? null].filter((cell) => cell !== null))),
  )
}

function singleCells(row: Row): DraftLine[] {
  return row.flatMap((cell) => lineOf(cell === null ? [] : [cell]))
}

function lineOf(segments: readonly Segment[]): DraftLine[] {
  if (segments.length === 0) return []
  return [{ cells: segments.map((segment) => ({ ...segment, column: null })), ...extent(segments), table: null }]
}

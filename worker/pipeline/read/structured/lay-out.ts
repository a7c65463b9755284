/**
 * Lays a flow out on A4 pages in a typewriter face, so that words have places like those of any other page. The places
 * are made up, but the same file always gets the same ones, and rows and columns keep their shape.
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import type { PageStructure } from '../../../../clinical/document/structured-entry.ts'
import type { Flow, FlowBlock, FlowRun } from './flow.ts'
import { structureOf } from './page-structure.ts'
import { columnedWidth, naturalWidth, preformatted, tableRows, wordsOf, wrap } from './set-words.ts'
import type { GridLine, LineGroup, SetWord } from './set-words.ts'

const grid = { left: 40, top: 48, advance: 5, lineHeight: 14, ink: 7.5, rows: 53, heightPt: 842 }
/** A4 upright, or as wide as the widest table needs: cells that wrap are harder to read, and no paper is wasted. */
const columnRange = { least: 103, most: 260 }

export type LaidOut = {
  readonly widthPt: number
  readonly heightPt: number
  /** There is at least one page. */
  readonly pages: readonly { readonly words: readonly Word[]; readonly structure: PageStructure | null }[]
}

export function layOut(flow: Flow): LaidOut {
  const wanted = flow.blocks.reduce((most, block) => Math.max(most, wantedColumns(block)), columnRange.least)
  const columns = Math.min(wanted, columnRange.most)
  const widthPt = 2 * grid.left + columns * grid.advance
  const pages: SetPage[] = [[]]
  for (const block of flow.blocks) {
    if (block.kind === 'page break') {
      if (pages.at(-1)?.length !== 0) pages.push([])
    } else if (block.kind === 'table') setTable(pages, block.rows, columns)
    else for (const line of linesOf(block, columns)) setGroup(pages, [line])
  }
  return {
    widthPt,
    heightPt: grid.heightPt,
    pages: pages.map((lines) => ({
      words: lines.flatMap((line, row) => line.map((word) => wordAt(word, row, widthPt))),
      structure: structureOf(flow.entries, lines.flat()),
    })),
  }
}

type SetPage = GridLine[]

/** Starts a page where the lines do not fit; true if it did. */
function setGroup(pages: SetPage[], lines: LineGroup, before: LineGroup = []): void {
  const used = pages.at(-1)?.length ?? 0
  const isTooMuch = used > 0 && used + lines.length > grid.rows && lines.length <= grid.rows / 2
  if (isTooMuch || used >= grid.rows) pages.push([...before])
  for (const line of lines) {
    if ((pages.at(-1)?.length ?? 0) >= grid.rows) pages.push([])
    pages.at(-1)?.push(line)
  }
}

/** The header of a table is said again at the top of each page that the table goes on. */
function setTable(pages: SetPage[], rows: readonly (readonly (readonly FlowRun[])[])[], columns: number): void {
  const [first, ...others] = tableRows(rows, columns)
  if (first === undefined) return
  const isHeader = (rows[0] ?? []).every((runs) => runs.every(({ isBold }) => isBold)) && first.length < 4
  // A header alone at the foot of a page has lost its table.
  const used = pages.at(-1)?.length ?? 0
  if (others.length > 0 && used > 0 && used + first.length + 1 > grid.rows) pages.push([])
  setGroup(pages, first)
  for (const group of others) setGroup(pages, group, isHeader ? first : [])
}

function wantedColumns(block: FlowBlock): number {
  if (block.kind === 'preformatted') return columnedWidth(block.text)
  return block.kind === 'table' ? naturalWidth(block.rows) : 0
}

function wordAt({ text, isBold, isStruck, column }: SetWord, row: number, widthPt: number): Word {
  const left = grid.left + column * grid.advance
  const top = grid.top + row * grid.lineHeight
  const box: Box = [
    Math.min(left, widthPt - 1) / widthPt,
    top / grid.heightPt,
    Math.min(left + text.length * grid.advance, widthPt) / widthPt,
    (top + grid.ink) / grid.heightPt,
  ]
  return { text, confidence01: 1, box, line: row, block: 0, isBold, ...(isStruck === true ? { isStruck } : {}) }
}

function linesOf(block: Extract<FlowBlock, { kind: 'paragraph' | 'preformatted' }>, columns: number): GridLine[] {
  if (block.kind === 'preformatted') return preformatted(block.text, columns)
  const left = Math.min(block.indent ?? 0, 40)
  return wrap(wordsOf(block.runs), { left, width: columns - left })
}

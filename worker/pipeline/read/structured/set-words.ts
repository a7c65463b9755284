/** Runs of a flow → words with their place in a grid of characters. */
import type { FlowCell, FlowRun } from './flow.ts'

export type SetWord = {
  readonly text: string
  readonly isBold: boolean
  readonly isStruck?: boolean
  readonly data: FlowRun['data']
  /** In characters from the left margin. */
  readonly column: number
}
export type GridLine = readonly SetWord[]
/** Lines that stay together on a page where they can. */
export type LineGroup = readonly GridLine[]

/** Between columns of a table, in characters: more than any gap that could be a space. */
export const columnGap = 4

type RunWord = Omit<SetWord, 'column'> & {
  readonly isGlued: boolean
  /** Behind a tab. */
  readonly isApart?: boolean
}

/** Runs split words anywhere ("metfor" + "min" with another style): only white space parts them. */
export function wordsOf(runs: readonly FlowRun[]): RunWord[][] {
  const lines: RunWord[][] = [[]]
  let isGlued = false
  let isApart = false
  for (const { text, isBold, isStruck = false, data } of runs) {
    for (const [part] of text.matchAll(/\n|[^\S\n]+|\S+/g)) {
      if (part === '\n') lines.push([])
      if (part.trim() === '') {
        isGlued = false
        isApart = part !== '\n' && (isApart || part.includes('\t'))
      } else {
        lines.at(-1)?.push({ text: part, isBold, isStruck, data, isGlued, isApart })
        isGlued = true
        isApart = false
      }
    }
  }
  return lines.map(joinGlued).map(nameStrikes)
}

function joinGlued(words: readonly RunWord[]): RunWord[] {
  const joined: RunWord[] = []
  for (const word of words) {
    const last = joined.at(-1)
    // What belongs to an entry or is struck out keeps its own words, so that they can be pointed at.
    if (word.isGlued && last !== undefined && last.data === word.data && last.isStruck === word.isStruck)
      joined.splice(-1, 1, { ...last, text: last.text + word.text })
    else joined.push(word)
  }
  return joined.flatMap(breakLong)
}

/** Our pages draw no line through words: it is told in words behind them, which are struck out with them. */
function nameStrikes(words: readonly RunWord[]): RunWord[] {
  return words.flatMap((word, index) => {
    if (word.isStruck !== true || words[index + 1]?.isStruck === true) return [word]
    const told = ['(struck', 'out)'].map((text) => ({
      text,
      isBold: false,
      isStruck: true,
      data: word.data,
      isGlued: false,
    }))
    return [word, ...told]
  })
}

const longestWord = 90

function breakLong(word: RunWord): RunWord[] {
  if (word.text.length <= longestWord) return [word]
  return (word.text.match(new RegExp(`.{1,${longestWord}}`, 'gu')) ?? []).map((text, index) => ({
    ...word,
    text,
    isGlued: index > 0 || word.isGlued,
  }))
}

export function wrap(lines: readonly (readonly RunWord[])[], space: { left: number; width: number }): GridLine[] {
  return lines.flatMap((words) => {
    const wrapped: SetWord[][] = [[]]
    let column = space.left
    for (const { isApart, text, ...look } of words) {
      if (isApart === true && column > space.left) column += columnGap - 1
      if (column > space.left && column + text.length > space.left + space.width) {
        wrapped.push([])
        column = space.left
      }
      wrapped.at(-1)?.push({ text, ...look, column })
      column += text.length + 1
    }
    return wrapped
  })
}

export function preformatted(text: string, columns: number): GridLine[] {
  const line = expandTabs(text)
  if (line.length <= columns) {
    const words = Array.from(line.matchAll(/\S+/g), ({ 0: word, index }) => ({
      text: word,
      isBold: false,
      data: undefined,
      column: index,
    }))
    return [words]
  }
  const indent = Math.min(/^ */.exec(line)?.[0].length ?? 0, Math.floor(columns / 2))
  return wrap(wordsOf([{ text: line, isBold: false }]), { left: indent, width: columns - indent })
}

function expandTabs(text: string): string {
  return text.replaceAll(/[^\t]*\t/g, (part) => part.slice(0, -1).padEnd(Math.ceil(part.length / 8) * 8))
}

/** The lines of a table, row by row. */
export function tableRows(rows: readonly (readonly FlowCell[])[], columns: number): LineGroup[] {
  const cells = rows.map((row) => row.map((runs) => wordsOf(runs)))
  const widths = columnWidths(cells, columns)
  return cells.map((row) => {
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

type CellWords = readonly (readonly { readonly text: string }[])[]

/** As wide as the widest cell, unless the page is too narrow: then the wide ones give way first. */
function columnWidths(rows: readonly (readonly CellWords[])[], columns: number): number[] {
  const wanted = naturalWidths(rows)
  const room = columns - columnGap * (wanted.length - 1)
  let limit = wanted.reduce((most, width) => Math.max(most, width), 1)
  const taken = (): number => wanted.reduce((sum, width) => sum + Math.min(width, limit), 0)
  while (limit > 6 && taken() > room) limit--
  return wanted.map((width) => Math.min(width, limit))
}

/** Of a line that sets columns with spaces or tabs; other lines may be wrapped. */
export function columnedWidth(text: string): number {
  const line = expandTabs(text).trimEnd()
  return /\S {2,}\S/.test(line) ? line.length : 0
}

export function naturalWidth(rows: readonly (readonly FlowCell[])[]): number {
  const widths = naturalWidths(rows.map((row) => row.map((runs) => wordsOf(runs))))
  return widths.reduce((sum, width) => sum + width + columnGap, -columnGap)
}

function naturalWidths(rows: readonly (readonly CellWords[])[]): number[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((lines, column) => {
      widths[column] = Math.max(3, widths[column] ?? 3, cellWidth(lines))
    })
  }
  return widths
}

function cellWidth(lines: CellWords): number {
  let widest = 0
  for (const words of lines)
    widest = Math.max(
      widest,
      words.reduce((sum, { text }) => sum + text.length + 1, -1),
    )
  return widest
}

import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green'
/** Colours where there is a terminal that wants them (NO_COLOR, FORCE_COLOR), plain text elsewhere. */
export const paint = (style: Style, words: string): string => styleText(style, words, { stream: process.stdout })

export type Cell = string | { readonly text: string; readonly style: Style }
export type Column = { readonly head: string; readonly align: 'left' | 'right' }

export const left = (head: string): Column => ({ head, align: 'left' })
export const right = (head: string): Column => ({ head, align: 'right' })

/** Aligned columns under their heads. Widths are those of the text, colours come after. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string[] {
  const heads = columns.map(({ head }): Cell => ({ text: head, style: 'bold' }))
  const widths = columns.map((_column, place) =>
    Math.max(...[heads, ...rows].map((row) => wordsOf(row[place] ?? '').length)),
  )
  return [heads, ...rows].map((row) =>
    row
      .map((cell, place) => {
        const isLast = place === columns.length - 1
        const words = padded(wordsOf(cell), widths[place] ?? 0, isLast ? 'left' : (columns[place]?.align ?? 'left'))
        const shown = isLast ? words.trimEnd() : words
        return typeof cell === 'string' ? shown : paint(cell.style, shown)
      })
      .join('  ')
      .trimEnd(),
  )
}

const wordsOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text)

const padded = (words: string, width: number, align: Column['align']): string =>
  align === 'left' ? words.padEnd(width) : words.padStart(width)

export const count = (number: number): string => number.toLocaleString('en')

/** How many of what: `1 dead letter`, `1,200 dead letters`. */
export const several = (number: number, one: string): string => `${count(number)} ${one}${number === 1 ? '' : 's'}`

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** An age as people say it: the largest unit, and the next one while it matters. */
export function age(seconds: number | null): string {
  if (seconds === null) return '–'
  if (seconds < 1) return 'now'
  const place = units.findIndex(([, size]) => seconds >= size)
  const [unit, size] = units[place] ?? ['s', 1]
  const whole = Math.floor(seconds / size)
  const next = units[place + 1]
  const rest = next === undefined ? 0 : Math.floor((seconds - whole * size) / next[1])
  return next === undefined || rest === 0 || whole >= 10 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next[0]}`
}

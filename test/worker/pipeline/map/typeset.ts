/** Pages set in a proportional face: text at points of a page, each word with the box of its ink. */
import type { Page, Word } from '../../../../clinical/document/page.ts'

export type Setting = {
  readonly x: number
  /** Baseline. */
  readonly y: number
  readonly text: string
  readonly size?: number
  readonly isBold?: boolean
  /** Where `x` is. */
  readonly align?: 'left' | 'right'
}

const [widthPt, heightPt] = [595, 842]

export function typeset(settings: readonly Setting[], changes: Partial<Page> = {}): Page {
  return {
    number: 1,
    widthPt,
    heightPt,
    rotation: 0,
    source: 'text_layer',
    engine: 'test',
    quality: { grade: 'good', reason: null },
    words: settings.flatMap(wordsOf),
    ...changes,
  }
}

function wordsOf({ x, y, text, size = 9, isBold = false, align = 'left' }: Setting, line: number): Word[] {
  let left = align === 'left' ? x : x - widthOf(text, size)
  return text.split(' ').flatMap((word): Word[] => {
    const width = widthOf(word, size)
    const [from, to] = [left, left + width]
    left = to + 0.28 * size
    if (word === '') return []
    const top = /[\p{Lu}\p{N}bdfhklt()%<>]/u.test(word) ? 0.72 : /\p{L}/u.test(word) ? 0.52 : 0.35
    const bottom = /[gjpqy(),;]/.test(word) ? 0.21 : /^[-–]$/.test(word) ? -0.28 : 0
    const box = [from / widthPt, (y - top * size) / heightPt, to / widthPt, (y + bottom * size) / heightPt] as const
    return [{ text: word, confidence01: 0.95, box, line, block: 0, isBold }]
  })
}

function widthOf(text: string, size: number): number {
  return Array.from(text).reduce((sum, letter) => sum + letterWidth(letter), 0) * size
}

function letterWidth(letter: string): number {
  if (/[ijl.,:;'|!tfI ()-]/.test(letter)) return 0.28
  if (/[mwMW%]/.test(letter)) return 0.83
  return /\p{Lu}/u.test(letter) ? 0.68 : 0.54
}

/** Rows of a table: one text per column at the columns' places. */
export function rowsAt(
  columns: readonly (number | { readonly right: number })[],
  from: number,
  rows: readonly (readonly string[])[],
  { pitch = 13, size = 9 }: { pitch?: number; size?: number } = {},
): Setting[] {
  return rows.flatMap((row, place) =>
    row.flatMap((text, column): Setting[] => {
      const at = columns[column]
      if (at === undefined || text === '') return []
      const y = from + place * pitch
      return typeof at === 'number' ? [{ x: at, y, text, size }] : [{ x: at.right, y, text, size, align: 'right' }]
    }),
  )
}

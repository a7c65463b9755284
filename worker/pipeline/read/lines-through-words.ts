/**
 * Lines through words, whether a program drew them or a scanner saw them. A line is a strike only if it was drawn for the
 * words: rules of tables and lines of charts that meet a word by chance go on far beyond it, or have others of their kind.
 */
import { firstNotBefore } from '../../../clinical/document/places.ts'

export type Stretch = { readonly from: number; readonly to: number }
/** What was drawn in one go; its ends along the words. */
export type Line = Stretch & { readonly object: number; readonly thickness: number }
/** A part of a line that is short against its slope. */
export type Piece = Stretch & { readonly line: Line; readonly down: number }

/** A word for whom it stands level; all in one unit of length. */
export type LevelWord = Stretch & {
  /** Where letters have their middle: between these a line strikes them out. */
  readonly top: number
  readonly bottom: number
  /** Of the font. */
  readonly size: number
}

export type Crossing<Word extends LevelWord> = Stretch & { readonly word: Word; readonly line: Line }

/** Above the baseline, in sizes of the font. */
export const middleOfLetters = { lowest: 0.15, highest: 0.55 }
/** Of a word's width: what is struck less is not struck out. */
export const mostOfWord = 0.6
/** In sizes of the font; what is thicker is a bar or a marker. */
const thickest = 0.25

export function linesThrough<Word extends LevelWord>(
  words: readonly Word[],
  pieces: readonly Piece[],
): Crossing<Word>[] {
  const fromTop = pieces.toSorted((a, b) => a.down - b.down)
  const crossings = words.flatMap((word) =>
    between(fromTop, word.top, word.bottom).flatMap(({ from, to, line }): Crossing<Word>[] => {
      const [left, right] = [Math.max(from, word.from), Math.min(to, word.to)]
      return right > left && line.thickness <= thickest * word.size ? [{ word, line, from: left, to: right }] : []
    }),
  )
  return plausible(crossings, pieces)
}

/** How much of a word some stretches cover. */
export function coveredShare(word: Stretch, stretches: readonly Stretch[]): number {
  const inside = stretches.map(({ from, to }) => ({ from: Math.max(from, word.from), to: Math.min(to, word.to) }))
  return lengthOf(joinStretches(inside.filter(({ from, to }) => to > from))) / Math.max(word.to - word.from, 1e-6)
}

function between(fromTop: readonly Piece[], top: number, bottom: number): Piece[] {
  const first = firstNotBefore(fromTop, ({ down }) => down < top)
  const behind = firstNotBefore(fromTop, ({ down }) => down <= bottom)
  return fromTop.slice(first, behind)
}

/** Of a line's length that words lie on, with the spaces between them. */
const leastOnWords = 0.5
/** In sizes of the font: how far a pen goes beyond the words, and how wide a space between them is. */
const widestOverhang = 2
const widestSpace = 1.2
/** Of the same ends that go through no word: the rules of a table, the lines of ruled paper or of a chart. */
const fewestOfFamily = 2

function plausible<Word extends LevelWord>(crossings: readonly Crossing<Word>[], pieces: readonly Piece[]) {
  if (crossings.length === 0) return []
  const byLine = Map.groupBy(crossings, ({ line }) => line)
  const families = new Map<string, number>()
  for (const line of new Set(pieces.map((piece) => piece.line))) {
    if (!byLine.has(line)) families.set(endsOf(line), (families.get(endsOf(line)) ?? 0) + 1)
  }
  return [...byLine].flatMap(([line, ofLine]) => {
    const isRule = (families.get(endsOf(line)) ?? 0) >= fewestOfFamily
    return isRule || !isDrawnForWords(line, ofLine) ? [] : ofLine
  })
}

const endsOf = ({ from, to }: Line): string => `${Math.round(from)} ${Math.round(to)}`

function isDrawnForWords(line: Line, crossings: readonly Crossing<LevelWord>[]): boolean {
  const size = Math.max(...crossings.map(({ word }) => word.size))
  const joined = joinStretches(crossings, widestSpace * size)
  const [first, last] = [joined[0], joined.at(-1)]
  if (first === undefined || last === undefined) return false
  const overhang = Math.max(first.from - line.from, line.to - last.to)
  return overhang <= widestOverhang * size || lengthOf(joined) >= leastOnWords * (line.to - line.from)
}

function joinStretches(stretches: readonly Stretch[], widestGap = 0): Stretch[] {
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last !== undefined && from <= last.to + widestGap) last.to = Math.max(last.to, to)
    else joined.push({ from, to })
  }
  return joined
}

function lengthOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** Which words that were read off a picture are struck out by a line. */
import type { OcrWord } from '../../providers/ocr/provider.ts'
import { baselineOf, capitalHeight } from '../type-boxes.ts'
import { coveredShare, linesThrough } from './lines-through-words.ts'
import type { LevelWord, Piece, Stretch } from './lines-through-words.ts'

/** In heights of a capital above the baseline: feet and shoulders of letters lie outside, and look like lines in some faces. */
const middle = { lowest: 0.2, highest: 0.62 }
const capitalsOfSize = 0.72
/** Of a word's width; a picture has more that looks like a line than a drawing has. */
const mostOfWord = 0.75
/** In sizes of the font. Bars of letters that touch end with their word; a pen goes on beyond it, or to the next. */
const leastOverhang = 0.15

type Levelled = LevelWord & { readonly word: OcrWord }

/** Words and lines in pixels of the same picture. */
export function struckAmong(words: readonly OcrWord[], lines: readonly Piece[]): ReadonlySet<OcrWord> {
  if (lines.length === 0) return new Set()
  const crossings = linesThrough(words.flatMap(levelled), lines)
  const drawn = [...Map.groupBy(crossings, ({ line }) => line)].flatMap(([line, each]) => {
    const byWord = Map.groupBy(each, ({ word }) => word)
    const through = [...byWord].filter(([word, parts]) => coveredShare(word, parts) >= mostOfWord).map(([word]) => word)
    return through.length > 1 || through.some((word) => overhang(word, line) >= leastOverhang * word.size)
      ? through
      : []
  })
  return new Set(drawn.map(({ word }) => word))
}

function overhang(word: Stretch, line: Stretch): number {
  return Math.max(word.from - line.from, line.to - word.to)
}

function levelled(word: OcrWord): Levelled[] {
  const height = capitalHeight(word, 0)
  if (height === null) return []
  const baseline = baselineOf(word, 0, height)
  const [from, , to] = word.box
  const [top, bottom] = [baseline - middle.highest * height, baseline - middle.lowest * height]
  return [{ word, from, to, top, bottom, size: height / capitalsOfSize }]
}

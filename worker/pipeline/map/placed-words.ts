/**
 * Words in points on a page whose lines run level. Boxes stay as the reader gave them; only the copies here move.
 * Scans keep their skew in the boxes (they must lie on the picture), so lines are found after levelling.
 */
import type { Page, Word } from '../../../clinical/document/page.ts'

export type PlacedWord = {
  readonly word: Word
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export function placeWords(page: Page): PlacedWord[] {
  const words = page.words.filter((word) => word.text.trim() !== '').map((word) => place(page, word))
  if (page.source === 'text_layer' || page.source === 'structured') return words
  const slopeAt = fitSlopes(words)
  const middle = page.widthPt / 2
  return words.map((word) => {
    const shift = slopeAt(centreY(word)) * (centreX(word) - middle)
    return { ...word, top: word.top - shift, bottom: word.bottom - shift }
  })
}

function place(page: Page, word: Word): PlacedWord {
  const [x0, y0, x1, y1] = word.box
  return {
    word,
    left: x0 * page.widthPt,
    right: x1 * page.widthPt,
    top: y0 * page.heightPt,
    bottom: y1 * page.heightPt,
  }
}

export const centreX = (word: PlacedWord): number => (word.left + word.right) / 2
export const centreY = (word: PlacedWord): number => (word.top + word.bottom) / 2

type LineSlope = { readonly y: number; readonly slope: number; readonly weight: number }

/** The slope of lines by height on the page: photos taken at an angle fan out. */
function fitSlopes(words: readonly PlacedWord[]): (y: number) => number {
  const slopes = lineSlopes(words)
  if (slopes.length === 0) return () => 0
  const overall = weightedMedian(slopes)
  if (slopes.length < 8) return () => overall
  const half = slopes.toSorted((a, b) => a.y - b.y)
  const upper = half.slice(0, half.length / 2)
  const lower = half.slice(half.length / 2)
  const [topSlope, bottomSlope] = [weightedMedian(upper), weightedMedian(lower)]
  const [topY, bottomY] = [meanY(upper), meanY(lower)]
  if (bottomY - topY < 50) return () => overall
  return (y) => topSlope + ((bottomSlope - topSlope) * (y - topY)) / (bottomY - topY)
}

function lineSlopes(words: readonly PlacedWord[]): LineSlope[] {
  const lines = Map.groupBy(words, ({ word }) => `${word.block}/${word.line}`)
  return [...lines.values()].flatMap((line) => {
    const first = line[0]
    const last = line.at(-1)
    if (line.length < 3 || first === undefined || last === undefined) return []
    const run = centreX(last) - centreX(first)
    if (run < 60) return []
    return [{ y: (centreY(first) + centreY(last)) / 2, slope: leastSquares(line), weight: run }]
  })
}

function leastSquares(line: readonly PlacedWord[]): number {
  const meanX = line.reduce((sum, word) => sum + centreX(word), 0) / line.length
  // Bottoms wander less than centres: descenders are rarer than the mix of tall and short letters.
  const meanBottom = line.reduce((sum, word) => sum + word.bottom, 0) / line.length
  const above = line.reduce((sum, word) => sum + (centreX(word) - meanX) * (word.bottom - meanBottom), 0)
  const below = line.reduce((sum, word) => sum + (centreX(word) - meanX) ** 2, 0)
  return below === 0 ? 0 : above / below
}

function weightedMedian(slopes: readonly LineSlope[]): number {
  const sorted = slopes.toSorted((a, b) => a.slope - b.slope)
  const half = sorted.reduce((sum, { weight }) => sum + weight, 0) / 2
  let sum = 0
  for (const { slope, weight } of sorted) {
    sum += weight
    if (sum >= half) return slope
  }
  return 0
}

function meanY(slopes: readonly LineSlope[]): number {
  return slopes.reduce((sum, { y }) => sum + y, 0) / Math.max(slopes.length, 1)
}

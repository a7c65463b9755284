/**
 * Which way lines of text run, from the gaps between strokes: the stems of letters stand close together along a line,
 * while across it there are the insides of letters and then the space between lines. Columns of a table, whose cells
 * begin exactly below each other, do not change that, as they do the sums of ink by row and by column.
 */
import type { GreyImage } from './grey-image.ts'

/** Pixels of a page that is about a thousand high. */
const widestGap = 4
const fewestGaps = 300
/** Along lines there are two to four and a half times as many narrow gaps as across them. */
const clearly = 1.6

/** `unclear`: hardly any print, or print of another kind than lines of letters. */
export function textDirection({ width, height }: GreyImage, isInk: Uint8Array): 'level' | 'sideways' | 'unclear' {
  const lastInColumn = new Int32Array(width).fill(-height)
  let [across, down] = [0, 0]
  for (let y = 0; y < height; y++) {
    const row = y * width
    let lastInRow = -width
    for (let x = 0; x < width; x++) {
      if (isInk[row + x] !== 1) continue
      const gapLeft = x - lastInRow - 1
      const gapAbove = y - (lastInColumn[x] ?? 0) - 1
      if (gapLeft > 0 && gapLeft <= widestGap) across++
      if (gapAbove > 0 && gapAbove <= widestGap) down++
      lastInRow = x
      lastInColumn[x] = y
    }
  }
  if (across + down < fewestGaps) return 'unclear'
  if (across > clearly * down) return 'level'
  return down > clearly * across ? 'sideways' : 'unclear'
}

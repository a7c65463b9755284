/**
 * Blocks of text side by side: where they begin and end. Unlike a table they may be of different lengths, a line may
 * stand across all of them, and a gap across all of them ends the lot.
 */
import type { Band, Segment } from './bands.ts'
import { median } from './bands.ts'
import type { ColumnRun, Gutter, RunOrBand } from './column-runs.ts'

type Stripe = Pick<Gutter, 'left' | 'right'>

export function blocksIn(run: ColumnRun): RunOrBand[] {
  const bands = [...run.bands, ...run.tail]
  const usualGap = median(gapsBelow(bands))
  const inkHeight = median(bands.map(({ top, bottom }) => bottom - top))
  const parts: Band[][] = []
  bands.forEach((band, place) => {
    const above = bands[place - 1]
    const isAcross = standsAcross(band, run.gutters)
    const goesOn =
      above !== undefined &&
      !isAcross &&
      !standsAcross(above, run.gutters) &&
      band.top - above.bottom <= usualGap + 0.6 * inkHeight
    if (goesOn) parts.at(-1)?.push(band)
    else parts.push([band])
  })
  return parts.flatMap((part) => blocksOrBands(part, run.gutters))
}

function blocksOrBands(bands: readonly Band[], gutters: readonly Gutter[]): RunOrBand[] {
  const hasColumns = bands.length > 1 && bands.some(({ segments }) => segments.length > 1)
  if (hasColumns) return [{ kind: 'run', run: { bands, gutters, narrow: [], tail: [] } }]
  return bands.map((band): RunOrBand => ({ kind: 'band', band }))
}

function gapsBelow(bands: readonly Band[]): number[] {
  return bands.slice(1).map((band, place) => band.top - (bands[place]?.bottom ?? band.top))
}

/** One of its segments runs over a gutter with no more than a space there. */
export function standsAcross(band: Band, gutters: readonly Stripe[]): boolean {
  return band.segments.some((segment) => gutters.some((gutter) => runsOver(segment, gutter)))
}

function runsOver({ words }: Segment, gutter: Stripe): boolean {
  const gaps = words.slice(1).map((word, place) => {
    const left = words[place]?.right ?? word.left
    return { left, right: word.left, width: word.left - left }
  })
  const usual = median(gaps.map(({ width }) => width))
  const middle = (gutter.left + gutter.right) / 2
  const starts = (words[0]?.left ?? middle) < middle
  const ends = (words.at(-1)?.right ?? middle) > middle
  return (
    starts && ends && !gaps.some(({ left, right, width }) => left <= middle && middle <= right && width > 1.6 * usual)
  )
}

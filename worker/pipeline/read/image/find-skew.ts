/**
 * Which way the lines of text run, from the ink alone: turned right, the rows of a page alternate between full and
 * empty, and the sum of the squared differences between neighbouring rows is greatest.
 */
import type { Bend } from './bend.ts'
import { findBend } from './find-bend.ts'
import type { Bowed, Ink } from './find-bend.ts'
import type { GreyImage } from './grey-image.ts'
import { parting, shrink } from './grey-image.ts'
import { textDirection } from './text-direction.ts'

export type Skew = {
  /** Lines run up and down: the picture needs a quarter turn before anything else. */
  readonly isSideways: boolean
  /** Degrees clockwise by which lines fall from left to right, after the quarter turn (clockwise) if there is one. */
  readonly degrees: number
  /** Null where straight lines fit as well. */
  readonly bend: Bend | null
  /** How much sharper the rows are drawn straight than on level lines. */
  readonly bendGain: number
}

const workingWidth = 900
const steepest = 7

/** A flat sheet is not asked how it bows where its lines are clear. */
export function findSkew(image: GreyImage, sheet: 'flat' | 'perhaps bowed' = 'perhaps bowed'): Skew {
  const small = shrink(image, Math.max(1, Math.round(Math.max(image.width, image.height) / workingWidth)))
  const isInk = inkWithoutRules(small)
  const seen = textDirection(small, isInk)
  if (seen !== 'unclear' && sheet === 'perhaps bowed') {
    const lines = linesOf(small, isInk, seen)
    return lines.ink.xs.length < fewestPoints ? unskewed : bowedSkew(lines)
  }
  const [level, sideways] = [linesOf(small, isInk, 'level'), linesOf(small, isInk, 'sideways')]
  if (level.ink.xs.length < fewestPoints) return unskewed
  const [better, worse] = level.score > sideways.score ? [level, sideways] : [sideways, level]
  const isClear = better.score > clearly * worse.score
  if (seen === 'unclear' && !isClear) return skewOfBetterBow(level, sideways)
  const lines = seen === 'unclear' ? better : seen === 'level' ? level : sideways
  return sheet === 'flat' && isClear ? skewOf(lines, unbowed) : bowedSkew(lines)
}

const fewestPoints = 200
const clearly = 3
const unbowed: Bowed = { bend: null, gain: 1, score: 0 }
const unskewed: Skew = { isSideways: false, degrees: 0, bend: null, bendGain: 1 }

type Direction = 'level' | 'sideways'

/** The ink seen as lines of one direction, turned level, and the angle that fits them best. */
type Lines = Angle & { readonly direction: Direction; readonly ink: Ink; readonly size: Size }
type Size = { readonly width: number; readonly height: number }

function linesOf(image: GreyImage, isInk: Uint8Array, direction: Direction): Lines {
  const { width, height } = image
  if (direction === 'level') {
    const ink = edgePoints(image, isInk, width)
    return { direction, ink, size: { width, height }, ...bestAngle(ink, height) }
  }
  const sides = edgePoints(image, isInk, 1)
  const ink = { xs: sides.ys.map((y) => height - y), ys: sides.xs }
  return { direction, ink, size: { width: height, height: width }, ...bestAngle(ink, width) }
}

// On a curled sheet no straight line fits; drawn straight, one way stands out.
function skewOfBetterBow(level: Lines, sideways: Lines): Skew {
  const bowedLevel = findBend(level.ink, level.size, level.degrees)
  const bowedSideways = findBend(sideways.ink, sideways.size, sideways.degrees)
  const isSideways = bowedSideways.score > bowedLevel.score * 1.25
  return isSideways ? skewOf(sideways, bowedSideways) : skewOf(level, bowedLevel)
}

function bowedSkew(lines: Lines): Skew {
  return skewOf(lines, findBend(lines.ink, lines.size, lines.degrees))
}

function skewOf({ direction, degrees }: Lines, { bend, gain }: Bowed): Skew {
  return { isSideways: direction === 'sideways', degrees, bend, bendGain: gain }
}

const mostPoints = 30_000
/** Longer than any stroke of a letter at this size. */
const shortestRule = 30

/** Rules of tables run both ways and say nothing about which way the text runs. */
function inkWithoutRules({ data, width, height }: GreyImage): Uint8Array {
  const threshold = Math.min(parting(data), 200)
  const isInk = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) isInk[at] = (data[at] ?? 255) < threshold ? 1 : 0
  const kept = isInk.slice()
  for (let y = 0; y < height; y++) {
    let start = 0
    for (let x = 0; x <= width; x++) {
      if (x < width && isInk[y * width + x] === 1) continue
      if (x - start >= shortestRule) kept.fill(0, y * width + start, y * width + x)
      start = x + 1
    }
  }
  // All columns at once: one after the other would miss the processor's cache at every pixel.
  const starts = new Int32Array(width)
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x < width; x++) {
      if (y < height && isInk[y * width + x] === 1) continue
      const start = starts[x] ?? 0
      if (y - start >= shortestRule) for (let row = start; row < y; row++) kept[row * width + x] = 0
      starts[x] = y + 1
    }
  }
  return kept
}

/** Ink with paper on one side of it, seen in the direction of `step`: tops and bottoms (or left and right ends) of letters. */
function edgePoints({ width }: GreyImage, isInk: Uint8Array, step: number): Ink {
  let count = 0
  const points = new Int32Array(isInk.length)
  for (let at = step; at + step < isInk.length; at++) {
    if (isInk[at] === 1 && (isInk[at - step] === 0 || isInk[at + step] === 0)) points[count++] = at
  }
  const stride = Math.max(1, Math.ceil(count / mostPoints))
  const xs = new Float32Array(Math.ceil(count / stride))
  const ys = new Float32Array(xs.length)
  for (let index = 0; index < xs.length; index++) {
    const at = points[index * stride] ?? 0
    xs[index] = at % width
    ys[index] = Math.floor(at / width)
  }
  return { xs, ys }
}

type Angle = { readonly degrees: number; readonly score: number }

function bestAngle(ink: Ink, height: number): Angle {
  const coarse = search(ink, height, { from: -steepest, to: steepest, step: 0.5 })
  const fine = search(ink, height, { from: coarse.degrees - 0.5, to: coarse.degrees + 0.5, step: 0.1 })
  return search(ink, height, { from: fine.degrees - 0.08, to: fine.degrees + 0.08, step: 0.02 })
}

function search(ink: Ink, height: number, range: { from: number; to: number; step: number }): Angle {
  let best: Angle = { degrees: 0, score: -1 }
  for (let degrees = range.from; degrees <= range.to + 1e-9; degrees += range.step) {
    const score = rowContrast(ink, height, degrees)
    if (score > best.score) best = { degrees, score }
  }
  return best
}

function rowContrast({ xs, ys }: Ink, height: number, degrees: number): number {
  const slope = Math.tan((degrees * Math.PI) / 180)
  const margin = 200
  const rows = new Int32Array(height + 2 * margin)
  for (let index = 0; index < xs.length; index++) {
    const row = Math.floor((ys[index] ?? 0) - (xs[index] ?? 0) * slope + margin + 0.5)
    if (row >= 0 && row < rows.length) rows[row] = (rows[row] ?? 0) + 1
  }
  let score = 0
  for (let row = 1; row < rows.length; row++) score += ((rows[row] ?? 0) - (rows[row - 1] ?? 0)) ** 2
  return score
}

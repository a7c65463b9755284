/**
 * Which way the lines of text run, from the ink alone: turned right, the rows of a page alternate between full and
 * empty, and the sum of the squared differences between neighbouring rows is greatest.
 */
import type { Bend } from './bend.ts'
import { findBend } from './find-bend.ts'
import type { Bowed, Ink } from './find-bend.ts'
import type { GreyImage } from './grey-image.ts'
import { parting, shrink } from './grey-image.ts'

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
  const ink = edgePoints(small, isInk, small.width)
  if (ink.xs.length < 200) return { isSideways: false, degrees: 0, bend: null, bendGain: 1 }
  const level = bestAngle(ink, small.height)
  const sides = edgePoints(small, isInk, 1)
  const turned = { xs: sides.ys.map((y) => small.height - y), ys: sides.xs }
  const turnedSize = { width: small.height, height: small.width }
  const upright = bestAngle(turned, small.width)
  const isClear = Math.max(level.score, upright.score) > clearly * Math.min(level.score, upright.score)
  if (isClear && sheet === 'flat') {
    return level.score > upright.score ? skewOf(level, unbowed, 'level') : skewOf(upright, unbowed, 'sideways')
  }
  if (isClear && level.score > upright.score) return skewOf(level, findBend(ink, small, level.degrees), 'level')
  const bowed = findBend(turned, turnedSize, upright.degrees)
  if (isClear) return skewOf(upright, bowed, 'sideways')
  // On a curled sheet no straight line fits; drawn straight, one way stands out.
  const bowedLevel = findBend(ink, small, level.degrees)
  const isSideways = bowed.score > bowedLevel.score * 1.25
  return isSideways ? skewOf(upright, bowed, 'sideways') : skewOf(level, bowedLevel, 'level')
}

const clearly = 3
const unbowed: Bowed = { bend: null, gain: 1, score: 0 }

function skewOf({ degrees }: Angle, { bend, gain }: Bowed, lines: 'level' | 'sideways'): Skew {
  return { isSideways: lines === 'sideways', degrees, bend, bendGain: gain }
}

const mostPoints = 30_000
/** Longer than any stroke of a letter at this size. */
const shortestRule = 30

/** Rules of tables run both ways and say nothing about which way the text runs. */
function inkWithoutRules(image: GreyImage): Uint8Array {
  const threshold = Math.min(parting(image.data), 200)
  const isInk = Uint8Array.from(image.data, (value) => (value < threshold ? 1 : 0))
  const kept = isInk.slice()
  for (let y = 0; y < image.height; y++) eraseRuns({ isInk, kept, from: y * image.width, step: 1, count: image.width })
  for (let x = 0; x < image.width; x++) eraseRuns({ isInk, kept, from: x, step: image.width, count: image.height })
  return kept
}

type Runs = { isInk: Uint8Array; kept: Uint8Array; from: number; step: number; count: number }

function eraseRuns({ isInk, kept, from, step, count }: Runs): void {
  let start = 0
  for (let index = 0; index <= count; index++) {
    if (index < count && isInk[from + index * step] === 1) continue
    if (index - start >= shortestRule) for (let at = start; at < index; at++) kept[from + at * step] = 0
    start = index + 1
  }
}

/** Ink with paper on one side of it, seen in the direction of `step`: tops and bottoms (or left and right ends) of letters. */
function edgePoints(image: GreyImage, isInk: Uint8Array, step: number): Ink {
  const points: number[] = []
  for (let at = step; at + step < isInk.length; at++) {
    if (isInk[at] === 1 && (isInk[at - step] === 0 || isInk[at + step] === 0)) points.push(at)
  }
  const stride = Math.max(1, Math.ceil(points.length / mostPoints))
  const kept = points.filter((_, index) => index % stride === 0)
  return {
    xs: Float32Array.from(kept, (at) => at % image.width),
    ys: Float32Array.from(kept, (at) => Math.floor(at / image.width)),
  }
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
  const rows = new Float64Array(height + 2 * margin)
  for (let index = 0; index < xs.length; index++) {
    const row = Math.round((ys[index] ?? 0) - (xs[index] ?? 0) * slope) + margin
    if (row >= 0 && row < rows.length) rows[row] = (rows[row] ?? 0) + 1
  }
  let score = 0
  for (let row = 1; row < rows.length; row++) score += ((rows[row] ?? 0) - (rows[row - 1] ?? 0)) ** 2
  return score
}

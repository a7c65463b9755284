/**
 * How the lines of a page bow, from the ends of strokes alone: drawn straight, the rows of the page alternate between
 * full and empty more sharply than in any other shape.
 */
import type { Bend } from './bend.ts'

export type Ink = { readonly xs: Float32Array; readonly ys: Float32Array }

type Size = { readonly width: number; readonly height: number }

/** A curl that is real sharpens the rows by much more; this much a straight page gains by chance. */
const leastGain = 1.1
const mostPoints = 24_000

export type Bowed = {
  /** Null where straight lines fit as well. */
  readonly bend: Bend | null
  /** How much sharper the rows are for it. */
  readonly gain: number
  /** How sharply rows alternate in the best shape; to be compared between two readings of the same ink. */
  readonly score: number
}

/** `degrees` is the best skew without any bow. */
export function findBend(ink: Ink, size: Size, degrees: number): Bowed {
  const points = spread(ink, size)
  const slope = Math.tan((degrees * Math.PI) / 180) / 2
  const plain = rowContrast(points, [slope, 0, 0, 0, 0, 0], 1)
  const best = refine(points, startOf(points, slope))
  const score = rowContrast(points, best, 1)
  if (score < leastGain * plain) return { bend: null, gain: 1, score: plain }
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = best
  return { bend: { even: [a, b, c, d], growing: [e, f] }, gain: score / plain, score }
}

type Points = { readonly us: Float32Array; readonly vs: Float32Array; readonly ys: Float32Array } & Size

function spread({ xs, ys }: Ink, { width, height }: Size): Points {
  const stride = Math.max(1, Math.ceil(xs.length / mostPoints))
  const kept = (values: Float32Array): Float32Array => values.filter((_, index) => index % stride === 0)
  const [x, y] = [kept(xs), kept(ys)]
  return {
    width,
    height,
    us: x.map((value) => (2 * value) / width - 1),
    vs: y.map((value) => (2 * value) / height - 1),
    ys: y,
  }
}

/** Steps in fractions of the width; bins in rows. Wide bins first: sharp ones have a summit for every line of text. */
function startOf(points: Points, slope: number): number[] {
  let best = { shape: [slope, 0, 0, 0, 0, 0], score: -1 }
  for (let tilt = -5; tilt <= 5; tilt++) {
    for (let bow = -6; bow <= 6; bow++) {
      const shape = [slope + tilt * 0.004, bow * 0.003, 0, 0, 0, 0]
      const score = rowContrast(points, shape, 4)
      if (score > best.score) best = { shape, score }
    }
  }
  return best.shape
}

const rounds = [
  { step: 0.004, bin: 4 },
  { step: 0.002, bin: 3 },
  { step: 0.001, bin: 2 },
  { step: 0.0005, bin: 1 },
  { step: 0.00025, bin: 1 },
]

function refine(points: Points, start: readonly number[]): number[] {
  const shape = [...start]
  for (const { step, bin } of rounds) {
    let score = rowContrast(points, shape, bin)
    for (let pass = 0; pass < 2; pass++) {
      for (let term = 0; term < shape.length; term++) score = climb(points, { shape, term, step, bin, score })
    }
  }
  return shape
}

type Climb = { shape: number[]; term: number; step: number; bin: number; score: number }

function climb(points: Points, { shape, term, step, bin, score }: Climb): number {
  let best = score
  for (const direction of [step, -step]) {
    for (let count = 0; count < 4; count++) {
      const before = shape[term] ?? 0
      shape[term] = before + direction
      const reached = rowContrast(points, shape, bin)
      if (reached <= best) {
        shape[term] = before
        break
      }
      best = reached
    }
  }
  return best
}

function rowContrast({ us, vs, ys, width, height }: Points, shape: readonly number[], bin: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = shape
  const margin = Math.ceil(0.12 * width)
  const rows = new Float64Array(Math.ceil((height + 2 * margin) / bin) + 1)
  for (let index = 0; index < us.length; index++) {
    const u = us[index] ?? 0
    const v = vs[index] ?? 0
    const lift = width * u * (a + e * v + u * (b + f * v + u * (c + u * d)))
    const row = ((ys[index] ?? 0) - lift + margin) / bin
    if (row >= 0 && row < rows.length) rows[row | 0] = (rows[row | 0] ?? 0) + 1
  }
  let score = 0
  for (let row = 1; row < rows.length; row++) score += ((rows[row] ?? 0) - (rows[row - 1] ?? 0)) ** 2
  return score
}

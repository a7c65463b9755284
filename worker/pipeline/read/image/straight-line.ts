export type EdgePoint = { readonly along: number; readonly depth: number }

/** depth = slope × along + offset */
export type StraightLine = { readonly slope: number; readonly offset: number }

const steepest = 0.35
const nearEnough = 1.6
const pairStride = 9

/**
 * The line that most points lie on, however far off the others are; null if fewer than `needed` do. All pairs of every
 * ninth point are tried: quick enough, and the same picture always gives the same line.
 */
export function fitLineThroughMost(points: readonly EdgePoint[], needed: number): StraightLine | null {
  let best: { line: StraightLine; count: number } | null = null
  const apart = (points.at(-1)?.along ?? 0) / 4
  for (let i = 0; i < points.length; i += pairStride) {
    for (let j = i + pairStride; j < points.length; j += pairStride) {
      const line = lineThrough(points[i], points[j], apart)
      if (line === null) continue
      const count = points.filter((point) => isOn(line, point)).length
      if (best === null || count > best.count) best = { line, count }
    }
  }
  if (best === null || best.count < needed) return null
  const { line } = best
  return leastSquares(points.filter((point) => isOn(line, point)))
}

function lineThrough(a: EdgePoint | undefined, b: EdgePoint | undefined, apart: number): StraightLine | null {
  if (a === undefined || b === undefined || b.along - a.along < apart) return null
  const slope = (b.depth - a.depth) / (b.along - a.along)
  return Math.abs(slope) > steepest ? null : { slope, offset: a.depth - slope * a.along }
}

function isOn({ slope, offset }: StraightLine, { along, depth }: EdgePoint): boolean {
  return Math.abs(depth - slope * along - offset) <= nearEnough
}

function leastSquares(points: readonly EdgePoint[]): StraightLine {
  const meanAlong = points.reduce((sum, { along }) => sum + along, 0) / points.length
  const meanDepth = points.reduce((sum, { depth }) => sum + depth, 0) / points.length
  const above = points.reduce((sum, { along, depth }) => sum + (along - meanAlong) * (depth - meanDepth), 0)
  const below = points.reduce((sum, { along }) => sum + (along - meanAlong) ** 2, 0)
  const slope = below === 0 ? 0 : above / below
  return { slope, offset: meanDepth - slope * meanAlong }
}

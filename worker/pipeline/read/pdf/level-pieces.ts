/** Drawn strokes for a reader for whom some words are level: only what runs along their lines is left. */
import type { Line, Piece } from '../lines-through-words.ts'
import type { Stroke } from './drawn-strokes.ts'
import type { LevelPoint } from './level-frame.ts'

/** A hand does not draw level: this much by its length, and this much by its trembling. */
const slope = 0.15
const trembling = 0.75
/** In points. */
const mostDrop = 1
const shortest = 3

export function levelPieces(strokes: readonly Stroke[], level: (point: LevelPoint) => LevelPoint): Piece[] {
  return strokes.flatMap(({ object, thickness, points }) =>
    levelRuns(points.map(level)).flatMap((run) => {
      const along = run.map(([at]) => at)
      const line = { object, thickness, from: lowestOf(along), to: -lowestOf(along.map((at) => -at)) }
      return line.to - line.from < shortest ? [] : run.slice(1).flatMap((point, i) => piecesOf(line, run[i], point))
    }),
  )
}

/** A rectangle has two of them. */
function levelRuns(points: readonly LevelPoint[]): LevelPoint[][] {
  const runs: LevelPoint[][] = []
  let run: LevelPoint[] = []
  for (const point of points) {
    const before = run.at(-1)
    if (before !== undefined && !isLevel(before, point)) {
      runs.push(run)
      run = []
    }
    run.push(point)
  }
  return [...runs, run].filter(({ length }) => length > 1)
}

function isLevel(a: LevelPoint, b: LevelPoint): boolean {
  return Math.abs(b[1] - a[1]) <= slope * Math.abs(b[0] - a[0]) + trembling
}

function piecesOf(line: Line, a: LevelPoint | undefined, b: LevelPoint): Piece[] {
  if (a === undefined) return []
  const parts = Math.max(1, Math.ceil(Math.abs(b[1] - a[1]) / mostDrop))
  return Array.from({ length: parts }, (_, part) => {
    const ends = [part, part + 1].map((step) => a[0] + ((b[0] - a[0]) * step) / parts)
    const down = a[1] + ((b[1] - a[1]) * (part + 0.5)) / parts
    return { line, from: Math.min(...ends), to: Math.max(...ends), down }
  })
}

function lowestOf(numbers: readonly number[]): number {
  return numbers.reduce((lowest, number) => Math.min(lowest, number), Number.POSITIVE_INFINITY)
}

/**
 * Where a photographed sheet lies in its picture: paper is brighter than the ground around it, along four straight
 * sides. Steps in the logarithm of brightness are looked for, not brightness itself: a shadow darkens paper and ground
 * alike, and leaves the step between them as it is. Null when there is no ground around the paper (a flatbed scan).
 */
import type { GreyImage } from './grey-image.ts'
import { percentile, shrink } from './grey-image.ts'
import type { Point } from './homography.ts'
import { fitLineThroughMost } from './straight-line.ts'
import type { EdgePoint, StraightLine } from './straight-line.ts'

/** Clockwise from top left. */
export type Corners = readonly [Point, Point, Point, Point]

const workingSide = 450

export function findPage(image: GreyImage): Corners | null {
  const factor = Math.max(1, Math.floor(Math.max(image.width, image.height) / workingSide))
  const small = shrink(image, factor)
  const corners = cornersOf(small)
  if (corners === null || !isPlausible(corners, small) || !hasDarkGround(corners, small)) return null
  const grow = ([x, y]: Point): Point => [x * factor, y * factor]
  return [grow(corners[0]), grow(corners[1]), grow(corners[2]), grow(corners[3])]
}

function cornersOf(image: GreyImage): Corners | null {
  const { width, height } = image
  const light = new Float32Array(image.data.length)
  for (let at = 0; at < light.length; at++) light[at] = logarithms[image.data[at] ?? 0] ?? 0
  const at = (x: number, y: number): number => light[y * width + x] ?? 0
  const left = sideOf(height, width, (row, step) => at(step, row))
  const right = sideOf(height, width, (row, step) => at(width - 1 - step, row))
  const top = sideOf(width, height, (column, step) => at(column, step))
  const bottom = sideOf(width, height, (column, step) => at(column, height - 1 - step))
  if ([left, right, top, bottom].filter((side) => side !== null).length < 3) return null
  const farRight = mirrored(right ?? border, width)
  const farBottom = mirrored(bottom ?? border, height)
  const [nearLeft, nearTop] = [left ?? border, top ?? border]
  return [meet(nearLeft, nearTop), meet(farRight, nearTop), meet(farRight, farBottom), meet(nearLeft, farBottom)]
}

const logarithms = Float32Array.from({ length: 256 }, (_, value) => Math.log(value + 8))

/** Where paper is cut off by the picture's own border. */
const border: StraightLine = { slope: 0, offset: 0 }

function mirrored({ slope, offset }: StraightLine, size: number): StraightLine {
  return { slope: -slope, offset: size - 1 - offset }
}

const window = 7
const smallestStep = 0.18

/** The side of the sheet that faces one border of the picture: most rows have their greatest step inwards on it. */
function sideOf(length: number, depth: number, lightAt: (along: number, step: number) => number): StraightLine | null {
  const points: EdgePoint[] = []
  for (let along = 0; along < length; along++) {
    const point = greatestStep(along, depth, lightAt)
    if (point !== null) points.push(point)
  }
  if (points.length < 0.4 * length) return null
  return fitLineThroughMost(points, 0.3 * length)
}

function greatestStep(
  along: number,
  depth: number,
  lightAt: (along: number, step: number) => number,
): EdgePoint | null {
  let outside = 0
  let inside = 0
  for (let step = 0; step < window; step++) {
    outside += lightAt(along, step)
    inside += lightAt(along, step + window)
  }
  let best = { step: 0, rise: smallestStep * window }
  for (let step = window; step < depth * 0.42; step++) {
    const rise = inside - outside
    if (rise > best.rise) best = { step, rise }
    outside += lightAt(along, step) - lightAt(along, step - window)
    inside += lightAt(along, step + window) - lightAt(along, step)
  }
  return best.step === 0 ? null : { along, depth: best.step }
}

/** x = side.slope·y + side.offset meets y = cap.slope·x + cap.offset. */
function meet(side: StraightLine, cap: StraightLine): Point {
  const x = (side.slope * cap.offset + side.offset) / (1 - side.slope * cap.slope)
  return [x, cap.slope * x + cap.offset]
}

function isPlausible(corners: Corners, { width, height }: GreyImage): boolean {
  const margin = 0.06 * Math.max(width, height)
  const isNear = corners.every(([x, y]) => x > -margin && y > -margin && x < width + margin && y < height + margin)
  const isSquare = corners.every((corner, index) => {
    const before = corners[(index + 3) % 4] ?? corner
    const after = corners[(index + 1) % 4] ?? corner
    return Math.abs(cosine(before, corner, after)) < 0.34
  })
  return isNear && isSquare && area(corners) > 0.25 * width * height
}

function cosine([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  const [ux, uy, vx, vy] = [ax - bx, ay - by, cx - bx, cy - by]
  return (ux * vx + uy * vy) / (Math.hypot(ux, uy) * Math.hypot(vx, vy))
}

// A vertical rule of a table gives a step too, but paper on both of its sides.
function hasDarkGround(corners: Corners, image: GreyImage): boolean {
  const inside: number[] = []
  const outside: number[] = []
  for (let y = 0; y < image.height; y += 2) {
    for (let x = 0; x < image.width; x += 2) {
      const into = contains(corners, [x, y]) ? inside : outside
      into.push(image.data[y * image.width + x] ?? 0)
    }
  }
  if (outside.length < 0.04 * (inside.length + outside.length)) return false
  return percentile(Uint8Array.from(outside), 0.7) < 0.85 * percentile(Uint8Array.from(inside), 0.6)
}

function contains(corners: Corners, [x, y]: Point): boolean {
  return corners.every(([ax, ay], index) => {
    const [bx, by] = corners[(index + 1) % 4] ?? [ax, ay]
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
  })
}

export function distance([ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot(ax - bx, ay - by)
}

function area(corners: Corners): number {
  const sum = corners.reduce((total, [x, y], index) => {
    const [nx, ny] = corners[(index + 1) % 4] ?? [x, y]
    return total + x * ny - nx * y
  }, 0)
  return Math.abs(sum) / 2
}

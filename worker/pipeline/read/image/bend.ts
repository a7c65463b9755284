/**
 * Lines that bow: a sheet that curls, or one that lay askew under the camera. How far a line has left its place is a
 * polynomial across the page, whose terms may grow from top to bottom.
 */
import type { Point } from './homography.ts'

/** Fractions of the picture's width, for the terms x, x², x³ and x⁴ of -1..1. */
export type Bend = {
  readonly even: readonly [number, number, number, number]
  /** Added at the bottom of the picture, taken away at its top. */
  readonly growing: readonly [number, number]
}

export const straight: Bend = { even: [0, 0, 0, 0], growing: [0, 0] }

type Size = { readonly width: number; readonly height: number }

/** How many pixels lower than on level lines the print of row `y` stands, for every pixel of the row. */
export function rowLift(bend: Bend, { width, height }: Size, y: number, into: Float64Array): void {
  if (bend === straight) return
  const [, , third, fourth] = bend.even
  const down = (2 * y) / height - 1
  const first = bend.even[0] + bend.growing[0] * down
  const second = bend.even[1] + bend.growing[1] * down
  for (let x = 0; x < width; x++) {
    const u = (2 * x) / width - 1
    into[x] = width * u * (first + u * (second + u * (third + u * fourth)))
  }
}

/** Where a point of the straightened picture stands in the bowed one. */
export function bowed(bend: Bend, { width, height }: Size, [x, y]: Point): Point {
  const [, , third, fourth] = bend.even
  const down = (2 * y) / height - 1
  const u = (2 * x) / width - 1
  const first = bend.even[0] + bend.growing[0] * down
  const second = bend.even[1] + bend.growing[1] * down
  return [x, y + width * u * (first + u * (second + u * (third + u * fourth)))]
}

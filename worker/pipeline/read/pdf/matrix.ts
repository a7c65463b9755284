/** PDF's way of placing things: a point [x, y] goes to [ax + cy + e, bx + dy + f]. */
export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number]
export type Rectangle = readonly [left: number, bottom: number, right: number, top: number]

export const identity: Matrix = [1, 0, 0, 1, 0, 0]

/** First the one, then the other. */
export function timesMatrix([a, b, c, d, e, f]: Matrix, then: Matrix): Matrix {
  const [A, B, C, D, E, F] = then
  return [a * A + b * C, a * B + b * D, c * A + d * C, c * B + d * D, e * A + f * C + E, e * B + f * D + F]
}

/** The upright rectangle around the one that was moved. */
export function mapBox(matrix: Matrix, [left, bottom, right, top]: Rectangle): Rectangle {
  if (matrix === identity) return [left, bottom, right, top]
  const [a, b, c, d, e, f] = matrix
  const xs = [left, right].flatMap((x) => [bottom, top].map((y) => a * x + c * y + e))
  const ys = [left, right].flatMap((x) => [bottom, top].map((y) => b * x + d * y + f))
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

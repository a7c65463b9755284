/** Maps points of one plane to another, row by row: [a b c; d e f; g h i]. Straight lines stay straight. */
export type Homography = readonly [number, number, number, number, number, number, number, number, number]

export type Point = readonly [x: number, y: number]

export const identity: Homography = [1, 0, 0, 0, 1, 0, 0, 0, 1]

export function apply(m: Homography, [x, y]: Point): Point {
  const w = m[6] * x + m[7] * y + m[8]
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w]
}

/** First `inner`, then `outer`. */
export function compose(outer: Homography, inner: Homography): Homography {
  const cell = (row: 0 | 1 | 2, column: 0 | 1 | 2): number => {
    const [a, b, c] = rowOf(outer, row)
    const [x, y, z] = columnOf(inner, column)
    return a * x + b * y + c * z
  }
  return [cell(0, 0), cell(0, 1), cell(0, 2), cell(1, 0), cell(1, 1), cell(1, 2), cell(2, 0), cell(2, 1), cell(2, 2)]
}

function rowOf(m: Homography, row: 0 | 1 | 2): readonly [number, number, number] {
  if (row === 0) return [m[0], m[1], m[2]]
  return row === 1 ? [m[3], m[4], m[5]] : [m[6], m[7], m[8]]
}

function columnOf(m: Homography, column: 0 | 1 | 2): readonly [number, number, number] {
  if (column === 0) return [m[0], m[3], m[6]]
  return column === 1 ? [m[1], m[4], m[7]] : [m[2], m[5], m[8]]
}

export function scaling(factor: number): Homography {
  return [factor, 0, 0, 0, factor, 0, 0, 0, 1]
}

export function moving(dx: number, dy: number): Homography {
  return [1, 0, dx, 0, 1, dy, 0, 0, 1]
}

/** Clockwise on a picture, whose y runs downwards, around the origin. */
export function turning(degrees: number): Homography {
  const radians = (degrees * Math.PI) / 180
  const [c, s] = [Math.cos(radians), Math.sin(radians)]
  return [c, -s, 0, s, c, 0, 0, 0, 1]
}

/** The map from the corners of a `width` × `height` picture (clockwise from top left) to four points. */
export function fromRectangle(
  width: number,
  height: number,
  corners: readonly [Point, Point, Point, Point],
): Homography {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3]
  const [dx1, dx2, dy1, dy2] = [x1 - x2, x3 - x2, y1 - y2, y3 - y2]
  const determinant = dx1 * dy2 - dx2 * dy1
  const g = (sx * dy2 - dx2 * sy) / determinant
  const h = (dx1 * sy - sx * dy1) / determinant
  const unit: Homography = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1]
  return compose(unit, [1 / width, 0, 0, 0, 1 / height, 0, 0, 0, 1])
}

/**
 * Lines of a PDF page, as pens draw them: stroked paths, and the slim filled rectangles that most programs print a line
 * as. One path often draws many of them.
 */
import { toShown } from '../../../../platform/rendering/pdfium.ts'
import { kinds, matrixOf } from './drawn-objects.ts'
import type { Drawn, Visiting } from './drawn-objects.ts'
import { timesMatrix } from './matrix.ts'
import type { Matrix } from './matrix.ts'

type Point = readonly [x: number, y: number]

export type Stroke = {
  readonly object: number
  /** Where the pen went; fractions of the page as shown. */
  readonly points: readonly Point[]
  /** In points. */
  readonly thickness: number
}

/** Of one page: maps and charts have more, and no line of theirs goes through words alone. */
const mostSegments = 60_000
/** In points. */
const shortest = 3
const thickest = 6

export function strokesOf(visiting: Visiting): Stroke[] {
  const strokes: Stroke[] = []
  let left = mostSegments
  for (const drawn of visiting.drawn) {
    if (drawn.kind !== kinds.path || !isLong(visiting, drawn)) continue
    left -= visiting.pdfium.call('FPDFPath_CountSegments', drawn.object)
    if (left < 0) break
    strokes.push(...strokesOfPath(visiting, drawn))
  }
  return strokes
}

function isLong({ page }: Visiting, { box }: Drawn): boolean {
  return Math.max((box[2] - box[0]) * page.widthPt, (box[3] - box[1]) * page.heightPt) >= shortest
}

function strokesOfPath(visiting: Visiting, { object, toPage }: Drawn): Stroke[] {
  const { pdfium, page, scratch } = visiting
  const { at, int, float } = scratch
  const matrix = timesMatrix(matrixOf(visiting, object), toPage)
  if (pdfium.call('FPDFPath_GetDrawMode', object, at, at + 4) === 0) return []
  const [isFilled, isStroked] = [int(0) !== 0, int(4) !== 0]
  if ((!isFilled && !isStroked) || isWhite(visiting, object, isStroked ? 'Stroke' : 'Fill')) return []
  const hasWidth = pdfium.call('FPDFPageObj_GetStrokeWidth', object, at) === 1
  const thickness = (hasWidth ? float(0) : 1) * scaleOf(matrix)
  return tracesOf(visiting, object, matrix).flatMap((trace) => {
    const points = trace.map(([x, y]) => toShown(page, x, y))
    if (isStroked) return [{ object, points, thickness }]
    const slim = middleOfSlim(trace)
    return slim === null
      ? []
      : [{ object, points: slim.ends.map(([x, y]) => toShown(page, x, y)), thickness: slim.thickness }]
  })
}

/** A slit in letters is no line through them. */
function isWhite({ pdfium, scratch }: Visiting, path: number, use: 'Stroke' | 'Fill'): boolean {
  const { at, int } = scratch
  if (pdfium.call(`FPDFPageObj_Get${use}Color`, path, at, at + 4, at + 8, at + 12) === 0) return false
  return Math.min(int(0), int(4), int(8)) > 240
}

const pen = { line: 0, curve: 1, move: 2 }

/** The pen's ways from one lifting to the next, in the page's own space. Curves go by their control points. */
function tracesOf({ pdfium, scratch }: Visiting, path: number, matrix: Matrix): Point[][] {
  const [a, b, c, d, e, f] = matrix
  const traces: Point[][] = []
  const count = pdfium.call('FPDFPath_CountSegments', path)
  for (let index = 0; index < count; index++) {
    const segment = pdfium.call('FPDFPath_GetPathSegment', path, index)
    pdfium.call('FPDFPathSegment_GetPoint', segment, scratch.at, scratch.at + 4)
    const [x, y] = [scratch.float(0), scratch.float(4)]
    if (pdfium.call('FPDFPathSegment_GetType', segment) === pen.move || traces.length === 0) traces.push([])
    const trace = traces.at(-1)
    trace?.push([a * x + c * y + e, b * x + d * y + f])
    const [first] = trace ?? []
    if (first !== undefined && pdfium.call('FPDFPathSegment_GetClose', segment) === 1) trace?.push(first)
  }
  return traces.filter(({ length }) => length > 1)
}

function middleOfSlim(trace: readonly Point[]): { ends: readonly [Point, Point]; thickness: number } | null {
  const [xs, ys] = [trace.map(([x]) => x), trace.map(([, y]) => y)]
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)]
  const [x, y] = [(left + right) / 2, (bottom + top) / 2]
  const thickness = Math.min(right - left, top - bottom)
  if (thickness > thickest || Math.max(right - left, top - bottom) < shortest) return null
  const ends: readonly [Point, Point] =
    right - left > top - bottom
      ? [
          [left, y],
          [right, y],
        ]
      : [
          [x, bottom],
          [x, top],
        ]
  return { ends, thickness }
}

function scaleOf([a, b, c, d]: Matrix): number {
  return Math.sqrt(Math.abs(a * d - b * c))
}

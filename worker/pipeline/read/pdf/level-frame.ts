/** Places on a page for a reader who turned it until some words are level: along their line, and down; in points. */
import type { PdfPage } from '../../../../platform/rendering/pdfium.ts'
import type { TextObject } from './text-objects.ts'

export type LevelPoint = readonly [along: number, down: number]
type Size = Pick<PdfPage, 'widthPt' | 'heightPt'>

/** `x` and `y` are fractions of the page as shown. */
export function levelPoint(page: Size, [x, y]: readonly [number, number], angle: TextObject['angle']): LevelPoint {
  const [right, down] = [x * page.widthPt, y * page.heightPt]
  if (angle === 0) return [right, down]
  if (angle === 90) return [down, -right]
  return angle === 180 ? [-right, -down] : [-down, right]
}

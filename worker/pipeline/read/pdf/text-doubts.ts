/**
 * Which text of a page may be hidden from its reader, told by how it is drawn. Cheap signs only: what they raise is
 * looked at in `seen-text.ts`.
 */
import type { Box } from '../../../../clinical/document/page.ts'
import type { Pdfium, Scratch } from '../../../../platform/rendering/pdfium.ts'
import { CoverGrid } from './cover-grid.ts'
import { mapBox } from './matrix.ts'
import { isFilled, kinds, shownBox } from './drawn-objects.ts'
import type { Drawn, Visiting } from './drawn-objects.ts'

export type TextDoubts = { readonly invisible: ReadonlySet<number>; readonly doubtful: readonly number[] }

const invisibleModes = new Set([3, 7])
const strokedModes = new Set([1, 5])

export function doubtsOf(visiting: Visiting): TextDoubts {
  const { pdfium, scratch } = visiting
  const invisible = new Set<number>()
  const doubtful: number[] = []
  const covered = new CoverGrid()
  for (const drawn of visiting.drawn.toReversed()) {
    if (drawn.kind !== kinds.text) {
      if (isCover(pdfium, drawn, scratch)) covered.add(drawn.box)
      continue
    }
    const mode = pdfium.call('FPDFTextObj_GetTextRenderMode', drawn.object)
    if (invisibleModes.has(mode)) invisible.add(drawn.object)
    else if (covered.touches(drawn.box) || isFaint(visiting, drawn.object, mode) || isPlacedOddly(visiting, drawn)) {
      doubtful.push(drawn.object)
    }
  }
  return { invisible, doubtful }
}

/** Fractions of the page: thinner things are rules. */
const thin = 0.003

function isCover(pdfium: Pdfium, { object, kind, box }: Drawn, scratch: Scratch): boolean {
  if (kind === kinds.image || kind === kinds.shading) return true
  if (kind !== kinds.path || box[2] - box[0] < thin || box[3] - box[1] < thin) return false
  return isFilled(pdfium, object, scratch)
}

/** Paler than the grey of small print, or of a colour that is not known. */
const pale = 180

function isFaint({ pdfium, scratch }: Visiting, object: number, mode: number): boolean {
  const { at, int } = scratch
  const colour = strokedModes.has(mode) ? 'FPDFPageObj_GetStrokeColor' : 'FPDFPageObj_GetFillColor'
  if (pdfium.call(colour, object, at, at + 4, at + 8, at + 12) === 0) return true
  const [red, green, blue, alpha] = [int(0), int(4), int(8), int(12)]
  return 0.3 * red + 0.59 * green + 0.11 * blue > pale || alpha < 250
}

function isPlacedOddly(visiting: Visiting, drawn: Drawn): boolean {
  const { pdfium, scratch } = visiting
  if (drawn.depth > 0 || pdfium.call('FPDFPageObj_HasTransparency', drawn.object) === 1) return true
  return isOfLayer(pdfium, drawn.object, scratch) || isCutOff(visiting, drawn)
}

/** Content that a reader can switch off is marked "OC". */
function isOfLayer(pdfium: Pdfium, object: number, { at, int }: Scratch): boolean {
  const marks = Math.min(pdfium.call('FPDFPageObj_CountMarks', object), 8)
  for (let i = 0; i < marks; i++) {
    const mark = pdfium.call('FPDFPageObj_GetMark', object, i)
    if (pdfium.call('FPDFPageObjMark_GetName', mark, at + 8, 16, at) === 0 || int(0) !== 6) continue
    if (Buffer.from(pdfium.heap().subarray(at + 8, at + 12)).toString('utf16le') === 'OC') return true
  }
  return false
}

const mostCorners = 50

function isCutOff(visiting: Visiting, drawn: Drawn): boolean {
  const { pdfium } = visiting
  const clip = pdfium.call('FPDFPageObj_GetClipPath', drawn.object)
  const paths = clip === 0 ? 0 : pdfium.call('FPDFClipPath_CountPaths', clip)
  if (paths <= 0) return false
  if (paths > mostCorners) return true
  for (let path = 0; path < paths; path++) {
    const bounds = boundsOfClip(visiting, clip, path)
    if (bounds === null || !isInside(drawn.box, bounds)) return true
  }
  return false
}

function boundsOfClip({ pdfium, page, scratch }: Visiting, clip: number, path: number): Box | null {
  const corners = pdfium.call('FPDFClipPath_CountPathSegments', clip, path)
  if (corners <= 0 || corners > mostCorners) return null
  const [xs, ys]: [number[], number[]] = [[], []]
  for (let i = 0; i < corners; i++) {
    const corner = pdfium.call('FPDFClipPath_GetPathSegment', clip, path, i)
    pdfium.call('FPDFPathSegment_GetPoint', corner, scratch.at, scratch.at + 4)
    xs.push(scratch.float(0))
    ys.push(scratch.float(4))
  }
  return shownBox(
    page,
    mapBox([1, 0, 0, 1, 0, 0], [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]),
  )
}

const slack = 0.004

function isInside(box: Box, around: Box): boolean {
  return (
    box[0] >= around[0] - slack &&
    box[1] >= around[1] - slack &&
    box[2] <= around[2] + slack &&
    box[3] <= around[3] + slack
  )
}

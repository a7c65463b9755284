/**
 * What a PDF page is made of: where its pictures lie, and which text nobody can see.
 */
import { toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'

export type PageObjects = {
  /** Boxes of pictures, fractions of the page as shown. */
  readonly images: readonly Box[]
  readonly pathCount: number
  readonly isHidden: (textObject: number, box: Box) => boolean
}

const kinds = { text: 1, path: 2, image: 3, form: 5 }
const maxObjects = 50_000
const maxDepth = 6

export function readObjects(document: PdfDocument, page: PdfPage): PageObjects {
  const { pdfium } = document
  const found: Found = { order: new Map(), images: [], pathCount: 0, seen: 0 }
  const count = pdfium.call('FPDFPage_CountObjects', page.pointer)
  for (let i = 0; i < count; i++) {
    visit({ pdfium, page, found }, pdfium.call('FPDFPage_GetObject', page.pointer, i), 0)
  }
  return {
    images: found.images.map(({ box }) => box),
    pathCount: found.pathCount,
    isHidden: (textObject, box) => isHidden(pdfium, found, textObject, box),
  }
}

type Found = {
  readonly order: Map<number, number>
  readonly images: { readonly box: Box; readonly order: number }[]
  pathCount: number
  seen: number
}

type Visit = { readonly pdfium: Pdfium; readonly page: PdfPage; readonly found: Found }

function visit(context: Visit, object: number, depth: number): void {
  const { pdfium, page, found } = context
  if (object === 0 || found.seen >= maxObjects) return
  const order = found.seen++
  const kind = pdfium.call('FPDFPageObj_GetType', object)
  if (kind === kinds.text) found.order.set(object, order)
  if (kind === kinds.path) found.pathCount++
  if (kind === kinds.image) found.images.push({ box: boundsOf(pdfium, page, object), order })
  if (kind !== kinds.form || depth >= maxDepth) return
  const count = pdfium.call('FPDFFormObj_CountObjects', object)
  for (let i = 0; i < count; i++) visit(context, pdfium.call('FPDFFormObj_GetObject', object, i), depth + 1)
}

function boundsOf(pdfium: Pdfium, page: PdfPage, object: number): Box {
  const at = pdfium.alloc(16)
  pdfium.call('FPDFPageObj_GetBounds', object, at, at + 4, at + 8, at + 12)
  const view = new DataView(pdfium.heap().buffer)
  const [ax, ay] = toShown(page, view.getFloat32(at, true), view.getFloat32(at + 12, true))
  const [bx, by] = toShown(page, view.getFloat32(at + 8, true), view.getFloat32(at + 4, true))
  pdfium.free(at)
  return clampBox([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)])
}

const invisibleModes = new Set([3, 7])

// Hidden text layers of scans are invisible, transparent, or lie under the picture. None is believed.
function isHidden(pdfium: Pdfium, found: Found, object: number, box: Box): boolean {
  if (object === 0) return false
  if (invisibleModes.has(pdfium.call('FPDFTextObj_GetTextRenderMode', object))) return true
  if (isTransparent(pdfium, object)) return true
  const order = found.order.get(object)
  if (order === undefined) return false
  const x = (box[0] + box[2]) / 2
  const y = (box[1] + box[3]) / 2
  return found.images.some(
    (image) => image.order > order && image.box[0] <= x && x <= image.box[2] && image.box[1] <= y && y <= image.box[3],
  )
}

function isTransparent(pdfium: Pdfium, object: number): boolean {
  const at = pdfium.alloc(16)
  const isKnown = pdfium.call('FPDFPageObj_GetFillColor', object, at, at + 4, at + 8, at + 12) === 1
  const alpha = new DataView(pdfium.heap().buffer).getUint32(at + 12, true)
  pdfium.free(at)
  return isKnown && alpha < 8
}

/**
 * All that is drawn on a PDF page, in the order of drawing, also what forms (pages within the page) draw.
 */
import { openScratch, toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'
import { identity, mapBox, timesMatrix } from './matrix.ts'
import type { Matrix, Rectangle } from './matrix.ts'

export const kinds = { text: 1, path: 2, image: 3, shading: 4, form: 5 }
const maxObjects = 50_000
const maxDepth = 6

export type Drawn = {
  readonly object: number
  readonly kind: number
  readonly depth: number
  /** On the page as shown. */
  readonly box: Box
  /** From the space that it is drawn in to the page's own. */
  readonly toPage: Matrix
}

/** What `look` makes of them, while PDFium still has them. */
export function withDrawn<T>(document: PdfDocument, page: PdfPage, look: (visiting: Visiting) => T): T {
  const { pdfium } = document
  const scratch = openScratch(pdfium, 64)
  const visiting: Visiting = { pdfium, page, scratch, drawn: [] }
  try {
    const count = pdfium.call('FPDFPage_CountObjects', page.pointer)
    for (let i = 0; i < count && visiting.drawn.length < maxObjects; i++) {
      visit(visiting, pdfium.call('FPDFPage_GetObject', page.pointer, i), { depth: 0, toPage: identity })
    }
    return look(visiting)
  } finally {
    scratch.free()
  }
}

export type Visiting = {
  readonly pdfium: Pdfium
  readonly page: PdfPage
  readonly scratch: Scratch
  /** In the order of drawing. */
  readonly drawn: Drawn[]
}

function visit(visiting: Visiting, object: number, place: Pick<Drawn, 'depth' | 'toPage'>): void {
  const { pdfium, drawn } = visiting
  if (object === 0 || drawn.length >= maxObjects) return
  const kind = pdfium.call('FPDFPageObj_GetType', object)
  drawn.push({ object, kind, ...place, box: boundsOf(visiting, object, place.toPage) })
  if (kind !== kinds.form || place.depth >= maxDepth) return
  const inside = { depth: place.depth + 1, toPage: timesMatrix(matrixOf(visiting, object), place.toPage) }
  const count = pdfium.call('FPDFFormObj_CountObjects', object)
  for (let i = 0; i < count && drawn.length < maxObjects; i++) {
    visit(visiting, pdfium.call('FPDFFormObj_GetObject', object, i), inside)
  }
}

export function matrixOf({ pdfium, scratch }: Visiting, object: number): Matrix {
  if (pdfium.call('FPDFPageObj_GetMatrix', object, scratch.at) === 0) return identity
  const { float } = scratch
  return [float(0), float(4), float(8), float(12), float(16), float(20)]
}

function boundsOf({ pdfium, page, scratch }: Visiting, object: number, toPage: Matrix): Box {
  const { at } = scratch
  if (pdfium.call('FPDFPageObj_GetBounds', object, at, at + 4, at + 8, at + 12) === 0) return [0, 0, 0, 0]
  return shownBox(page, mapBox(toPage, [scratch.float(0), scratch.float(4), scratch.float(8), scratch.float(12)]))
}

export function shownBox(page: PdfPage, [left, bottom, right, top]: Rectangle): Box {
  const [ax, ay] = toShown(page, left, top)
  const [bx, by] = toShown(page, right, bottom)
  return clampBox([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)])
}

/** Signatures and curves of charts are lines. */
export function isFilled(pdfium: Pdfium, path: number, { at, int }: Scratch): boolean {
  return pdfium.call('FPDFPath_GetDrawMode', path, at, at + 4) === 1 && int(0) !== 0
}

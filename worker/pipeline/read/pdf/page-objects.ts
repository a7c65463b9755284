/**
 * What a PDF page is made of: where its pictures lie, how much is drawn as outlines, and which text nobody can see or
 * might not see.
 */
import { openScratch, toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'
import { identity, mapBox, timesMatrix } from './matrix.ts'
import type { Matrix, Rectangle } from './matrix.ts'
import { doubtsOf } from './text-doubts.ts'

export type PageObjects = {
  /** Boxes of pictures, fractions of the page as shown. */
  readonly images: readonly Box[]
  /** Filled shapes of more than a few corners, as letters are that were turned into outlines. */
  readonly shapes: readonly Shape[]
  readonly pathCount: number
  /** Drawn with no ink at all, as the text layers of scans are. */
  readonly invisible: ReadonlySet<number>
  /** White, covered, cut off, in a layer: only looking tells whether it can be seen. */
  readonly doubtful: readonly number[]
}

export type Shape = { readonly box: Box; readonly corners: number }

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

export function readObjects(document: PdfDocument, page: PdfPage): PageObjects {
  const scratch = openScratch(document.pdfium, 64)
  const visiting: Visiting = { pdfium: document.pdfium, page, scratch, drawn: [] }
  try {
    const count = document.pdfium.call('FPDFPage_CountObjects', page.pointer)
    for (let i = 0; i < count && visiting.drawn.length < maxObjects; i++) {
      visit(visiting, document.pdfium.call('FPDFPage_GetObject', page.pointer, i), { depth: 0, toPage: identity })
    }
    return {
      images: visiting.drawn.filter(({ kind }) => kind === kinds.image).map(({ box }) => box),
      shapes: shapesOf(visiting),
      pathCount: visiting.drawn.filter(({ kind }) => kind === kinds.path).length,
      ...doubtsOf(visiting),
    }
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

function matrixOf({ pdfium, scratch }: Visiting, object: number): Matrix {
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

/** A rectangle has five. */
const fewCorners = 8
/** Of the page: dotted lines are no wider. */
const ofDots = 0.002

function shapesOf({ pdfium, scratch, drawn }: Visiting): Shape[] {
  return drawn.flatMap(({ object, kind, box }) => {
    if (kind !== kinds.path || box[2] - box[0] < ofDots || box[3] - box[1] < ofDots) return []
    const corners = pdfium.call('FPDFPath_CountSegments', object)
    return corners > fewCorners && isFilled(pdfium, object, scratch) ? [{ box, corners }] : []
  })
}

/** Signatures and curves of charts are lines. */
export function isFilled(pdfium: Pdfium, path: number, { at, int }: Scratch): boolean {
  return pdfium.call('FPDFPath_GetDrawMode', path, at, at + 4) === 1 && int(0) !== 0
}

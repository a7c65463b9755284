/**
 * What a PDF page is made of: where its pictures lie, how much is drawn as outlines, and which text nobody can see or
 * might not see.
 */
import type { PdfDocument, PdfPage } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { strokesOf } from './drawn-strokes.ts'
import type { Stroke } from './drawn-strokes.ts'
import { isFilled, kinds, withDrawn } from './drawn-objects.ts'
import type { Visiting } from './drawn-objects.ts'
import { doubtsOf } from './text-doubts.ts'

export type PageObjects = {
  /** Boxes of pictures, fractions of the page as shown. */
  readonly images: readonly Box[]
  /** Filled shapes of more than a few corners, as letters are that were turned into outlines. */
  readonly shapes: readonly Shape[]
  readonly pathCount: number
  readonly strokes: readonly Stroke[]
  /** Drawn with no ink at all, as the text layers of scans are. */
  readonly invisible: ReadonlySet<number>
  /** White, covered, cut off, in a layer: only looking tells whether it can be seen. */
  readonly doubtful: readonly number[]
}

export type Shape = { readonly box: Box; readonly corners: number }

export function readObjects(document: PdfDocument, page: PdfPage): PageObjects {
  return withDrawn(document, page, (visiting) => ({
    images: visiting.drawn.filter(({ kind }) => kind === kinds.image).map(({ box }) => box),
    shapes: shapesOf(visiting),
    pathCount: visiting.drawn.filter(({ kind }) => kind === kinds.path).length,
    strokes: strokesOf(visiting),
    ...doubtsOf(visiting),
  }))
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

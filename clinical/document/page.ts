/**
 * The neutral page model: what every reader (text layer, local OCR, Google Vision) must deliver, and all that later
 * stages may know about a page. Boxes are fractions of the upright page, origin top left: [x0, y0, x1, y1].
 */
import type { PageStructure } from './structured-entry.ts'

export type Box = readonly [x0: number, y0: number, x1: number, y1: number]

/** One printed word. `line` and `block` number the reader's own grouping within the page; mapping may disagree with it. */
export type Word = {
  readonly text: string
  readonly confidence01: number
  readonly box: Box
  readonly line: number
  readonly block: number
  /** Set where the source says so (text layers, DOCX); headings are often nothing but bold. */
  readonly isBold?: boolean
  /** A line goes through it: still printed, but taken back. */
  readonly isStruck?: boolean
}

export const pageSources = ['text_layer', 'ocr', 'merged', 'structured'] as const
export type PageSource = (typeof pageSources)[number]

export const qualityGrades = ['good', 'fair', 'poor', 'unreadable'] as const
export type QualityGrade = (typeof qualityGrades)[number]

/** A grade with a reason that a patient understands ("blurred", "cut off", "retake"); null when there is nothing to say. */
export type PageQuality = { readonly grade: QualityGrade; readonly reason: string | null }

export type Page = {
  /** 1-based. */
  readonly number: number
  /** Of the upright page, in points (1/72 inch); pictures without a resolution count as 200 dpi. */
  readonly widthPt: number
  readonly heightPt: number
  /** Quarter turns clockwise that made the stored page upright. */
  readonly rotation: 0 | 90 | 180 | 270
  readonly source: PageSource
  readonly engine: string
  readonly quality: PageQuality
  /** In the reader's order. */
  readonly words: readonly Word[]
  /** What the file says as data, tied to these words. */
  readonly structure?: PageStructure | null
}

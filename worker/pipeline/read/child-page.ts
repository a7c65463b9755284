import type { PageQuality, Word } from '../../../clinical/document/page.ts'
import type { PageStructure } from '../../../clinical/document/structured-entry.ts'
import type { QuarterTurn } from './geometry.ts'
import type { Bend } from './image/bend.ts'
import type { GreyImage } from './image/grey-image.ts'
import type { Homography } from './image/homography.ts'
import type { Piece } from './lines-through-words.ts'
import type { PageRun } from './page-runs.ts'
import type { TextLayerVerdict } from './pdf/text-layer-verdict.ts'

/** What a reader of one type of file is asked for: the pages from one on. */
export type ReadTask = { readonly path: string; readonly mimeType: string; readonly fromPage: number }

/** What the reading child is asked for: these pages and no others. */
export type ReadRunsTask = Omit<ReadTask, 'fromPage'> & { readonly runs: readonly PageRun[] }

/** A page's picture, ready for OCR. */
export type OcrPicture = {
  readonly png: Uint8Array
  readonly widthPx: number
  readonly heightPx: number
  readonly dpi: number
  readonly surface: 'clean' | 'grainy'
  /** From pixels of the prepared picture to fractions of the page as shown. */
  readonly toPage: Homography
  /** How lines bow on the page that are straight in the prepared picture. */
  readonly bend: Bend
  /** Clockwise turn that was made so that lines run level. */
  readonly turned: 0 | 90
  readonly quality: PageQuality
  /** A small copy of the prepared picture, to see what print was left unread. */
  readonly small: GreyImage
  /** Level lines of the prepared picture, those through words among them. */
  readonly lines: readonly Piece[]
}

/** What the reading child says about a page. */
export type ChildPage = { readonly number: number; readonly pageCount: number } & (
  | {
      readonly kind: 'read'
      /** Of the page as shown, before `rotation`. */
      readonly widthPt: number
      readonly heightPt: number
      readonly rotation: QuarterTurn
      /** Of `words`. */
      readonly source: 'text_layer' | 'structured'
      readonly words: readonly Word[]
      readonly structure?: PageStructure | null
      readonly verdict: TextLayerVerdict
      /** Null when the words are all there is to read. */
      readonly picture: OcrPicture | null
    }
  | { readonly kind: 'broken'; readonly why?: WhyBroken }
)

/** What opening the page did to the child, tried twice; `left_out`: not tried, as the pages before it did so too. */
export type WhyBroken = 'crashed' | 'timed_out' | 'too_large' | 'left_out'

// Both sides are our own code in one version; the guards only tell the compiler so and catch a stray message.
export function isReadRunsTask(message: unknown): message is ReadRunsTask {
  return typeof message === 'object' && message !== null && 'path' in message && 'runs' in message
}

export function isChildPage(message: unknown): message is ChildPage {
  return typeof message === 'object' && message !== null && 'number' in message && 'kind' in message
}

/**
 * What every reader of pictures must deliver. Pictures come in upright or not, 8 bit grey PNG; boxes go out in pixels of
 * that picture.
 */
import { defineError } from '../../../platform/errors.ts'
import type { AppError } from '../../../platform/errors.ts'

export type OcrWord = {
  readonly text: string
  readonly confidence01: number
  /** [left, top, right, bottom] in pixels. */
  readonly box: readonly [number, number, number, number]
  readonly line: number
  readonly block: number
}

export type OcrImage = {
  readonly png: Uint8Array
  readonly widthPx: number
  readonly heightPx: number
  readonly dpi: number
  /** Photos and noisy scans show grain, which some ways of reading take for print. */
  readonly surface: 'clean' | 'grainy'
  /** `scattered`: words here and there on a page that is white otherwise. Not given: a page as it came. */
  readonly layout?: 'scattered'
}

export type OcrResult = {
  readonly words: readonly OcrWord[]
  /** Over the whole picture, weighted by the length of the words; 0 without words. */
  readonly confidence01: number
  /**
   * Clockwise turn that makes the picture upright; boxes stay where the picture has them. Given by readers that read text
   * whichever way it stands and say so: nobody has to ask them again about the picture turned.
   */
  readonly uprightTurn?: 0 | 90 | 180 | 270
}

/** What became of one picture of several. */
export type OcrOutcome =
  | { readonly kind: 'read'; readonly result: OcrResult }
  | { readonly kind: 'failed'; readonly error: AppError }

/** Several pictures in one request. */
export type OcrBatches = {
  readonly maxPictures: number
  /** Of the pictures together; a larger one goes alone. */
  readonly maxBytes: number
  /** An outcome for each picture, in their order. Rejects where the request failed as a whole. */
  readonly recognise: (
    images: readonly OcrImage[],
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly OcrOutcome[]>
}

export type OcrProvider = {
  readonly name: string
  readonly version: string
  /** Counted against the budget of the day; not given: it costs nothing. */
  readonly costUsdPerPicture?: number
  /** Set for a service: how many pictures it takes side by side. Not set: it reads on the cores of this machine. */
  readonly picturesAtOnce?: number
  readonly recognise: (image: OcrImage, options: { readonly signal: AbortSignal }) => Promise<OcrResult>
  /** Not given: each picture is a request of its own. */
  readonly batches?: OcrBatches
  /** Ends workers and connections; a provider may be used again afterwards. */
  readonly close: () => Promise<void>
}

export const ocrRateLimited = defineError('ocr_rate_limited', 429, 'Reading is at its limit at the moment.')
export const ocrUnavailable = defineError('ocr_unavailable', 503, 'Reading is not available at the moment.')
/** Trying again will not help: the reader will not take this picture. */
export const ocrRefused = defineError('ocr_refused', 422, 'The picture could not be read.')
/** No picture is at fault, and an operator may mend it before the last retry. */
export const ocrMisconfigured = defineError('ocr_misconfigured', 500, 'Reading is not set up rightly.')

export function meanConfidence(words: readonly OcrWord[]): number {
  const letters = words.reduce((sum, { text }) => sum + text.length, 0)
  if (letters === 0) return 0
  return words.reduce((sum, { text, confidence01 }) => sum + confidence01 * text.length, 0) / letters
}

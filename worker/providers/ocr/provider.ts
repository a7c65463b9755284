/**
 * What every reader of pictures must deliver. Pictures come in upright or not, 8 bit grey PNG; boxes go out in pixels of
 * that picture.
 */
import { defineError } from '../../../platform/errors.ts'

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
}

export type OcrResult = {
  readonly words: readonly OcrWord[]
  /** Over the whole picture, weighted by the length of the words; 0 without words. */
  readonly confidence01: number
}

export type OcrProvider = {
  readonly name: string
  readonly version: string
  /** Counted against the budget of the day; not given: it costs nothing. */
  readonly costUsdPerPicture?: number
  /** Set for a service: how many pictures it takes side by side. Not set: it reads on the cores of this machine. */
  readonly picturesAtOnce?: number
  readonly recognise: (image: OcrImage, options: { readonly signal: AbortSignal }) => Promise<OcrResult>
  /** Ends workers and connections; a provider may be used again afterwards. */
  readonly close: () => Promise<void>
}

export const ocrRateLimited = defineError('ocr_rate_limited', 429, 'Reading is at its limit at the moment.')
export const ocrUnavailable = defineError('ocr_unavailable', 503, 'Reading is not available at the moment.')
/** Trying again will not help: the picture or the credentials were refused. */
export const ocrRefused = defineError('ocr_refused', 422, 'The picture could not be read.')

export function meanConfidence(words: readonly OcrWord[]): number {
  const letters = words.reduce((sum, { text }) => sum + text.length, 0)
  if (letters === 0) return 0
  return words.reduce((sum, { text, confidence01 }) => sum + confidence01 * text.length, 0) / letters
}

/**
 * OCR of a prepared picture: the right way up, words back in fractions of the upright page.
 */
import sharp from 'sharp'
import type { Word } from '../../../clinical/document/page.ts'
import type { OcrProvider, OcrResult } from '../../providers/ocr/provider.ts'
import type { OcrPicture } from './child-page.ts'
import { clampBox, turnBox } from './geometry.ts'
import type { QuarterTurn } from './geometry.ts'
import { apply } from './image/homography.ts'
import type { Point } from './image/homography.ts'

export type Recognised = {
  readonly words: readonly Word[]
  readonly rotation: QuarterTurn
  readonly confidence01: number
}

/** Text on its head still gives some words, but seldom with confidence. */
const doubtful = 0.62

export async function recognisePage(picture: OcrPicture, ocr: OcrProvider, signal: AbortSignal): Promise<Recognised> {
  const upright = await ocr.recognise(picture, { signal })
  if (upright.confidence01 >= doubtful && upright.words.length > 2) return placed(picture, upright, 0)
  const png = await sharp(picture.png).rotate(180).png({ compressionLevel: 2 }).toBuffer()
  const turned = await ocr.recognise({ ...picture, png }, { signal })
  return weight(turned) > weight(upright) ? placed(picture, turned, 180) : placed(picture, upright, 0)
}

/** Letters that were read with some confidence. */
function weight({ words }: OcrResult): number {
  return words.reduce((sum, { text, confidence01 }) => sum + (confidence01 > 0.5 ? text.length * confidence01 : 0), 0)
}

function placed(picture: OcrPicture, { words, confidence01 }: OcrResult, halfTurn: 0 | 180): Recognised {
  const rotation = turnSum(picture.turned, halfTurn)
  return {
    rotation,
    confidence01,
    words: words.flatMap((word) =>
      word.text
        .split(/\s+/)
        .filter((part) => part !== '')
        .map((text) => ({
          text,
          confidence01: word.confidence01,
          box: turnBox(boxOnPage(picture, word.box, halfTurn), rotation),
          line: word.line,
          block: word.block,
        })),
    ),
  }
}

function turnSum(turned: 0 | 90, halfTurn: 0 | 180): QuarterTurn {
  if (halfTurn === 0) return turned
  return turned === 0 ? 180 : 270
}

/** The box around the four corners where they lie on the page as shown. */
function boxOnPage(
  { widthPx, heightPx, toPage }: OcrPicture,
  [left, top, right, bottom]: readonly [number, number, number, number],
  halfTurn: 0 | 180,
): readonly [number, number, number, number] {
  const corners: Point[] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
  const onPage = corners.map(([x, y]) => apply(toPage, halfTurn === 0 ? [x, y] : [widthPx - x, heightPx - y]))
  const [xs, ys] = [onPage.map(([x]) => x), onPage.map(([, y]) => y)]
  return clampBox([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])
}

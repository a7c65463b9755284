/**
 * OCR of a prepared picture: the right way up, words back in fractions of the upright page.
 */
import sharp from 'sharp'
import type { Box, Word } from '../../../clinical/document/page.ts'
import type { OcrProvider, OcrResult, OcrWord } from '../../providers/ocr/provider.ts'
import type { OcrPicture } from './child-page.ts'
import { clampBox, turnBox } from './geometry.ts'
import type { QuarterTurn } from './geometry.ts'
import { bowed } from './image/bend.ts'
import { apply } from './image/homography.ts'
import type { Point } from './image/homography.ts'

export type Recognised = {
  readonly words: readonly Word[]
  readonly rotation: QuarterTurn
  readonly confidence01: number
}

/** Text on its head or side still gives some words, but seldom with confidence. */
const doubtful = 0.62
const hopeless = 0.5

export async function recognisePage(picture: OcrPicture, ocr: OcrProvider, signal: AbortSignal): Promise<Recognised> {
  const reader = { ocr, signal }
  const upright = await readTurned(picture, 0, reader)
  if (!isDoubtful(upright, doubtful) && !runsDownwards(upright.result)) return placed(picture, upright)
  const tries = runsDownwards(upright.result) ? [] : [upright, await readTurned(picture, 180, reader)]
  if (tries.every((attempt) => isDoubtful(attempt, hopeless))) {
    tries.push(await readTurned(picture, 90, reader), await readTurned(picture, 270, reader))
  }
  return placed(
    picture,
    tries.reduce((a, b) => (weight(b.result) > weight(a.result) ? b : a)),
  )
}

/** Some readers also read lines that run up or down: their words are then taller than wide. */
function runsDownwards({ words }: OcrResult): boolean {
  const long = words.filter(({ text }) => text.length >= 4)
  const tall = long.filter(({ box }) => box[3] - box[1] > 1.3 * (box[2] - box[0]))
  return tall.length > 3 && tall.length > 0.5 * long.length
}

type Attempt = { readonly turn: QuarterTurn; readonly result: OcrResult }
type Reader = { readonly ocr: OcrProvider; readonly signal: AbortSignal }

async function readTurned(picture: OcrPicture, turn: QuarterTurn, { ocr, signal }: Reader): Promise<Attempt> {
  if (turn === 0) return { turn, result: await ocr.recognise(picture, { signal }) }
  const png = await sharp(picture.png).rotate(turn).png({ compressionLevel: 2 }).toBuffer()
  const isSideways = turn !== 180
  const size = isSideways ? { widthPx: picture.heightPx, heightPx: picture.widthPx } : {}
  return { turn, result: await ocr.recognise({ ...picture, ...size, png }, { signal }) }
}

function isDoubtful(attempt: Attempt, limit: number): boolean {
  return attempt.result.confidence01 < limit || attempt.result.words.length <= 2
}

/** Letters that were read with some confidence. */
function weight({ words }: OcrResult): number {
  return words.reduce((sum, { text, confidence01 }) => sum + (confidence01 > 0.5 ? text.length * confidence01 : 0), 0)
}

function placed(picture: OcrPicture, { turn, result }: Attempt): Recognised {
  const rotation = turnSum(picture.turned, turn)
  return {
    rotation,
    confidence01: result.confidence01,
    words: result.words.flatMap((word) =>
      word.text
        .split(/\s+/)
        .filter((part) => part !== '')
        .map((text) => ({
          text,
          confidence01: word.confidence01,
          box: turnBox(boxOnPage(picture, word.box, turn), rotation),
          line: word.line,
          block: word.block,
        })),
    ),
  }
}

const quarterTurns = [0, 90, 180, 270] as const

function turnSum(first: QuarterTurn, second: QuarterTurn): QuarterTurn {
  return quarterTurns[((first + second) / 90) % 4] ?? 0
}

/** The box around the four corners where they lie on the page as shown. */
function boxOnPage(picture: OcrPicture, [left, top, right, bottom]: OcrWord['box'], turn: QuarterTurn): Box {
  const corners: Point[] = [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]
  const size = { width: picture.widthPx, height: picture.heightPx }
  const onPage = corners.map((corner) =>
    apply(picture.toPage, bowed(picture.bend, size, beforeTurn(picture, corner, turn))),
  )
  const [xs, ys] = [onPage.map(([x]) => x), onPage.map(([, y]) => y)]
  return clampBox([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])
}

/** A point of the turned picture where it was before it was turned clockwise. */
function beforeTurn({ widthPx, heightPx }: OcrPicture, [x, y]: Point, turn: QuarterTurn): Point {
  if (turn === 0) return [x, y]
  if (turn === 180) return [widthPx - x, heightPx - y]
  return turn === 90 ? [y, heightPx - x] : [widthPx - y, x]
}

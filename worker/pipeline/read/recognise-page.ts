/**
 * OCR of a prepared picture: the right way up, words back in fractions of the upright page.
 */
import sharp from 'sharp'
import type { Box, Word } from '../../../clinical/document/page.ts'
import type { OcrProvider, OcrResult, OcrWord } from '../../providers/ocr/provider.ts'
import type { OcrPicture } from './child-page.ts'
import { clampBox, turnBox } from './geometry.ts'
import type { Line, Piece } from './lines-through-words.ts'
import { struckAmong } from './struck-in-picture.ts'
import type { QuarterTurn } from './geometry.ts'
import { densestPiece } from './image/densest-piece.ts'
import { bowed } from './image/bend.ts'
import { apply } from './image/homography.ts'
import { mayLackPoints, withLostPoints } from './image/lost-points.ts'
import type { Point } from './image/homography.ts'
import { unreadShare } from './image/unread-print.ts'
import { withLostPrint } from './read-lost-print.ts'

export type Recognised = {
  readonly words: readonly Word[]
  readonly rotation: QuarterTurn
  readonly confidence01: number
  /** Of the print on the page, the share that no word lies on. */
  readonly unread01: number
}

/** Text on its head or side still gives some words, but seldom with confidence. */
const doubtful = 0.62
const hopeless = 0.5

const quarterTurns = [0, 90, 180, 270] as const

/**
 * A turned page costs a few looks at the piece of it with most print, not a reading of the whole for every turn. Most
 * pages stand upright and cost none.
 */
export async function recognisePage(picture: OcrPicture, ocr: OcrProvider, signal: AbortSignal): Promise<Recognised> {
  const reader = { ocr, signal }
  // Levelled by a quarter turn, it is as likely to stand on its head. A service tells by itself, and is paid for each look.
  const isTold = picture.turned === 0 || ocr.picturesAtOnce !== undefined
  const first = isTold ? 0 : await likeliestTurn(picture, [0, 180], reader)
  const attempt = await readTurned(picture, first, reader)
  if (attempt.result.uprightTurn !== undefined) return placed(picture, attempt)
  if (!isDoubtful(attempt, doubtful) && !runsDownwards(attempt.result))
    return placed(picture, await lookedOver(picture, attempt, reader))
  const turn = await likeliestTurn(picture, turnsToTry(attempt), reader)
  if (turn === first) return placed(picture, await lookedOver(picture, attempt, reader))
  const other = await readTurned(picture, turn, reader)
  const better = weight(other.result) > weight(attempt.result) ? other : attempt
  return placed(picture, await lookedOver(picture, better, reader))
}

function turnsToTry(attempt: Attempt): readonly QuarterTurn[] {
  if (runsDownwards(attempt.result)) return [90, 270]
  return isDoubtful(attempt, hopeless) ? quarterTurns : [0, 180]
}

async function likeliestTurn(picture: OcrPicture, turns: readonly QuarterTurn[], reader: Reader): Promise<QuarterTurn> {
  const piece = await densestPiece(picture)
  const attempts: Attempt[] = []
  for (const turn of turns) attempts.push(await readTurned(piece, turn, reader))
  return attempts.reduce((a, b) => (weight(b.result) > weight(a.result) ? b : a)).turn
}

/** Some readers also read lines that run up or down: their words are then taller than wide. */
function runsDownwards({ words }: OcrResult): boolean {
  const long = words.filter(({ text }) => text.length >= 4)
  const tall = long.filter(({ box }) => box[3] - box[1] > 1.3 * (box[2] - box[0]))
  return tall.length > 3 && tall.length > 0.5 * long.length
}

type Sheet = Pick<OcrPicture, 'png' | 'widthPx' | 'heightPx' | 'dpi' | 'surface'>
type Attempt = { readonly turn: QuarterTurn; readonly result: OcrResult }
type Reader = { readonly ocr: OcrProvider; readonly signal: AbortSignal }

async function readTurned(picture: Sheet, turn: QuarterTurn, { ocr, signal }: Reader): Promise<Attempt> {
  if (turn === 0) return { turn, result: await ocr.recognise(picture, { signal }) }
  const png = await sharp(picture.png).rotate(turn).png({ compressionLevel: 2 }).toBuffer()
  const isSideways = turn !== 180
  const size = isSideways ? { widthPx: picture.heightPx, heightPx: picture.widthPx } : {}
  return { turn, result: await ocr.recognise({ ...picture, ...size, png }, { signal }) }
}

/** What our own readers lose most: print that they took for no text, and the points of numbers. */
async function lookedOver(picture: OcrPicture, { turn, result: first }: Attempt, reader: Reader): Promise<Attempt> {
  if (reader.ocr.picturesAtOnce !== undefined) return { turn, result: first }
  // The small copy lies as the page did before it was turned.
  const result = turn === 0 ? await withLostPrint(picture, first, reader) : first
  if (!mayLackPoints(result.words)) return { turn, result }
  const pixels = sharp(picture.png).rotate(turn).greyscale().toColourspace('b-w').raw()
  const { data, info } = await pixels.toBuffer({ resolveWithObject: true })
  const words = withLostPoints({ data, width: info.width, height: info.height }, result.words)
  return { turn, result: { ...result, words } }
}

function isDoubtful(attempt: Attempt, limit: number): boolean {
  return attempt.result.confidence01 < limit || attempt.result.words.length <= 2
}

/** Letters that were read with some confidence. */
function weight({ words }: OcrResult): number {
  return words.reduce((sum, { text, confidence01 }) => sum + (confidence01 > 0.5 ? text.length * confidence01 : 0), 0)
}

function placed(picture: OcrPicture, { turn, result }: Attempt): Recognised {
  const struck = struckAmong(result.words, (result.uprightTurn ?? 0) === 0 ? linesAfterTurn(picture, turn) : [])
  const rotation = turnSum(turnSum(picture.turned, turn), result.uprightTurn ?? 0)
  return {
    rotation,
    confidence01: result.confidence01,
    unread01: unreadShare(
      picture.small,
      result.words.map(({ box }) => boxBeforeTurn(picture, box, turn)),
    ),
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
          ...(struck.has(word) ? { isStruck: true } : {}),
        })),
    ),
  }
}

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

function boxBeforeTurn(picture: OcrPicture, [left, top, right, bottom]: OcrWord['box'], turn: QuarterTurn): Box {
  const [ax, ay] = beforeTurn(picture, [left, top], turn)
  const [bx, by] = beforeTurn(picture, [right, bottom], turn)
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]
}

/** Lines that run up or down once the picture is turned go along no words. */
function linesAfterTurn({ lines, widthPx, heightPx }: OcrPicture, turn: QuarterTurn): readonly Piece[] {
  if (turn === 0) return lines
  if (turn !== 180) return []
  const turned = new Map<Line, Line>()
  return lines.map(({ line, from, to, down }) => {
    const other = turned.get(line) ?? { ...line, from: widthPx - line.to, to: widthPx - line.from }
    turned.set(line, other)
    return { line: other, from: widthPx - to, to: widthPx - from, down: heightPx - down }
  })
}

/** A point of the turned picture where it was before it was turned clockwise. */
function beforeTurn({ widthPx, heightPx }: OcrPicture, [x, y]: Point, turn: QuarterTurn): Point {
  if (turn === 0) return [x, y]
  if (turn === 180) return [widthPx - x, heightPx - y]
  return turn === 90 ? [y, heightPx - x] : [widthPx - y, x]
}

/**
 * A reader that takes a table for columns of text can lose half of its cells, and is sure of all that it kept. The print
 * that no word lies on tells. It is read once more by itself, on an otherwise white page; what was read before stays.
 */
import sharp from 'sharp'
import type { OcrImage, OcrProvider, OcrResult, OcrWord } from '../../providers/ocr/provider.ts'
import type { GreyImage } from './image/grey-image.ts'
import { unreadPieces } from './image/unread-print.ts'

type Sheet = OcrImage & { readonly small: GreyImage }
type Reader = { readonly ocr: OcrProvider; readonly signal: AbortSignal }
type PixelBox = OcrWord['box']

/** Of the length of all lines on the page. Letters that touch a rule or a stamp leave less. */
const mostUnread = 0.02
const sureOfWord = 0.6
/** Somebody should compare what was nearly lost: a letter at its edge may still be. */
const sureOfLost = 0.75
const paper = 255

/** The words read before, unchanged, and behind them those that were found where none of them lies. */
export async function withLostPrint(sheet: Sheet, result: OcrResult, { ocr, signal }: Reader): Promise<OcrResult> {
  const read = result.words.map(({ box }) => box)
  const usualPx = usualHeight(read)
  const pieces = unreadPieces(sheet.small, read).filter((piece) => isLikePrint(piece, usualPx))
  if (read.length === 0 || lengthOf(pieces) <= mostUnread * lengthOf(read)) return result
  // Only what is dark in the small copy is a piece: the rest of its letters lies around it.
  const png = await piecesAlone(
    sheet,
    pieces.map((piece) => grown(piece, usualPx, 0.5 * usualPx)),
    read,
  )
  const { widthPx, heightPx, dpi, surface } = sheet
  const image = { png, widthPx, heightPx, dpi, surface, layout: 'scattered' } as const
  const { words } = await ocr.recognise(image, { signal })
  const lost = words
    .filter(({ confidence01 }) => confidence01 >= sureOfWord)
    .filter(({ box }) => isLikePrint(box, usualPx) && !read.some((other) => liesOn(other, box)))
    .map((word) => ({ ...word, confidence01: Math.min(word.confidence01, sureOfLost) }))
  return { ...result, words: [...result.words, ...behind(result.words, lost)] }
}

function usualHeight(boxes: readonly PixelBox[]): number {
  const heights = boxes.map((box) => box[3] - box[1]).toSorted((a, b) => a - b)
  return heights[Math.floor(heights.length / 2)] ?? 0
}

/** As tall as a line of the print around: logos, stamps and scribbles are taller, leaders and specks lower. */
function isLikePrint([left, top, right, bottom]: PixelBox, usualPx: number): boolean {
  const height = bottom - top
  return height >= 0.4 * usualPx && height <= 2.2 * usualPx && right - left >= 0.4 * usualPx
}

function lengthOf(boxes: readonly PixelBox[]): number {
  return boxes.reduce((sum, [left, , right]) => sum + right - left, 0)
}

async function piecesAlone({ png, widthPx, heightPx }: Sheet, pieces: readonly PixelBox[], read: readonly PixelBox[]) {
  const { data } = await sharp(png).greyscale().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true })
  const alone = Buffer.alloc(widthPx * heightPx, paper)
  const eachRow = (box: PixelBox, visit: (from: number, to: number) => void) => {
    const [left, right] = [Math.max(0, Math.floor(box[0])), Math.min(widthPx, Math.ceil(box[2]))]
    const last = Math.min(heightPx, Math.ceil(box[3]))
    for (let y = Math.max(0, Math.floor(box[1])); y < last; y++)
      if (left < right) visit(y * widthPx + left, y * widthPx + right)
  }
  for (const piece of pieces) eachRow(piece, (from, to) => data.copy(alone, from, from, to))
  for (const box of read) eachRow(grown(box, 2, 2), (from, to) => alone.fill(paper, from, to))
  const raw = { width: widthPx, height: heightPx, channels: 1 } as const
  return await sharp(alone, { raw }).png({ compressionLevel: 2 }).toBuffer()
}

function grown([left, top, right, bottom]: PixelBox, across: number, down: number): PixelBox {
  return [left - across, top - down, right + across, bottom + down]
}

/** Their lines and blocks come after those that are known. */
function behind(known: readonly OcrWord[], lost: readonly OcrWord[]): OcrWord[] {
  const [line, block] = [lastOf(known.map((word) => word.line)), lastOf(known.map((word) => word.block))]
  return lost.map((word) => ({ ...word, line: line + 1 + word.line, block: block + 1 + word.block }))
}

const lastOf = (numbers: readonly number[]) => numbers.reduce((most, number) => Math.max(most, number), -1)

const overlap = 0.25

function liesOn(a: PixelBox, b: PixelBox): boolean {
  const [width, height] = [Math.min(a[2], b[2]) - Math.max(a[0], b[0]), Math.min(a[3], b[3]) - Math.max(a[1], b[1])]
  const area = (box: PixelBox) => (box[2] - box[0]) * (box[3] - box[1])
  return width > 0 && height > 0 && width * height > overlap * Math.min(area(a), area(b))
}

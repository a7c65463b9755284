/**
 * How much print no word lies on. A reader says how sure it is of the words that it found, and nothing of the lines
 * that it lost; the ink outside of all words does.
 */
import type { GreyImage } from './grey-image.ts'

/** So much smaller is the copy that is looked at. */
export const smallFactor = 8

type PixelBox = readonly [left: number, top: number, right: number, bottom: number]

const dark = 165

/** Share of the dark places of the small copy that lie outside of the boxes, which are in pixels of the whole picture. */
export function unreadShare(small: GreyImage, boxes: readonly PixelBox[]): number {
  const { all, unread } = darkPlaces(small, boxes)
  return all === 0 ? 0 : unread.length / all
}

/** Of unread places that are no further apart than letters and words of a line, the boxes in pixels of the whole picture. */
export function unreadPieces(small: GreyImage, boxes: readonly PixelBox[]): PixelBox[] {
  const left = new Set(darkPlaces(small, boxes).unread)
  const pieces: PixelBox[] = []
  for (const first of left) {
    const open = [first]
    let [x0, y0, x1, y1] = [small.width, small.height, 0, 0]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (!left.delete(at)) continue
      const [x, y] = [at % small.width, Math.floor(at / small.width)]
      ;[x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x + 1), Math.max(y1, y + 1)]
      for (const next of neighbours(at, small.width)) if (left.has(next)) open.push(next)
    }
    pieces.push([x0 * smallFactor, y0 * smallFactor, x1 * smallFactor, y1 * smallFactor])
  }
  return pieces
}

const across = [-2, -1, 0, 1, 2]
const neighbours = (at: number, width: number): number[] =>
  across.flatMap((step) => [at + step - width, at + step, at + step + width])

function darkPlaces(small: GreyImage, boxes: readonly PixelBox[]): { all: number; unread: number[] } {
  const isRead = new Uint8Array(small.data.length)
  for (const [left, top, right, bottom] of boxes) {
    const beside = 0.3 * (bottom - top)
    const from = Math.max(0, Math.floor((left - beside) / smallFactor))
    const to = Math.min(small.width, Math.ceil((right + beside) / smallFactor))
    const last = Math.min(small.height, Math.ceil((bottom + beside) / smallFactor))
    for (let y = Math.max(0, Math.floor((top - beside) / smallFactor)); y < last; y++) {
      if (from < to) isRead.fill(1, y * small.width + from, y * small.width + to)
    }
  }
  let all = 0
  const unread: number[] = []
  for (let at = 0; at < small.data.length; at++) {
    if ((small.data[at] ?? 255) >= dark) continue
    all++
    if (isRead[at] === 0) unread.push(at)
  }
  return { all, unread }
}

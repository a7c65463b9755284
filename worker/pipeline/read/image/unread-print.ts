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
  const isRead = new Uint8Array(small.data.length)
  for (const [left, top, right, bottom] of boxes) {
    const around = 0.3 * (bottom - top)
    const from = Math.max(0, Math.floor((left - around) / smallFactor))
    const to = Math.min(small.width, Math.ceil((right + around) / smallFactor))
    const last = Math.min(small.height, Math.ceil((bottom + around) / smallFactor))
    for (let y = Math.max(0, Math.floor((top - around) / smallFactor)); y < last; y++) {
      if (from < to) isRead.fill(1, y * small.width + from, y * small.width + to)
    }
  }
  let [all, unread] = [0, 0]
  for (let at = 0; at < small.data.length; at++) {
    if ((small.data[at] ?? 255) >= dark) continue
    all++
    if (isRead[at] === 0) unread++
  }
  return all === 0 ? 0 : unread / all
}

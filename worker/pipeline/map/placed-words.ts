/** Words in points on their page. Boxes stay as the reader gave them; only the copies here move. */
import type { Page, Word } from '../../../clinical/document/page.ts'

export type PlacedWord = {
  readonly word: Word
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export function placeWord(page: Page, word: Word): PlacedWord {
  const [x0, y0, x1, y1] = word.box
  return {
    word,
    left: x0 * page.widthPt,
    right: x1 * page.widthPt,
    top: y0 * page.heightPt,
    bottom: y1 * page.heightPt,
  }
}

export const centreX = (word: PlacedWord): number => (word.left + word.right) / 2
export const centreY = (word: PlacedWord): number => (word.top + word.bottom) / 2

/**
 * Words in points on a page whose lines run level. Boxes stay as the reader gave them; only the copies here move.
 * Scans keep their skew in the boxes (they must lie on the picture), so lines are found after levelling.
 */
import type { Page, Word } from '../../../clinical/document/page.ts'
import { fitDrops } from './line-drops.ts'

export type PlacedWord = {
  readonly word: Word
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export function placeWords(page: Page): PlacedWord[] {
  const words = page.words.filter((word) => word.text.trim() !== '').map((word) => place(page, word))
  if (page.source === 'text_layer' || page.source === 'structured') return words
  const dropAt = fitDrops(words, page)
  return words.map((word) => {
    const drop = dropAt(centreX(word), centreY(word))
    return { ...word, top: word.top - drop, bottom: word.bottom - drop }
  })
}

function place(page: Page, word: Word): PlacedWord {
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

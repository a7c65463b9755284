/**
 * The words of a page with their lines set level. Scans keep their skew in the boxes (they must lie on the picture), so
 * lines are found after levelling.
 */
import type { Page } from '../../../clinical/document/page.ts'
import { fitDrops } from './line-drops.ts'
import { centreX, centreY, placeWord, type PlacedWord } from './placed-words.ts'

export function levelWords(page: Page): PlacedWord[] {
  const words = page.words.filter((word) => word.text.trim() !== '').map((word) => placeWord(page, word))
  if (page.source === 'text_layer' || page.source === 'structured') return words
  const dropAt = fitDrops(words, page)
  return words.map((word) => {
    const drop = dropAt(centreX(word), centreY(word))
    return { ...word, top: word.top - drop, bottom: word.bottom - drop }
  })
}

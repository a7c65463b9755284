/**
 * Words that stand across the lines of a page and belong to none: text turned up the margin, a stamp or "COPY" set
 * through the page. Left among the lines they would tie rows together that have nothing to do with each other.
 */
import { extent, median, segmentOf } from './bands.ts'
import type { DraftLine } from './draft-lines.ts'
import type { PlacedWord } from './placed-words.ts'

export type Sorted = { readonly lined: readonly PlacedWord[]; readonly stray: readonly PlacedWord[] }

const mostStray = 60

export function sortStray(words: readonly PlacedWord[]): Sorted {
  const ink = median(words.map(({ top, bottom }) => bottom - top))
  const tall = words.filter(({ top, bottom }) => bottom - top > 2.2 * ink)
  // A few at most: a page full of them has lines of several sizes.
  if (tall.length > mostStray) return { lined: words, stray: [] }
  const stray = new Set(tall.filter((word) => isTurned(word, ink) || isSetThrough(word, words, ink)))
  return { lined: words.filter((word) => !stray.has(word)), stray: [...stray] }
}

function isTurned({ word, left, right, top, bottom }: PlacedWord, ink: number): boolean {
  const height = bottom - top
  return word.text.length >= 3 && height > 2.2 * ink && height > 1.8 * (right - left)
}

function isSetThrough(word: PlacedWord, words: readonly PlacedWord[], ink: number): boolean {
  if (word.bottom - word.top < 4 * ink) return false
  const covered = words.filter(
    (other) =>
      other !== word &&
      other.left < word.right &&
      other.right > word.left &&
      other.top < word.bottom &&
      other.bottom > word.top,
  )
  return covered.length >= 3
}

/** After all lines of the page, each stretch that stands together as a line of its own. */
export function strayLines(stray: readonly PlacedWord[]): DraftLine[] {
  const stretches: PlacedWord[][] = []
  for (const word of stray.toSorted((a, b) => a.left - b.left || b.top - a.top)) {
    const home = stretches.find((stretch) => {
      const around = extent(stretch)
      return word.left < around.right && around.left < word.right
    })
    if (home === undefined) stretches.push([word])
    else home.push(word)
  }
  return stretches.map((words) => ({ cells: [{ ...segmentOf(words), column: null }], ...extent(words), table: null }))
}

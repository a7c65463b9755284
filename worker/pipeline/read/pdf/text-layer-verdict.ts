/**
 * Whether a page's text layer can be believed: "whole" (nothing else to read), "beside pictures" (text is fine, but
 * pictures may hold more), or "none" (scan, glyphs without letters, outlines, hidden layer).
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import type { PdfCharacter } from './page-characters.ts'
import type { PageObjects } from './page-objects.ts'

export type TextLayerVerdict = 'whole' | 'beside pictures' | 'none'

type Evidence = {
  readonly characters: readonly PdfCharacter[]
  readonly words: readonly Word[]
  readonly objects: PageObjects
}

/** Of the page: smaller pictures are logos and signatures. */
const pictureWorthReading = 0.04
/** Above this share of glyphs without a letter the rest is not trustworthy either. */
const tooManyUnmapped = 0.1
/** A page of outlined letters has hundreds of paths and hardly a word. */
const outlinePaths = 150

export function judgeTextLayer({ characters, words, objects }: Evidence): TextLayerVerdict {
  const visible = characters.filter((character) => !character.isHidden && !character.isSpace)
  const unmapped = visible.filter((character) => character.isUnmapped).length
  if (unmapped > tooManyUnmapped * visible.length) return 'none'
  if (!readsLikeText(words)) return 'none'
  const pictures = uncoveredShare(objects.images, words)
  if (words.length === 0) return pictures > 0 || objects.pathCount > 0 ? 'none' : 'whole'
  if (words.length < 20 && objects.pathCount > outlinePaths) return 'none'
  return pictures >= pictureWorthReading ? 'beside pictures' : 'whole'
}

const gridSize = 50

/** Share of the page that pictures cover and no word lies on. */
function uncoveredShare(images: readonly Box[], words: readonly Word[]): number {
  const cells = new Uint8Array(gridSize * gridSize)
  for (const image of images) fill(cells, image, 1)
  for (const word of words) fill(cells, word.box, 0)
  return cells.reduce((sum, cell) => sum + cell, 0) / cells.length
}

const from = (edge: number): number => Math.floor(edge * gridSize)
const to = (edge: number): number => Math.min(Math.ceil(edge * gridSize), gridSize)

function fill(cells: Uint8Array, box: Box, value: 0 | 1): void {
  for (let y = from(box[1]); y < to(box[3]); y++)
    cells.fill(value, y * gridSize + from(box[0]), y * gridSize + to(box[2]))
}

/**
 * Fonts with a made-up encoding give letters that are all known and all wrong. Real text of any Latin-script language
 * is mostly words whose letters hold a vowel, or numbers.
 */
function readsLikeText(words: readonly Word[]): boolean {
  if (words.length < 10) return true
  const plausible = words.filter(({ text }) => isPlausible(text)).length
  return plausible >= 0.6 * words.length
}

function isPlausible(text: string): boolean {
  const bare = text.normalize('NFD').replaceAll(/[\p{P}\p{S}\p{M}]/gu, '')
  if (bare.length <= 3 || /^\d+\p{L}{0,4}$/u.test(bare)) return /^[\p{L}\p{N}]*$/u.test(bare)
  if (/^\p{Lu}[\p{Lu}\d]*$/u.test(bare) && bare.length <= 6) return true
  if (!/^[\p{L}\p{N}]+$/u.test(bare)) return false
  if (!/\p{Script=Latin}/u.test(bare))
    return /\d/.test(bare) || /\p{Script=Greek}|\p{Script=Cyrillic}|\p{Lo}/u.test(bare)
  return /[aeiouy\d]/i.test(bare) && !/[bcdfghjklmnpqrstvwxz]{7}/i.test(bare)
}

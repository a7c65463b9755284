/**
 * Whether a page's text layer can be believed: "whole" (nothing else to read), "beside pictures" (text is fine, but
 * pictures may hold more), or "none" (scan, glyphs without letters, outlines, hidden layer).
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import { CoverGrid } from './cover-grid.ts'
import type { PageObjects } from './page-objects.ts'
import type { LayerWord } from './page-words.ts'

export type TextLayerVerdict = 'whole' | 'beside pictures' | 'none'

type Evidence = { readonly words: readonly LayerWord[]; readonly objects: PageObjects }
export type Judgement = {
  readonly verdict: TextLayerVerdict
  /** Those that are believed. */
  readonly words: readonly LayerWord[]
}

/** Of the page: smaller pictures are logos and signatures. */
const pictureWorthReading = 0.04
/** Above this share of glyphs without a letter the rest is not trustworthy either. */
const tooManyUnmapped = 0.1
/** Of outlines that no word lies on; a letter has twenty to forty. */
const cornersWorthReading = 1000

export function judgeTextLayer({ words, objects }: Evidence): Judgement {
  const glyphs = words.reduce((sum, { text }) => sum + text.length, 0)
  const unmapped = words.reduce((sum, word) => sum + word.unmapped, 0)
  if (unmapped > tooManyUnmapped * glyphs || !readsLikeText(words)) return { verdict: 'none', words }
  const believed = believable(words)
  const hasPictures = objects.images.length > 0 || objects.pathCount > 0
  if (believed.words.length === 0) return { verdict: hasPictures ? 'none' : 'whole', words: [] }
  const isMore =
    believed.isLeftToRead ||
    uncoveredShare(objects.images, believed.words) >= pictureWorthReading ||
    cornersBeside(objects, believed.words) >= cornersWorthReading
  return { verdict: isMore ? 'beside pictures' : 'whole', words: believed.words }
}

/** Words of fonts that make no sense, or with glyphs that no letter is known for, are left to OCR; icons are left out. */
function believable(words: readonly LayerWord[]): { words: LayerWord[]; isLeftToRead: boolean } {
  const byFont = Map.groupBy(words, ({ font }) => font)
  const senseless = new Set([...byFont].filter(([, printed]) => !readsLikeText(printed)).map(([font]) => font))
  const left = words.filter(({ font, unmapped }) => senseless.has(font) || unmapped > 0)
  const dropped = new Set(left)
  return {
    words: words.filter((word) => !dropped.has(word)),
    isLeftToRead: left.some(({ text, unmapped }) => unmapped === 0 || text.length > 1),
  }
}

function cornersBeside({ shapes }: PageObjects, words: readonly LayerWord[]): number {
  if (shapes.length === 0) return 0
  const printed = new CoverGrid()
  for (const { box } of words) printed.add(box)
  return shapes.reduce((sum, { box, corners }) => (printed.touches(box) ? sum : sum + corners), 0)
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

/**
 * Characters of a text layer → words. PDFium marks gaps and new lines; we also cut where the boxes say so, since
 * table cells often follow each other without a space.
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'
import type { PdfCharacter } from './page-characters.ts'

export function wordsOfCharacters(characters: readonly PdfCharacter[], page: PageSize): Word[] {
  const words: Word[] = []
  let run: PdfCharacter[] = []
  let line = 0
  let gap: Gap = nothing()
  const flush = (): void => {
    const word = wordOf(run, line)
    if (word !== null) words.push(word)
    run = []
  }
  let previous: PdfCharacter | undefined
  for (const character of characters) {
    if (character.isHidden) continue
    if (character.isSpace) {
      if (gap !== 'printed') gap = character.isGenerated ? 'guessed' : 'printed'
      continue
    }
    const step = previous === undefined ? 'same word' : stepBetween({ before: previous, after: character, gap, page })
    if (step !== 'same word') flush()
    if (step === 'new line') line++
    run.push(character)
    previous = character
    gap = nothing()
  }
  flush()
  return words
}

type PageSize = { readonly widthPt: number; readonly heightPt: number }
type Step = 'same word' | 'new word' | 'new line'
/** What stands between two glyphs: nothing, a space that PDFium guessed (often wrongly), or a space of the file. */
type Gap = 'none' | 'guessed' | 'printed'

// A call keeps the compiler from believing that a gap is always 'none'.
const nothing = (): Gap => 'none'

/** In heights of the font; kerning and letter spacing stay below, spaces between words do not. */
const widestGapInWord = { none: 0.2, guessed: 0.12, printed: Number.NEGATIVE_INFINITY }

function stepBetween(place: { before: PdfCharacter; after: PdfCharacter; gap: Gap; page: PageSize }): Step {
  const { before, after, gap, page } = place
  if (before.angle !== after.angle) return 'new line'
  const [from, to] = [alongLine(before, page), alongLine(after, page)]
  const size = Math.max(from.bottom - from.top, to.bottom - to.top, 1)
  const overlap = Math.min(from.bottom, to.bottom) - Math.max(from.top, to.top)
  if (overlap < 0.2 * Math.min(from.bottom - from.top, to.bottom - to.top)) return 'new line'
  const spaced = (to.start - from.end) / size
  if (spaced < -1.5) return 'new line'
  return spaced > widestGapInWord[gap] ? 'new word' : 'same word'
}

// The frame of the reader who turned the page until the text stands upright, in points.
function alongLine(
  character: PdfCharacter,
  page: PageSize,
): { start: number; end: number; top: number; bottom: number } {
  const [x0, y0, x1, y1] = character.advance
  const [left, right] = [x0 * page.widthPt, x1 * page.widthPt]
  const [top, bottom] = [y0 * page.heightPt, y1 * page.heightPt]
  const frames = {
    0: { start: left, end: right, top, bottom },
    90: { start: top, end: bottom, top: -right, bottom: -left },
    180: { start: -right, end: -left, top: -bottom, bottom: -top },
    270: { start: -bottom, end: -top, top: left, bottom: right },
  }
  return frames[character.angle]
}

function wordOf(run: readonly PdfCharacter[], line: number): Word | null {
  const text = run.map((character) => character.text).join('')
  const box = run.reduce<Box | null>((whole, { box: part }) => (whole === null ? part : union(whole, part)), null)
  if (text === '' || box === null || box[2] <= 0 || box[3] <= 0 || box[0] >= 1 || box[1] >= 1) return null
  const bold = run.filter((character) => character.isBold).length
  return { text, confidence01: 1, box: clampBox(box), line, block: 0, isBold: bold * 2 > run.length }
}

function union(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]
}

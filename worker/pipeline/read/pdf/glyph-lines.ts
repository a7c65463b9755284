/**
 * Characters in the order of the file → lines of glyphs, each with what stands between it and the one before.
 */
import type { PdfCharacter } from './page-characters.ts'

export type Glyph = {
  readonly character: PdfCharacter
  /** What stands before it: nothing, a space that PDFium guessed (often wrongly), or a space of the file. */
  readonly gap: 'none' | 'guessed' | 'printed'
  /** How far the pen moved without drawing, in sizes of the font. */
  readonly spaced: number
}

export function linesOfGlyphs(characters: readonly PdfCharacter[]): Glyph[][] {
  const lines: Glyph[][] = []
  let [isSpaced, isGuessed] = [false, false]
  let before: PdfCharacter | undefined
  for (const character of characters) {
    if (character.isSpace) {
      if (character.isGenerated) isGuessed = true
      else isSpaced = true
      continue
    }
    if (character.text === '') continue
    const gap = isSpaced ? 'printed' : isGuessed ? 'guessed' : 'none'
    const spaced = before === undefined ? null : distanceOnLine(before, character)
    const glyph = { character, gap, spaced: spaced ?? 0 } as const
    if (spaced === null) lines.push([glyph])
    else lines.at(-1)?.push(glyph)
    before = character
    isSpaced = isGuessed = false
  }
  return lines
}

const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}]/u
const touching = 1e-5

/** Null where the next glyph begins another line. */
function distanceOnLine(before: PdfCharacter, after: PdfCharacter): number | null {
  if (before.look.angle !== after.look.angle) return null
  const { along: from } = before
  const { along: to } = after
  const size = Math.max(from.size, to.size, 1)
  const rise = Math.abs(to.baseline - from.baseline)
  if (rise > 0.8 * size) return null
  // Their pen moves back and forth, and their spaces are all in the file.
  if (isRightToLeft(before) || isRightToLeft(after)) return 0
  // Closely set lines are hardly further apart than raised figures; the pen that went down and back began a new one.
  const isBack = to.start < from.start - 0.1 * size
  if (isBack && rise > 0.3 * Math.min(from.size, to.size)) return null
  // Letters that stand for one drawn sign share its ink, and the pen's places say nothing.
  if (Math.abs(after.box[0] - before.box[2]) < touching && before.object === after.object) return 0
  const spaced = (to.start - from.end) / size
  return spaced < -1.5 ? null : spaced
}

// Asked of each pair on the page, so first what is quick.
function isRightToLeft({ text }: PdfCharacter): boolean {
  return text > '\u0590' && rightToLeft.test(text)
}

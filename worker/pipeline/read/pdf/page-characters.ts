/**
 * The characters of a PDF page with the boxes of their ink, as fractions of the page as shown.
 */
import { openScratch, toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { isKnownSymbol, isNoLetter, printedText } from './glyph-text.ts'
import { textObjects } from './text-objects.ts'
import type { TextObject, TextObjects } from './text-objects.ts'

/** A stretch along the line that a character stands on, in points of the reader who turned the page until it is level. */
export type Stretch = {
  /** The pen's place before and after the glyph. */
  readonly start: number
  readonly end: number
  /** As high as the font, not as the ink. */
  readonly top: number
  readonly bottom: number
  readonly baseline: number
}

export type PdfCharacter = {
  /** Empty for characters that stand for nothing printable. */
  readonly text: string
  readonly isSpace: boolean
  /** PDFium made it up from a gap or a new line; it has no box of its own. */
  readonly isGenerated: boolean
  readonly box: Box
  readonly along: Stretch
  readonly look: TextObject
  /** The piece of drawn text that it is part of; 0 where it is none. */
  readonly object: number
  /** The font gives no way from this glyph to a letter. */
  readonly isUnmapped: boolean
}

export type PageCharacters = {
  readonly characters: readonly PdfCharacter[]
  /** There are more, and nobody prints so many on one page. */
  readonly isCutShort: boolean
}

const mostCharacters = 100_000

export function readCharacters(document: PdfDocument, page: PdfPage): PageCharacters {
  const { pdfium } = document
  const text = pdfium.call('FPDFText_LoadPage', page.pointer)
  if (text === 0) return { characters: [], isCutShort: false }
  const scratch = openScratch(pdfium, 512)
  const reading = { page, text, scratch, objects: textObjects(document, page, scratch), ask: questions(pdfium) }
  const count = pdfium.call('FPDFText_CountChars', text)
  const characters: PdfCharacter[] = []
  for (let index = 0; index < Math.min(count, mostCharacters); index++) {
    const character = readCharacter(reading, index)
    characters.push(placeLigaturePart(character, characters.at(-1)))
  }
  scratch.free()
  pdfium.call('FPDFText_ClosePage', text)
  return { characters, isCutShort: count > mostCharacters }
}

// The letters of a ligature all start at the pen's one place; the later ones move behind the first.
function placeLigaturePart(character: PdfCharacter, before: PdfCharacter | undefined): PdfCharacter {
  if (before === undefined || character.isGenerated || before.isGenerated) return character
  const { along } = character
  const width = before.along.end - before.along.start
  if (along.start !== before.along.start || along.baseline !== before.along.baseline) return character
  if (along.end === along.start || width === 0 || character.object !== before.object) return character
  return { ...character, along: { ...along, start: along.start + width, end: along.end + width } }
}

// Looked up once: these are called for each character.
const questions = (pdfium: Pdfium) =>
  ({
    code: pdfium.named('FPDFText_GetUnicode'),
    object: pdfium.named('FPDFText_GetTextObject'),
    isGenerated: pdfium.named('FPDFText_IsGenerated'),
    isUnmapped: pdfium.named('FPDFText_HasUnicodeMapError'),
    ink: pdfium.named('FPDFText_GetCharBox'),
    advance: pdfium.named('FPDFText_GetLooseCharBox'),
    origin: pdfium.named('FPDFText_GetCharOrigin'),
  }) as const

type Reading = {
  readonly page: PdfPage
  readonly text: number
  readonly scratch: Scratch
  readonly objects: TextObjects
  readonly ask: ReturnType<typeof questions>
}

function readCharacter(reading: Reading, index: number): PdfCharacter {
  const { text, ask, objects } = reading
  const code = ask.code(text, index)
  const object = ask.object(text, index)
  const look = objects.of(object, text, index)
  const box = readInk(reading, index)
  const printed = printedText(code, () => box[2] > box[0])
  // PDFium makes up spaces, new lines and hyphens, and nothing else.
  const isGenerated = code <= 32 && ask.isGenerated(text, index) === 1
  return {
    text: printed,
    isSpace: printed === ' ',
    isGenerated,
    box,
    along: readAlong(reading, index, look.angle),
    look,
    object,
    isUnmapped:
      !isGenerated && (isNoLetter(code) || (ask.isUnmapped(text, index) === 1 && !isKnownSymbol(code))),
  }
}

function readInk({ page, text, scratch, ask }: Reading, index: number): Box {
  ask.ink(text, index, scratch.at, scratch.at + 8, scratch.at + 16, scratch.at + 24)
  const [ax, ay] = toShown(page, scratch.double(0), scratch.double(16))
  const [bx, by] = toShown(page, scratch.double(8), scratch.double(24))
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]
}

function readAlong({ page, text, scratch, ask }: Reading, index: number, angle: TextObject['angle']): Stretch {
  ask.advance(text, index, scratch.at)
  const [ax, ay] = toShown(page, scratch.float(0), scratch.float(4))
  const [bx, by] = toShown(page, scratch.float(8), scratch.float(12))
  ask.origin(text, index, scratch.at, scratch.at + 8)
  const [ox, oy] = toShown(page, scratch.double(0), scratch.double(8))
  const left = Math.min(ax, bx) * page.widthPt
  const right = Math.max(ax, bx) * page.widthPt
  const top = Math.min(ay, by) * page.heightPt
  const bottom = Math.max(ay, by) * page.heightPt
  const [x, y] = [ox * page.widthPt, oy * page.heightPt]
  if (angle === 0) return { start: left, end: right, top, bottom, baseline: y }
  if (angle === 90) return { start: top, end: bottom, top: -right, bottom: -left, baseline: -x }
  if (angle === 180) return { start: -right, end: -left, top: -bottom, bottom: -top, baseline: -y }
  return { start: -bottom, end: -top, top: left, bottom: right, baseline: x }
}

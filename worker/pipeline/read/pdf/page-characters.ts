/**
 * The characters of a PDF page with the boxes of their ink, as fractions of the page as shown.
 */
import { openScratch, toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import { isKnownSymbol, isNoLetter, printedText } from './glyph-text.ts'
import { levelPoint } from './level-frame.ts'
import { textObjects } from './text-objects.ts'
import type { TextObject, TextObjects } from './text-objects.ts'

/** A stretch along the line that a character stands on, in points of the reader who turned the page until it is level. */
export type Stretch = {
  /** The pen's place before and after the glyph. */
  readonly start: number
  readonly end: number
  readonly baseline: number
  /** Of the font; what gaps are measured with. */
  readonly size: number
}

export type PdfCharacter = {
  /** Empty for characters that stand for nothing printable. */
  readonly text: string
  readonly isSpace: boolean
  /** PDFium made it up from a gap or a new line; it has no box of its own. */
  readonly isGenerated: boolean
  readonly box: Box
  readonly along: Stretch
  /** Along the line, as `along.end`. */
  readonly inkEnd: number
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
  let pen: Stretch | undefined
  for (let index = 0; index < Math.min(count, mostCharacters); index++) {
    const character = readCharacter(reading, index)
    const isLigaturePart = character.along.start === pen?.start && character.along.baseline === pen.baseline
    pen = character.isGenerated ? undefined : character.along
    characters.push(isLigaturePart ? placeLigaturePart(character, characters.at(-1)) : character)
  }
  scratch.free()
  pdfium.call('FPDFText_ClosePage', text)
  return { characters, isCutShort: count > mostCharacters }
}

// The letters of a ligature all start at the pen's one place, but share its ink: the later ones move behind the first.
function placeLigaturePart(character: PdfCharacter, before: PdfCharacter | undefined): PdfCharacter {
  if (before === undefined || character.isGenerated || character.object !== before.object) return character
  const { along } = character
  const start = Math.max(before.along.end, character.inkEnd - along.end + along.start)
  return { ...character, along: { ...along, start, end: Math.max(start, character.inkEnd) } }
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
  const { page, text, ask, objects } = reading
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
    along: readAlong(reading, index, look),
    inkEnd: endsOf(page, box, look.angle)[1],
    look,
    object,
    isUnmapped: !isGenerated && (isNoLetter(code) || (ask.isUnmapped(text, index) === 1 && !isKnownSymbol(code))),
  }
}

function readInk({ page, text, scratch, ask }: Reading, index: number): Box {
  ask.ink(text, index, scratch.at, scratch.at + 8, scratch.at + 16, scratch.at + 24)
  const [ax, ay] = toShown(page, scratch.double(0), scratch.double(16))
  const [bx, by] = toShown(page, scratch.double(8), scratch.double(24))
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]
}

function readAlong({ page, text, scratch, ask }: Reading, index: number, look: TextObject): Stretch {
  ask.advance(text, index, scratch.at)
  const [ax, ay] = toShown(page, scratch.float(0), scratch.float(4))
  const [bx, by] = toShown(page, scratch.float(8), scratch.float(12))
  ask.origin(text, index, scratch.at, scratch.at + 8)
  const [ox, oy] = toShown(page, scratch.double(0), scratch.double(8))
  const [start, end] = endsOf(
    page,
    [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)],
    look.angle,
  )
  const isLevel = look.angle === 0 || look.angle === 180
  const height = isLevel ? Math.abs(by - ay) * page.heightPt : Math.abs(bx - ax) * page.widthPt
  return { start, end, baseline: levelPoint(page, [ox, oy], look.angle)[1], size: sizeOf(look.size, height) }
}

/** Where it begins and ends along its line, for a reader who turned the page until the line is level. */
function endsOf(page: PdfPage, [x0, y0, x1, y1]: Box, angle: TextObject['angle']): [number, number] {
  if (angle === 0) return [x0 * page.widthPt, x1 * page.widthPt]
  if (angle === 90) return [y0 * page.heightPt, y1 * page.heightPt]
  return angle === 180 ? [-x1 * page.widthPt, -x0 * page.widthPt] : [-y1 * page.heightPt, -y0 * page.heightPt]
}

// Fonts of drawn glyphs may have any unit; the room that their glyphs take then tells more than their size.
function sizeOf(size: number, height: number): number {
  return size > 0 && height > 0.4 * size && height < 3 * size ? size : height / 1.2
}

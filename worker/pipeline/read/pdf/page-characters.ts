/**
 * The characters of a PDF page with the boxes of their ink, as fractions of the page as shown.
 */
import { toShown } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium, PdfPage } from '../../../../platform/rendering/pdfium.ts'
import type { Box } from '../../../../clinical/document/page.ts'
import type { PageObjects } from './page-objects.ts'

export type PdfCharacter = {
  /** Empty for characters that stand for nothing printable. */
  readonly text: string
  readonly isSpace: boolean
  /** PDFium made it up from a gap or a new line; it has no box of its own. */
  readonly isGenerated: boolean
  readonly box: Box
  /** From the pen's place before to its place after the glyph, and as high as the font: what gaps are measured with. */
  readonly advance: Box
  /** Degrees clockwise on the page as shown, to the nearest quarter turn. */
  readonly angle: 0 | 90 | 180 | 270
  readonly isBold: boolean
  /** The font gives no way from this glyph to a letter. */
  readonly isUnmapped: boolean
  /** Drawn invisibly, without colour, or under a picture: nobody can read it on the page. */
  readonly isHidden: boolean
}

const maxCharacters = 200_000

export function readCharacters(document: PdfDocument, page: PdfPage, objects: PageObjects): PdfCharacter[] {
  const { pdfium } = document
  const text = pdfium.call('FPDFText_LoadPage', page.pointer)
  if (text === 0) return []
  const scratch = pdfium.alloc(1024)
  const fonts = new Map<string, boolean>()
  const count = Math.min(pdfium.call('FPDFText_CountChars', text), maxCharacters)
  const characters: PdfCharacter[] = []
  for (let index = 0; index < count; index++) {
    characters.push(readCharacter({ pdfium, page, objects, text, scratch, fonts }, index))
  }
  pdfium.free(scratch)
  pdfium.call('FPDFText_ClosePage', text)
  return characters.map((character, index) => placeLigaturePart(character, characters[index - 1]))
}

// The letters of a ligature all start at the pen's one place; the later ones move behind the first.
function placeLigaturePart(character: PdfCharacter, before: PdfCharacter | undefined): PdfCharacter {
  if (before === undefined || character.isGenerated || before.isGenerated || character.angle !== 0) return character
  const [x0, y0, x1, y1] = character.advance
  const width = before.advance[2] - before.advance[0]
  if (x0 !== before.advance[0] || y0 !== before.advance[1] || x1 === x0 || width === 0) return character
  return { ...character, advance: [x0 + width, y0, x1 + width, y1] }
}

type Reading = {
  readonly pdfium: Pdfium
  readonly page: PdfPage
  readonly objects: PageObjects
  readonly text: number
  readonly scratch: number
  readonly fonts: Map<string, boolean>
}

function readCharacter(reading: Reading, index: number): PdfCharacter {
  const { pdfium, page, text, objects } = reading
  const code = pdfium.call('FPDFText_GetUnicode', text, index)
  const printed = printedText(code)
  const isGenerated = pdfium.call('FPDFText_IsGenerated', text, index) === 1
  const box = readBox(reading, index)
  const radians = pdfium.call('FPDFText_GetCharAngle', text, index)
  const object = pdfium.call('FPDFText_GetTextObject', text, index)
  return {
    text: printed,
    isSpace: printed.trim() === '',
    isGenerated,
    box,
    advance: readAdvance(reading, index),
    angle: quarterOf((radians * 180) / Math.PI, page.quarterTurns),
    isBold: isBold(reading, index, object),
    isUnmapped: !isGenerated && isUnmapped(pdfium, text, index, code),
    isHidden: !isGenerated && objects.isHidden(object, box),
  }
}

const ligatures: Readonly<Record<number, string>> = {
  0xfb00: 'ff',
  0xfb01: 'fi',
  0xfb02: 'fl',
  0xfb03: 'ffi',
  0xfb04: 'ffl',
  0xfb05: 'st',
  0xfb06: 'st',
}

// Symbol fonts put their signs into the private area; these are the ones that documents use as bullets and ticks.
const symbols: Readonly<Record<number, string>> = {
  0xf02d: '-',
  0xf0a7: '▪',
  0xf0a8: '▫',
  0xf0ae: '→',
  0xf0b0: '°',
  0xf0b1: '±',
  0xf0b3: '≥',
  0xf0a3: '≤',
  0xf0b7: '•',
  0xf0d8: '▸',
  0xf0e0: '→',
  0xf0fc: '✓',
  0xf06d: 'µ',
  0xf076: '•',
}

function printedText(code: number): string {
  // PDFium writes 2 for a hyphen at the end of a line.
  if (code === 2 || code === 0xad) return '-'
  if (code < 32 || code === 0xfffe || code === 0xffff || (code >= 0x200b && code <= 0x200f) || code === 0xfeff)
    return ' '
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x3000) return ' '
  return ligatures[code] ?? symbols[code] ?? String.fromCodePoint(Math.min(code, 0x10ffff))
}

function isUnmapped(pdfium: Pdfium, text: number, index: number, code: number): boolean {
  if (symbols[code] !== undefined) return false
  if (pdfium.call('FPDFText_HasUnicodeMapError', text, index) === 1) return true
  return (code >= 0xe000 && code <= 0xf8ff) || code === 0xfffd || (code < 32 && ![2, 9, 10, 13].includes(code))
}

function readBox(reading: Reading, index: number): Box {
  const { pdfium, text, scratch } = reading
  pdfium.call('FPDFText_GetCharBox', text, index, scratch, scratch + 8, scratch + 16, scratch + 24)
  const view = new DataView(pdfium.heap().buffer)
  const at = (offset: number): number => view.getFloat64(scratch + offset, true)
  return shownBox(reading.page, { left: at(0), right: at(8), bottom: at(16), top: at(24) })
}

function readAdvance(reading: Reading, index: number): Box {
  const { pdfium, text, scratch } = reading
  pdfium.call('FPDFText_GetLooseCharBox', text, index, scratch)
  const view = new DataView(pdfium.heap().buffer)
  const at = (offset: number): number => view.getFloat32(scratch + offset, true)
  return shownBox(reading.page, { left: at(0), top: at(4), right: at(8), bottom: at(12) })
}

function shownBox(page: PdfPage, box: { left: number; right: number; bottom: number; top: number }): Box {
  const [ax, ay] = toShown(page, box.left, box.top)
  const [bx, by] = toShown(page, box.right, box.bottom)
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]
}

function quarterOf(degrees: number, pageTurns: number): 0 | 90 | 180 | 270 {
  const turns = (((Math.round(degrees / 90) + pageTurns) % 4) + 4) % 4
  return turns === 1 ? 90 : turns === 2 ? 180 : turns === 3 ? 270 : 0
}

const boldNames = /bold|black|heavy|demi/i
const fillAndStroke = 2

// Only names of fonts and double drawing tell: PDFium's weight of a subset font is a guess (704 for a regular one).
function isBold(reading: Reading, index: number, object: number): boolean {
  const { pdfium, text, scratch, fonts } = reading
  if (object !== 0 && pdfium.call('FPDFTextObj_GetTextRenderMode', object) === fillAndStroke) return true
  const bytes = pdfium.call('FPDFText_GetFontInfo', text, index, scratch + 64, 256, scratch)
  const end = scratch + 64 + Math.max(0, Math.min(bytes, 256) - 1)
  const name = Buffer.from(pdfium.heap().subarray(scratch + 64, end)).toString('latin1')
  const known = fonts.get(name) ?? boldNames.test(name)
  fonts.set(name, known)
  return known
}

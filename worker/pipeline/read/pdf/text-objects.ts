/**
 * What is the same for all characters of one piece of drawn text. Asked once for each piece: pages have thousands of
 * characters.
 */
import type { PdfDocument, Pdfium, PdfPage, Scratch } from '../../../../platform/rendering/pdfium.ts'

export type TextObject = {
  /** Degrees clockwise on the page as shown, to the nearest quarter turn. */
  readonly angle: 0 | 90 | 180 | 270
  /** Of the font, in points of the page; 0 where it cannot be told. */
  readonly size: number
  readonly isBold: boolean
  /** Names the font within its page. */
  readonly font: number
}

export type TextObjects = {
  readonly of: (object: number, text: number, index: number) => TextObject
}

const boldNames = /bold|black|heavy|demi/i
const fillAndStroke = 2

export function textObjects(document: PdfDocument, page: PdfPage, scratch: Scratch): TextObjects {
  const { pdfium } = document
  const known = new Map<number, TextObject>()
  const boldFonts = new Map<number, boolean>()
  const describe = (object: number, text: number, index: number): TextObject => {
    const font = object === 0 ? 0 : pdfium.call('FPDFTextObj_GetFont', object)
    const isBoldFont = boldFonts.get(font) ?? hasBoldName(pdfium, font, scratch)
    boldFonts.set(font, isBoldFont)
    const radians = pdfium.call('FPDFText_GetCharAngle', text, index)
    return {
      angle: quarterOf((radians * 180) / Math.PI, page.quarterTurns),
      size: pdfium.named('FPDFText_GetFontSize')(text, index) * scaleOf(pdfium, text, index, scratch),
      isBold: isBoldFont || (object !== 0 && pdfium.call('FPDFTextObj_GetTextRenderMode', object) === fillAndStroke),
      font,
    }
  }
  return {
    of: (object, text, index) => {
      const found = known.get(object) ?? describe(object, text, index)
      if (object !== 0) known.set(object, found)
      return found
    },
  }
}

// The font's size is that before the text is placed: many files write size 1 and scale it up.
function scaleOf(pdfium: Pdfium, text: number, index: number, { at, float }: Scratch): number {
  if (pdfium.call('FPDFText_GetMatrix', text, index, at) === 0) return 1
  return Math.sqrt(Math.abs(float(0) * float(12) - float(4) * float(8)))
}

// Only names of fonts and double drawing tell: PDFium's weight of a subset font is a guess (704 for a regular one).
function hasBoldName(pdfium: Pdfium, font: number, { at }: Scratch): boolean {
  if (font === 0) return false
  const bytes = Math.min(pdfium.call('FPDFFont_GetBaseFontName', font, at, 256), 256)
  return boldNames.test(Buffer.from(pdfium.heap().subarray(at, at + Math.max(0, bytes - 1))).toString('latin1'))
}

function quarterOf(degrees: number, pageTurns: number): 0 | 90 | 180 | 270 {
  const turns = (((Math.round(degrees / 90) + pageTurns) % 4) + 4) % 4
  return turns === 1 ? 90 : turns === 2 ? 180 : turns === 3 ? 270 : 0
}

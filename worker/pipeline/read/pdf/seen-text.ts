/**
 * Whether text, or a line through it, can be seen, whatever hides it: the page is drawn with and without it. Where no
 * pixel changes there is nothing to read, and what the file says there is meant for programs only.
 */
import type { Box } from '../../../../clinical/document/page.ts'
import type { PdfDocument, PdfPage } from '../../../../platform/rendering/pdfium.ts'
import { renderBitmap } from '../../../../platform/rendering/render-bitmap.ts'
import type { Bitmap } from '../../../../platform/rendering/render-bitmap.ts'
import type { PdfCharacter } from './page-characters.ts'
import type { PageObjects } from './page-objects.ts'

const dpi = 100
const mostPixels = 4e6
/** Of 255: less is no print that a person would notice. */
const leastChange = 20
/** In points; four sheets on one still have twice that. */
const smallestPrint = 1.5

/** The characters that somebody who looks at the page can see. */
export function seenCharacters(
  characters: readonly PdfCharacter[],
  objects: PageObjects,
  { document, page }: { readonly document: PdfDocument; readonly page: PdfPage },
): PdfCharacter[] {
  const doubtful = new Set(objects.doubtful)
  const readable = characters.filter(
    ({ isSpace, object, along }) => isSpace || (!objects.invisible.has(object) && along.size >= smallestPrint),
  )
  if (!readable.some(({ object }) => doubtful.has(object))) return readable
  const change = changeWithout(objects.doubtful, document, page)
  return readable.filter((_, index) => isSeen(readable, index, { doubtful, change }))
}

type Looking = { readonly doubtful: ReadonlySet<number>; readonly change: Bitmap }

/** A dot or stroke alone may fall between two pixels: the letters on both sides of it in its word count as well. */
function isSeen(characters: readonly PdfCharacter[], index: number, { doubtful, change }: Looking): boolean {
  const character = characters[index]
  if (character === undefined || !doubtful.has(character.object) || character.isSpace) return true
  const near = characters
    .slice(Math.max(0, index - 2), index + 3)
    .filter(({ object, isSpace }) => object === character.object && !isSpace)
  const seen = near.filter(({ box }) => mostChange(change, box) >= leastChange).length
  return seen * 2 > near.length || (seen > 0 && mostChange(change, character.box) >= leastChange)
}

/** Of these drawn objects, those without which the page looks otherwise where they lie. */
export function seenObjects(
  drawn: ReadonlyMap<number, Box>,
  { document, page }: { readonly document: PdfDocument; readonly page: PdfPage },
): ReadonlySet<number> {
  if (drawn.size === 0) return new Set()
  const change = changeWithout([...drawn.keys()], document, page)
  return new Set([...drawn].flatMap(([object, box]) => (mostChange(change, box) >= leastChange ? [object] : [])))
}

function changeWithout(objects: readonly number[], document: PdfDocument, page: PdfPage): Bitmap {
  const inches = Math.max((page.widthPt / 72) * (page.heightPt / 72), 1e-3)
  const scale = Math.min(dpi, Math.sqrt(mostPixels / inches)) / 72
  const size = { width: pixels(page.widthPt * scale), height: pixels(page.heightPt * scale), colour: 'grey' } as const
  const setActive = document.pdfium.named('FPDFPageObj_SetIsActive')
  const shown = renderBitmap(document, page, size)
  for (const object of objects) setActive(object, 0)
  const without = renderBitmap(document, page, size)
  for (const object of objects) setActive(object, 1)
  return { ...shown, data: shown.data.map((value, i) => Math.abs(value - (without.data[i] ?? 0))) }
}

function pixels(length: number): number {
  return Math.max(1, Math.round(length))
}

function mostChange({ data, width, height }: Bitmap, box: Box): number {
  const [left, top] = [Math.max(0, Math.floor(box[0] * width)), Math.max(0, Math.floor(box[1] * height))]
  const [right, bottom] = [Math.min(width, Math.ceil(box[2] * width)), Math.min(height, Math.ceil(box[3] * height))]
  let most = 0
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) most = Math.max(most, data[y * width + x] ?? 0)
  }
  return most
}

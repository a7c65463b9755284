import type { Box } from './page.ts'
import type { MappedDocument } from './mapped.ts'

export type PlaceOnPage = { readonly page: number; readonly box: Box }

/**
 * Where a span of the text stands on the pages: one box per line that it touches, around the words that it touches.
 * A span that ends inside a word takes the word's whole box: nothing finer is known.
 */
export function boxesOf(
  document: Pick<MappedDocument, 'lines' | 'words'>,
  span: { readonly start: number; readonly length: number },
): PlaceOnPage[] {
  const end = span.start + span.length
  return document.lines
    .filter((line) => line.start < end && line.start + line.length > span.start)
    .flatMap((line) => {
      const boxes = line.words.flatMap((index) => {
        const word = document.words[index]
        const isTouched = word !== undefined && word.start < end && word.start + word.length > span.start
        return isTouched ? [word.box] : []
      })
      return boxes.length === 0 ? [] : [{ page: line.page, box: around(boxes) }]
    })
}

/** The words whose middle lies in a box, as one span of the text, or null. The way back: from a place to its text. */
export function spanInBox(
  document: Pick<MappedDocument, 'words'>,
  place: PlaceOnPage,
): { start: number; length: number } | null {
  const [x0, y0, x1, y1] = place.box
  const inside = document.words.filter(({ page, box }) => {
    const x = (box[0] + box[2]) / 2
    const y = (box[1] + box[3]) / 2
    return page === place.page && x >= x0 && x <= x1 && y >= y0 && y <= y1
  })
  if (inside.length === 0) return null
  const start = Math.min(...inside.map((word) => word.start))
  return { start, length: Math.max(...inside.map((word) => word.start + word.length)) - start }
}

function around(boxes: readonly Box[]): Box {
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[2])),
    Math.max(...boxes.map((box) => box[3])),
  ]
}

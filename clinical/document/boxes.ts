/** From the text to the pages and back, by halving: a document has hundreds of pages and a viewer asks at every touch. */
import type { Line, MappedDocument, MappedWord } from './mapped.ts'
import type { Box } from './page.ts'
import { firstNotBefore, touchedBy } from './places.ts'

export type PlaceOnPage = { readonly page: number; readonly box: Box }
type TextSpan = { readonly start: number; readonly length: number }

/**
 * Where a span of the text stands on the pages: one box per line that it touches, around the words that it touches.
 * A span that ends inside a word takes the word's whole box: nothing finer is known.
 */
export function boxesOf(document: Pick<MappedDocument, 'lines' | 'words'>, span: TextSpan): PlaceOnPage[] {
  const range = { start: span.start, end: span.start + span.length }
  return touchedBy(document.lines, range).flatMap((line) => {
    const end = Math.min(range.end, line.start + line.length)
    const words = touchedBy(document.words, { start: Math.max(range.start, line.start), end })
    return words.length === 0 ? [] : [{ page: line.page, box: hullOf(words.map((word) => word.box)) }]
  })
}

/** The words whose middle lies in a box, as one span of the text, or null. The way back: from a place to its text. */
export function spanInBox(document: Pick<MappedDocument, 'pages' | 'words'>, place: PlaceOnPage): TextSpan | null {
  return spanOf(wordsInBox(wordsOfPage(document, place.page), place.box))
}

/** The words of a page, in reading order. */
export function wordsOfPage(document: Pick<MappedDocument, 'pages' | 'words'>, page: number): readonly MappedWord[] {
  const span = document.pages.find(({ number }) => number === page)
  return span === undefined ? [] : touchedBy(document.words, { start: span.start, end: span.start + span.length })
}

/** The line that an offset stands on; null between lines. */
export function lineAt(document: Pick<MappedDocument, 'lines'>, offset: number): Line | null {
  const line = document.lines[firstNotBefore(document.lines, ({ start, length }) => start + length <= offset)]
  return line !== undefined && line.start <= offset ? line : null
}

/** A page whose words can be asked for by place again and again, as a pointer moves over it. */
export type PageMap = {
  /** The word whose box holds the point; with several the smallest. */
  readonly wordAt: (x: number, y: number) => MappedWord | null
  /** In reading order. */
  readonly wordsIn: (box: Box) => readonly MappedWord[]
}

export function mapOfPage(document: Pick<MappedDocument, 'pages' | 'words'>, page: number): PageMap {
  const words = wordsOfPage(document, page)
  const fromTop = words.toSorted((a, b) => a.box[1] - b.box[1])
  const tallest = Math.max(0, ...fromTop.map(({ box }) => box[3] - box[1]))
  const between = (top: number, bottom: number) =>
    fromTop.slice(
      firstNotBefore(fromTop, ({ box }) => box[1] < top - tallest),
      firstNotBefore(fromTop, ({ box }) => box[1] <= bottom),
    )
  return {
    wordAt: (x, y) =>
      between(y, y)
        .filter(({ box }) => box[0] <= x && x <= box[2] && box[1] <= y && y <= box[3])
        .toSorted((a, b) => areaOf(a.box) - areaOf(b.box))[0] ?? null,
    wordsIn: (box) => wordsInBox(between(box[1], box[3]), box).toSorted((a, b) => a.start - b.start),
  }
}

export function hullOf(boxes: readonly Box[]): Box {
  let [x0, y0, x1, y1] = boxes[0] ?? [0, 0, 0, 0]
  for (const box of boxes) {
    x0 = Math.min(x0, box[0])
    y0 = Math.min(y0, box[1])
    x1 = Math.max(x1, box[2])
    y1 = Math.max(y1, box[3])
  }
  return [x0, y0, x1, y1]
}

function wordsInBox(words: readonly MappedWord[], [x0, y0, x1, y1]: Box): MappedWord[] {
  return words.filter(({ box }) => {
    const x = (box[0] + box[2]) / 2
    const y = (box[1] + box[3]) / 2
    return x >= x0 && x <= x1 && y >= y0 && y <= y1
  })
}

function spanOf(words: readonly MappedWord[]): TextSpan | null {
  const first = words[0]
  const last = words.at(-1)
  if (first === undefined || last === undefined) return null
  return { start: first.start, length: last.start + last.length - first.start }
}

const areaOf = ([x0, y0, x1, y1]: Box): number => (x1 - x0) * (y1 - y0)

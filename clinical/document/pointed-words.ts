/** The printed words that a person points at: a place in the text, or a box that they drew on a page. */
import { hullOf } from './boxes.ts'
import type { Line, MappedDocument, MappedWord } from './mapped.ts'
import type { Box } from './page.ts'
import { touchedBy } from './places.ts'

export type Pointed = { readonly start: number; readonly length: number } | { readonly page: number; readonly box: Box }

export type PointedWords = {
  readonly pageNumber: number
  readonly textStart: number
  readonly textLength: number
  readonly quote: string
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
  /** A fact is as legible as the least legible of its words. */
  readonly confidence01: number
}

/** One for each line; empty where nothing is printed. */
export function wordsPointedAt(document: MappedDocument, pointed: Pointed): PointedWords[] {
  const isIn = 'page' in pointed ? withinBox(pointed) : withinText(pointed)
  return linesOf(document, pointed).flatMap((line) => {
    const ofLine = touchedBy(document.words, { start: line.start, end: line.start + line.length })
    const words = ofLine.filter(isIn)
    const [first, last] = [words[0], words.at(-1)]
    return first === undefined || last === undefined ? [] : [asPlace(document, { line, words, first, last })]
  })
}

function linesOf({ lines }: MappedDocument, pointed: Pointed): readonly Line[] {
  if ('page' in pointed) return lines.filter((line) => line.page === pointed.page)
  return touchedBy(lines, { start: pointed.start, end: pointed.start + pointed.length })
}

const withinText =
  ({ start, length }: { readonly start: number; readonly length: number }) =>
  (word: MappedWord) =>
    word.start < start + length && start < word.start + word.length

/** Whose middle lies in the box: a hand does not draw along the letters. */
const withinBox =
  ({ box: [x0, y0, x1, y1] }: { readonly box: Box }) =>
  ({ box }: MappedWord) => {
    const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    return x0 <= x && x <= x1 && y0 <= y && y <= y1
  }

type Found = {
  readonly line: Line
  readonly words: readonly MappedWord[]
  readonly first: MappedWord
  readonly last: MappedWord
}

function asPlace({ text }: MappedDocument, { line, words, first, last }: Found): PointedWords {
  const textLength = last.start + last.length - first.start
  const [x0, y0, x1, y1] = hullOf(words.map((word) => word.box))
  return {
    pageNumber: line.page,
    textStart: first.start,
    textLength,
    quote: text.slice(first.start, first.start + textLength),
    x0,
    y0,
    x1,
    y1,
    confidence01: Math.min(1, ...words.map((word) => word.confidence01)),
  }
}

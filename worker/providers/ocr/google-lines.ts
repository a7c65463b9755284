/**
 * Printed words and lines from pieces, by what Vision says and by where they lie: it leaves out breaks between cells of a
 * table, and puts the cells of one row into different lines. All places here are those of the upright picture.
 */
import { boxAroundBoxes } from './google-boxes.ts'
import type { PixelBox } from './google-boxes.ts'
import type { Piece } from './google-words.ts'

export type PlacedPiece = Piece & { readonly upright: PixelBox }

export type PrintedWord = {
  readonly text: string
  readonly confidence01: number
  /** In the picture as it was sent. */
  readonly box: PixelBox
  readonly upright: PixelBox
}

/** Left to right, or right to left where it is written so. */
export type PrintedLine = readonly PrintedWord[]

/** The lines of a block from its paragraphs, top down. */
export function linesOf(paragraphs: readonly (readonly PlacedPiece[])[]): PrintedLine[] {
  const parts = paragraphs.flatMap(partsOf)
  const direction = isWrittenLeftwards(parts.flat()) ? -1 : 1
  const rows: PrintedLine[][] = []
  for (const part of parts.toSorted((a, b) => middleOf(extentOfLine(a)) - middleOf(extentOfLine(b)))) {
    const home = rows.find((row) => isPartOfRow(row, part))
    if (home === undefined) rows.push([part])
    else home.push(part)
  }
  return rows.map((row) => row.toSorted((a, b) => direction * (extentOfLine(a)[0] - extentOfLine(b)[0])).flat())
}

/** What Vision itself takes for a line, cut where its words do not stand side by side. */
function partsOf(pieces: readonly PlacedPiece[]): PrintedLine[] {
  const parts: PrintedWord[][] = []
  let before: PlacedPiece | undefined
  for (const piece of pieces) {
    const part = before?.endsWith === 'line' || before?.endsWith === 'hyphen' ? undefined : parts.at(-1)
    const word = part?.at(-1)
    if (part === undefined || word === undefined || !standsBeside(word.upright, piece.upright)) {
      parts.push([printed(piece)])
    } else if (before?.endsWith === 'nothing' && isClose(word.upright, piece.upright)) {
      part.splice(-1, 1, joined(word, piece))
    } else {
      part.push(printed(piece))
    }
    before = piece
  }
  return parts
}

/** The hyphen is on the page, though among the breaks. */
function textOf({ text, endsWith }: Piece): string {
  return endsWith === 'hyphen' && !/\p{Dash_Punctuation}$/u.test(text) ? `${text}-` : text
}

function printed(piece: PlacedPiece): PrintedWord {
  const { confidence01, box, upright } = piece
  return { text: textOf(piece), confidence01, box, upright }
}

function joined(word: PrintedWord, piece: PlacedPiece): PrintedWord {
  const text = textOf(piece)
  const letters = word.text.length + text.length
  return {
    text: word.text + text,
    confidence01: (word.confidence01 * word.text.length + piece.confidence01 * text.length) / letters,
    box: boxAroundBoxes(word.box, piece.box),
    upright: boxAroundBoxes(word.upright, piece.upright),
  }
}

const heightOf = (box: PixelBox): number => box[3] - box[1]
const middleOf = (box: PixelBox): number => (box[1] + box[3]) / 2

/** Marks and raised letters have next to no height: their middle counts. */
function standsBeside(a: PixelBox, b: PixelBox): boolean {
  const [small, large] = heightOf(a) < heightOf(b) ? [a, b] : [b, a]
  const slack = 0.3 * heightOf(large)
  return middleOf(small) > large[1] - slack && middleOf(small) < large[3] + slack
}

/** Parts of one word are nearer than any space between cells is wide. */
function isClose(a: PixelBox, b: PixelBox): boolean {
  return Math.max(b[0] - a[2], a[0] - b[2]) <= Math.max(heightOf(a), heightOf(b))
}

export function extentOfLine(line: PrintedLine): PixelBox {
  const [first, ...others] = line.map(({ upright }) => upright)
  return first === undefined ? [0, 0, 0, 0] : others.reduce(boxAroundBoxes, first)
}

/** On the height of its nearest neighbour, and nowhere above or below another: long lines of a tilted page overlap, too. */
function isPartOfRow(row: readonly PrintedLine[], part: PrintedLine): boolean {
  const own = extentOfLine(part)
  let nearest: PixelBox | undefined
  let distance = Number.POSITIVE_INFINITY
  for (const box of row.map(extentOfLine)) {
    const away = Math.max(box[0] - own[2], own[0] - box[2])
    if (away < 0) return false
    if (away < distance) [nearest, distance] = [box, away]
  }
  if (nearest === undefined) return false
  const overlap = Math.min(nearest[3], own[3]) - Math.max(nearest[1], own[1])
  return overlap >= 0.5 * Math.min(heightOf(nearest), heightOf(own))
}

function isWrittenLeftwards(words: readonly PrintedWord[]): boolean {
  const count = (pattern: RegExp) => words.filter(({ text }) => pattern.test(text)).length
  return count(/\p{Script=Arabic}|\p{Script=Hebrew}/u) > count(/\p{Script=Latin}/u)
}

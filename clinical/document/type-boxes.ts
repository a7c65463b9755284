/**
 * The box of the type, as selecting the words in a viewer would show it: from the ascent to the descent of their face,
 * whatever letters they are made of. Words are stored with the box of their ink, which makes "run" half as high as
 * "(Hgb)"; a mark over the words of a fact has one height along its line.
 */
import type { Box } from './page.ts'

type PrintedWord = { readonly text: string; readonly box: Box }

/** In heights of a capital, of the common text faces: 0.72 em with an ascent of 0.91 and a descent of 0.21. */
const ascent = 1.26
const descent = 0.3
const smallLetter = 0.73

/** The hull of some words of a line in the height of its type; `line` are all its words. */
export function typeBox(line: readonly PrintedWord[], chosen: readonly PrintedWord[]): Box {
  const usual = median(line.flatMap((word) => capitalHeight(word) ?? []))
  const boxes = chosen.map((word) => wordBox(word, line, usual))
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.max(0, Math.min(...boxes.map((box) => box[1]))),
    Math.max(...boxes.map((box) => box[2])),
    Math.min(1, Math.max(...boxes.map((box) => box[3]))),
  ]
}

function wordBox(word: PrintedWord, line: readonly PrintedWord[], usual: number): Box {
  const own = capitalHeight(word)
  const height = own !== null && isOfOtherSize(word, own, usual) ? own : usual
  if (height === 0) return word.box
  const lettered = own === null ? nearestLettered(word, line) : word
  if (lettered === null) return word.box
  const baseline = lettered.box[3] - below(lettered.text) * height
  const [x0, y0, x1, y1] = word.box
  return [x0, Math.min(baseline - ascent * height, y0), x1, Math.max(baseline + descent * height, y1)]
}

const descending = /[gjpqyQJ,;()[\]{}|/\\µ]/
const tall = /[\p{Lu}\p{N}bdfhklt%()[\]{}|/\\<>]/u
const lettering = /[\p{L}\p{N}%]/u

/** How high a capital beside these letters would be; null for dashes and dots, which say nothing of it. */
function capitalHeight({ text, box }: PrintedWord): number | null {
  if (!lettering.test(text)) return null
  return (box[3] - box[1]) / ((tall.test(text) ? 1 : smallLetter) + below(text))
}

function below(text: string): number {
  return descending.test(text) ? descent : 0
}

function isOfOtherSize({ text }: PrintedWord, own: number, usual: number): boolean {
  return text.length >= 3 && (own > 1.3 * usual || own < 0.7 * usual)
}

function nearestLettered(word: PrintedWord, line: readonly PrintedWord[]): PrintedWord | null {
  const away = ({ box }: PrintedWord) => Math.max(box[0] - word.box[2], word.box[0] - box[2])
  return line
    .filter(({ text }) => lettering.test(text))
    .reduce<PrintedWord | null>((best, other) => (best === null || away(other) < away(best) ? other : best), null)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

/**
 * The box of the type, as selecting the words in a viewer would show it: from the ascent to the descent of their face,
 * whatever letters they are made of. Words are stored with the box of their ink, which makes "run" half as high as
 * "(Hgb)", and on a skewed scan the box of a long word is higher than that of a short one. `slope` is the fall of the
 * line, in heights of the page per width of the page.
 */
import type { Box } from '../../clinical/document/page.ts'

export type PrintedWord = { readonly text: string; readonly box: Box }
export type PrintedLine = {
  readonly words: readonly PrintedWord[]
  readonly slope: number
  /** Of a capital; 0 where no letter tells it. */
  readonly height: number
}

/** In heights of a capital, of common text faces: 0.72 em, with an ascent of 0.88 and a descent of 0.21. */
const ascent = 1.25
const descent = 0.32
const hanging = 0.29

export function printedLine(words: readonly PrintedWord[], slope: number): PrintedLine {
  return { words, slope, height: median(words.flatMap((word) => capitalHeight(word, slope) ?? [])) }
}

/** The hull of some words of a line in the height of its type. */
export function typeBox(line: PrintedLine, chosen: readonly PrintedWord[]): Box {
  // The line's, not the words' own: a word read off a scan may have caught ink of the lines around it.
  const { height } = line
  const boxes = height === 0 ? chosen.map(({ box }) => box) : chosen.map((word) => wordBox(word, line, height))
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.max(0, Math.min(...boxes.map((box) => box[1]))),
    Math.max(...boxes.map((box) => box[2])),
    Math.min(1, Math.max(...boxes.map((box) => box[3]))),
  ]
}

function wordBox(word: PrintedWord, line: PrintedLine, height: number): Box {
  const bearer = isPlausible(word, line.slope, height) ? word : nearestPlausible(word, line, height)
  if (bearer === null) return word.box
  const [x0, , x1] = word.box
  const rise = (Math.abs(line.slope) * (x1 - x0)) / 2
  const baseline = baselineOf(bearer, line.slope, height) + line.slope * (centreOf(word) - centreOf(bearer))
  return [x0, baseline - ascent * height - rise, x1, baseline + descent * height + rise]
}

/** Under the middle of the word. */
export function baselineOf({ text, box }: PrintedWord, slope: number, height: number): number {
  return box[3] - below(text) * height - (Math.abs(slope) * (box[2] - box[0])) / 2
}

const centreOf = ({ box }: PrintedWord): number => (box[0] + box[2]) / 2

const lettering = /[\p{L}\p{N}%]/u

/** How high a capital beside these letters would be; null for dashes and dots, which say nothing of it. */
export function capitalHeight({ text, box }: PrintedWord, slope: number): number | null {
  if (!lettering.test(text)) return null
  const ink = box[3] - box[1] - Math.abs(slope) * (box[2] - box[0])
  return ink / (above(text) + below(text))
}

/** What stands highest over the baseline and hangs lowest under it, in heights of a capital. */
function above(text: string): number {
  if (/[bdfhkl()[\]{}|/\\]/.test(text)) return 1.05
  return /[\p{Lu}\p{N}ij%<>]/u.test(text) ? 1 : text.includes('t') ? 0.9 : 0.74
}

function below(text: string): number {
  if (/[gjpqyµ()[\]{}|]/.test(text)) return hanging
  return /[,;/\\Q]/.test(text) ? hanging / 2 : 0
}

function isPlausible(word: PrintedWord, slope: number, height: number): boolean {
  const own = capitalHeight(word, slope)
  return own !== null && Math.abs(own - height) <= 0.2 * height
}

function nearestPlausible(word: PrintedWord, line: PrintedLine, height: number): PrintedWord | null {
  const away = (other: PrintedWord) => Math.abs(centreOf(other) - centreOf(word))
  return line.words
    .filter((other) => isPlausible(other, line.slope, height))
    .reduce<PrintedWord | null>((best, other) => (best === null || away(other) < away(best) ? other : best), null)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? 0
}

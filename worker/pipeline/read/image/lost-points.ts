/**
 * A point between two figures is the first thing that a reader loses: it is sure of "48" where "4.8" is printed, and the
 * number is ten times too great. The picture still shows it: the figures stand half their height apart, and between them
 * lies a speck on the line that they stand on, which touches neither.
 */
import type { OcrWord } from '../../../providers/ocr/provider.ts'
import type { GreyImage } from './grey-image.ts'

/** "48", "<55", "(25-78)": a number, or both ends of a range. */
const figures = /^([([]?)([<>≤≥]?\d+(?:\.\d+)?(?:[-–—]\d+(?:\.\d+)?)?)([)\]]?)$/u
const mayLackPoint = /(?<![\d.])\d{2,}(?![\d.])/u
/** Three figures behind a point may as well be thousands. */
const isMended = /^[<>≤≥]?\d+(?:\.\d{1,2})?(?:[-–—]\d+(?:\.\d{1,2})?)?$/u

/** Somebody should compare it, although it is likely to be right now. */
const sureOfMended = 0.75
const sureOfDoubted = 0.55

/** Whether there is a number of two figures or more without a point: only then the picture need be unpacked. */
export function mayLackPoints(words: readonly OcrWord[]): boolean {
  return words.some(isCandidate)
}

/** `image` is the picture that the words were read from, and their boxes lie in its pixels. */
export function withLostPoints(image: GreyImage, words: readonly OcrWord[]): OcrWord[] {
  return words.map((word) => (isCandidate(word) ? withItsPoints(image, word) : word))
}

function isCandidate({ text }: OcrWord): boolean {
  return mayLackPoint.test(figures.exec(text)?.[2] ?? '')
}

function withItsPoints(image: GreyImage, word: OcrWord): OcrWord {
  const [, opening = '', number = '', closing = ''] = figures.exec(word.text) ?? []
  const around = inkOf(image, word.box)
  if (around === null) return word
  // Brackets reach below the line that figures stand on.
  const runs = around.runs.slice(opening.length, around.runs.length - closing.length)
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) return word
  const [, top, , bottom] = word.box
  const ink = inkOf(image, [first.from, top, last.to, bottom])
  const points = ink === null ? [] : pointsIn(image, ink)
  if (ink === null || points.length === 0) return word
  const text = points.reduceRight<string | null>((mended, point) => pointed(mended, number, { ink, point }), number)
  if (text === number) return word
  // A point that fits nowhere, or room for one that is not clear: what was read may not be what is printed.
  if (text === null || !isMended.test(text))
    return { ...word, confidence01: Math.min(word.confidence01, sureOfDoubted) }
  return { ...word, text: `${opening}${text}${closing}`, confidence01: Math.min(word.confidence01, sureOfMended) }
}

/** Columns that hold ink above the feet of the figures. */
type Run = { readonly from: number; readonly to: number }
type Ink = { readonly runs: readonly Run[]; readonly top: number; readonly bottom: number; readonly darkest: number }

/** Of the darkest ink of the word. */
const inkShare = 0.35
/** Above this share of their height figures are parted from each other, below it there is room for points. */
const feet = 0.68
const pointFrom = 0.78
const lowestPx = 12

function inkOf(image: GreyImage, box: OcrWord['box']): Ink | null {
  const [left, right] = [Math.max(0, Math.floor(box[0])), Math.min(image.width, Math.ceil(box[2]))]
  let [top, bottom] = [Math.max(0, Math.floor(box[1])), Math.min(image.height, Math.ceil(box[3]))]
  const darkest = darknessIn(image, { left, right, top, bottom })
  if (darkest < 60) return null
  const isBlank = (y: number) => darknessIn(image, { left, right, top: y, bottom: y + 1 }) < 0.5 * darkest
  while (top < bottom && isBlank(top)) top++
  while (bottom > top && isBlank(bottom - 1)) bottom--
  if (bottom - top < lowestPx) return null
  const isInk = (x: number) =>
    darknessIn(image, { left: x, right: x + 1, top, bottom: top + Math.round(feet * (bottom - top)) }) >=
    inkShare * darkest
  return { runs: runsWhere(isInk, left, right), top, bottom, darkest }
}

type Area = { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number }

function darknessIn({ data, width }: GreyImage, { left, right, top, bottom }: Area): number {
  let lightest = 255
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) lightest = Math.min(lightest, data[y * width + x] ?? 255)
  return 255 - lightest
}

function runsWhere(isInk: (x: number) => boolean, left: number, right: number): Run[] {
  const runs: Run[] = []
  let from = -1
  for (let x = left; x <= right; x++) {
    const isInside = x < right && isInk(x)
    if (isInside && from === -1) from = x
    if (isInside || from === -1) continue
    runs.push({ from, to: x })
    from = -1
  }
  return runs
}

/** `unclear`: there is room for a point, and ink that may be one. */
type Point = { readonly x: number; readonly looks: 'clear' | 'unclear' }

function pointsIn(image: GreyImage, ink: Ink): Point[] {
  return ink.runs.slice(1).flatMap((run, before) => {
    const point = pointBetween(image, ink, { from: ink.runs[before]?.to ?? run.from, to: run.from })
    return point === null ? [] : [point]
  })
}

/** In heights of the figures. Without a point they stand a fifth apart, beside a "1" up to half. */
const narrowestGap = 0.28
const widestGap = 0.9
const widestWithout = 0.5
const widestPoint = 0.4
/** Of the darkest ink, and of the point. */
const palestPoint = 0.3
const dip = 0.66

function pointBetween(image: GreyImage, { top, bottom, darkest }: Ink, gap: Run): Point | null {
  const height = bottom - top
  const width = gap.to - gap.from
  if (width < narrowestGap * height || width > widestGap * height) return null
  const from = top + Math.round(pointFrom * height)
  const darkness = Array.from({ length: width }, (_, index) => {
    const left = gap.from + index
    return darknessIn(image, { left, right: left + 1, top: from, bottom })
  })
  // The foot of a "1" reaches into the gap from its side; a point has paper on both sides.
  let best: number | null = null
  for (const [index, dark] of darkness.entries()) {
    const sides = [Math.min(...darkness.slice(0, index + 1)), Math.min(...darkness.slice(index))]
    const isPoint = dark >= palestPoint * darkest && sides.every((side) => side <= dip * dark)
    if (isPoint && dark > (darkness[best ?? -1] ?? 0)) best = index
  }
  if (best === null) {
    const isInked = Math.max(...darkness) >= palestPoint * darkest
    return isInked && width >= widestWithout * height ? { x: gap.from, looks: 'unclear' } : null
  }
  const edge = 0.6 * (darkness[best] ?? 0)
  const [left, right] = [darkness.slice(0, best).toReversed(), darkness.slice(best)].map((side) => {
    const length = side.findIndex((dark) => dark <= edge)
    return length === -1 ? side.length : length
  })
  const breadth = (left ?? 0) + (right ?? 0)
  return breadth > widestPoint * height ? null : { x: gap.from + best, looks: 'clear' }
}

/** The number with a point where this one lies, or null where that is between no two of its figures. */
function pointed(mended: string | null, read: string, { ink, point }: { ink: Ink; point: Point }): string | null {
  if (mended === null) return null
  const signs = read.replaceAll('.', '')
  // The point itself may have been read as a figure ("14.3" as "1443").
  if (ink.runs.length < signs.length && point.looks === 'clear' && !isTouching(ink)) return null
  const before = signsBefore(signs, ink.runs, point.x)
  if (before === null) return null
  let seen = 0
  const at = Array.from(mended).findIndex((sign) => sign !== '.' && seen++ === before)
  const isAmongFigures = /\d/.test(mended[at - 1] ?? '') && /\d/.test(mended[at] ?? '')
  if (mended[at - 1] === '.' || (!isAmongFigures && point.looks === 'unclear')) return mended
  return isAmongFigures && point.looks === 'clear' ? `${mended.slice(0, at)}.${mended.slice(at)}` : null
}

/** Two figures in one run are wider than they are tall. */
const isTouching = ({ runs, top, bottom }: Ink): boolean => runs.some(({ from, to }) => to - from > bottom - top)

/** Where each sign is a run of its own they are counted; where some touch, by how wide they are together. */
function signsBefore(signs: string, runs: readonly Run[], point: number): number | null {
  const before = runs.filter((run) => run.to <= point)
  if (runs.length === signs.length) return before.length
  const [all, left] = [widthOf(runs), widthOf(before)]
  const share = (signs.length * left) / all
  const count = Math.round(share)
  return Math.abs(share - count) < 0.3 && count > 0 && count < signs.length ? count : null
}

function widthOf(runs: readonly Run[]): number {
  return (runs.at(-1)?.to ?? 0) - (runs[0]?.from ?? 0)
}

/**
 * Rules and frames around text make tesseract take a table for a picture and lose its cells. A rule is dark, long and
 * thin; where a letter touches it, it is thicker there, and the letter stays.
 */
import type { GreyImage } from './grey-image.ts'

const dark = 165
const thickest = 10
/**
 * At 300 dpi. Along the lines of text, a row of feet ("2021 LEDZ") looks much like a rule: a rule there must be longer and
 * hardly broken. Downwards nothing in a text is that long; gaps are where a crossing rule was taken away.
 */
const along = { shortest: 160, widestGap: 4, darkShare: 0.92, thinShare: 0.88 }
const down = { shortest: 110, widestGap: 14, darkShare: 0.75, thinShare: 0.7 }
export function eraseRules(image: GreyImage, dpi: number): GreyImage {
  const data = image.data.slice()
  const scale = dpi / 300
  const most = Math.max(3, thickest * scale)
  const level = { ...along, shortest: along.shortest * scale, thickest: most }
  const upright = { ...down, shortest: down.shortest * scale, thickest: most }
  const { width, height } = image
  for (let y = 0; y < height; y++) {
    eraseLine({ source: image.data, data, start: y * width, step: 1, count: width, across: width, ...level })
  }
  // Where rules cross each is thick in the way of the other; with one of them gone the other is thin there too.
  const withoutLevel = data.slice()
  for (let x = 0; x < width; x++) {
    eraseLine({ source: withoutLevel, data, start: x, step: width, count: height, across: 1, ...upright })
  }
  return { ...image, data }
}

type Line = {
  readonly source: Uint8Array
  readonly data: Uint8Array
  readonly start: number
  /** From one pixel of the line to the next, and from the line to its neighbour. */
  readonly step: number
  readonly across: number
  readonly count: number
  readonly shortest: number
  readonly widestGap: number
  /** Noise breaks a rule here and there; a row of letters is broken everywhere. */
  readonly darkShare: number
  readonly thickest: number
  /** A run along the feet of letters is thick at every stem; a rule is so only where letters touch it. */
  readonly thinShare: number
}

function eraseLine(line: Line): void {
  let from = -1
  let last = -1
  let count = 0
  for (let index = 0; index <= line.count; index++) {
    const isDark = index < line.count && (line.source[line.start + index * line.step] ?? 255) < dark
    if (isDark && from === -1) from = index
    if (isDark) {
      last = index
      count++
    }
    if (from === -1 || isDark || (index < line.count && index - last <= line.widestGap)) continue
    if (last - from >= line.shortest && count >= line.darkShare * (last - from + 1)) eraseRun(line, from, last)
    from = -1
    count = 0
  }
}

/** Takes the rule away where it is as thin as a rule. */
function eraseRun(line: Line, from: number, last: number): void {
  const thin: { at: number; before: number; behind: number }[] = []
  for (let index = from; index <= last; index++) {
    const at = line.start + index * line.step
    const before = reach(line, at, -line.across)
    const behind = reach(line, at, line.across)
    if (before + behind + 1 <= line.thickest) thin.push({ at, before, behind })
  }
  if (thin.length < line.thinShare * (last - from + 1)) return
  for (const stroke of thin) fillWithPaper(line, stroke)
}

/** How far the soft edges of a rule reach. */
const softEdge = 3

// White strips on greyish paper would be seen as rules again: the paper from beside the rule goes on over it.
function fillWithPaper({ source, data, across }: Line, stroke: { at: number; before: number; behind: number }): void {
  const from = -stroke.before - softEdge
  const to = stroke.behind + softEdge
  const above = source[stroke.at + (from - 1) * across] ?? 255
  const below = source[stroke.at + (to + 1) * across] ?? 255
  for (let step = from; step <= to; step++) {
    const place = stroke.at + step * across
    const paper = above + ((below - above) * (step - from)) / (to - from)
    const isLetter = Math.max(above, below) < dark
    if (place >= 0 && place < data.length && !isLetter) data[place] = Math.max(data[place] ?? 255, paper)
  }
}

function reach({ source, thickest: most, across }: Line, at: number, step: number): number {
  const direction = Math.sign(step) * across
  let count = 0
  while (count <= most && (source[at + (count + 1) * direction] ?? 255) < dark) count++
  return count
}

/**
 * Rules and frames around text make tesseract take a table for a picture and lose its cells. A rule is dark, long and
 * thin; where a letter touches it, it is thicker there, and the letter stays.
 */
import { grainOf } from './flatten-light.ts'
import type { GreyImage } from './grey-image.ts'

/** Rules are often paler than print; how pale they may be depends on the grain of the paper. */
const darkest = 165
const palest = 205
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
  const dark = Math.min(palest, Math.max(darkest, 240 - 5 * grainOf(image.data, image.width, 150, 4)))
  const most = Math.max(3, thickest * scale)
  const level = { ...along, shortest: along.shortest * scale, thickest: most }
  const upright = { ...down, shortest: down.shortest * scale, thickest: most }
  const { width, height } = image
  eraseLevel({ source: image.data, data, step: 1, across: width, dark, ...level }, width, height)
  // Where rules cross each is thick in the way of the other; with one of them gone the other is thin there too.
  eraseUpright({ source: data.slice(), data, step: width, across: 1, dark, ...upright }, width, height)
  return { ...image, data }
}

type Line = {
  readonly source: Uint8Array
  readonly data: Uint8Array
  readonly dark: number
  /** From one pixel of the line to the next, and from the line to its neighbour. */
  readonly step: number
  readonly across: number
  readonly shortest: number
  readonly widestGap: number
  /** Noise breaks a rule here and there; a row of letters is broken everywhere. */
  readonly darkShare: number
  readonly thickest: number
  /** A run along the feet of letters is thick at every stem; a rule is so only where letters touch it. */
  readonly thinShare: number
}

function eraseLevel(line: Line, width: number, height: number): void {
  const { source, dark, widestGap } = line
  const run = { start: 0, from: -1, last: -1, count: 0 }
  for (let y = 0; y < height; y++) {
    run.start = y * width
    for (let x = 0; x < width; x++) {
      if ((source[run.start + x] ?? 255) >= dark) continue
      if (run.from !== -1 && x - run.last > widestGap) endRun(line, run)
      if (run.from === -1) run.from = x
      run.last = x
      run.count++
    }
    endRun(line, run)
  }
}

/** Column after column would miss the processor's cache at every pixel: all columns are followed at once, row by row. */
function eraseUpright(line: Line, width: number, height: number): void {
  const { source, dark, widestGap, shortest } = line
  const from = new Int32Array(width).fill(-1)
  const last = new Int32Array(width)
  const counts = new Int32Array(width)
  const run = { start: 0, from: -1, last: -1, count: 0 }
  const end = (x: number): void => {
    run.start = x
    run.from = from[x] ?? -1
    run.last = last[x] ?? -1
    run.count = counts[x] ?? 0
    endRun(line, run)
  }
  for (let y = 0; y < height; y++) {
    const row = y * width
    for (let x = 0; x < width; x++) {
      if ((source[row + x] ?? 255) >= dark) continue
      const start = from[x] ?? -1
      const before = last[x] ?? 0
      if (start === -1 || y - before > widestGap) {
        // Strokes of letters, of which there are thousands to a rule, are ended at no cost.
        if (start !== -1 && before - start >= shortest) end(x)
        from[x] = y
        counts[x] = 0
      }
      last[x] = y
      counts[x] = (counts[x] ?? 0) + 1
    }
  }
  for (let x = 0; x < width; x++) end(x)
}

type Run = { readonly start: number; from: number; last: number; count: number }

function endRun(line: Line, run: Run): void {
  const length = run.last - run.from + 1
  const isRule = run.from !== -1 && length > line.shortest && run.count >= line.darkShare * length
  if (isRule) eraseRun(line, run)
  run.from = -1
  run.count = 0
}

/** Takes the rule away where it is as thin as a rule. */
function eraseRun(line: Line, { start, from, last }: Run): void {
  const thin: { at: number; before: number; behind: number }[] = []
  for (let index = from; index <= last; index++) {
    const at = start + index * line.step
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
function fillWithPaper(
  { source, data, across, dark }: Line,
  stroke: { at: number; before: number; behind: number },
): void {
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

function reach({ source, thickest: most, across, dark }: Line, at: number, step: number): number {
  const direction = Math.sign(step) * across
  let count = 0
  while (count <= most && (source[at + (count + 1) * direction] ?? 255) < dark) count++
  return count
}

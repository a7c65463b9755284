/**
 * How far lines of a scan or a photo have dropped from level at a place of the page: a skewed page drops evenly, one
 * taken at an angle fans out, a curled one bends. Fitted to neighbouring words of the reader's own lines.
 */
import type { Page } from '../../../clinical/document/page.ts'
import { median } from './bands.ts'
import { slopeOfRows } from './row-slope.ts'
import { centreX, centreY, type PlacedWord } from './placed-words.ts'
import { solve } from './least-squares.ts'

type Size = Pick<Page, 'widthPt' | 'heightPt'>
/** A fall over a stretch of a line; x and y in -1..1 over the page. */
type Fall = { readonly x: number; readonly y: number; readonly slope: number; readonly weight: number }

const fewFalls = 6

/** Points below level at a place given in points. */
export function fitDrops(words: readonly PlacedWord[], size: Size): (x: number, y: number) => number {
  const falls = fallsOf(words, size)
  if (falls.length < fewFalls) {
    const slope = slopeOfRows(words)
    return (x) => slope * (x - size.widthPt / 2)
  }
  const terms = slopeTerms(falls)
  const half = size.widthPt / 2
  return (x, y) => half * terms.integral(x / half - 1, (2 * y) / size.heightPt - 1)
}

function fallsOf(words: readonly PlacedWord[], { widthPt, heightPt }: Size): Fall[] {
  const lines = Map.groupBy(words, ({ word }) => `${word.block}/${word.line}`)
  return [...lines.values()].flatMap((line) => {
    const height = median(line.map(({ top, bottom }) => bottom - top))
    // Words that the reader's line took in from the lines above or below are no measure.
    const level = line.filter(({ top, bottom }) => bottom - top < 1.6 * height && bottom - top > 0.4 * height)
    return stretches(level.toSorted((a, b) => centreX(a) - centreX(b))).flatMap((stretch) => {
      const run = (stretch.at(-1)?.right ?? 0) - (stretch[0]?.left ?? 0)
      if (stretch.length < 3 || run < 60) return []
      return [
        {
          x: (2 * mean(stretch.map(centreX))) / widthPt - 1,
          y: (2 * mean(stretch.map(centreY))) / heightPt - 1,
          slope: leastSquares(stretch),
          weight: run,
        },
      ]
    })
  })
}

const longestStretch = 160

/** Parts of a line that are short against its bend. */
function stretches(line: readonly PlacedWord[]): PlacedWord[][] {
  const parts: PlacedWord[][] = []
  for (const word of line) {
    const part = parts.at(-1)
    const isFull = part !== undefined && part.length >= 3 && word.right - (part[0]?.left ?? 0) > longestStretch
    if (part === undefined || isFull) parts.push([...(part?.slice(-1) ?? []), word])
    else part.push(word)
  }
  return parts
}

function leastSquares(line: readonly PlacedWord[]): number {
  const meanX = mean(line.map(centreX))
  // Bottoms wander less than centres: descenders are rarer than the mix of tall and short letters.
  const meanBottom = mean(line.map(({ bottom }) => bottom))
  const above = line.reduce((sum, word) => sum + (centreX(word) - meanX) * (word.bottom - meanBottom), 0)
  const below = line.reduce((sum, word) => sum + (centreX(word) - meanX) ** 2, 0)
  return below === 0 ? 0 : above / below
}

type Terms = { readonly at: (x: number, y: number) => number; readonly integral: (x: number, y: number) => number }
type Basis = readonly {
  readonly slope: (x: number, y: number) => number
  readonly drop: (x: number, y: number) => number
}[]

const skewed: Basis = [{ slope: () => 1, drop: (x) => x }]
const fanned: Basis = [...skewed, { slope: (_x, y) => y, drop: (x, y) => x * y }]
const curled: Basis = [
  ...fanned,
  { slope: (x) => x, drop: (x) => x ** 2 / 2 },
  { slope: (x, y) => x * y, drop: (x, y) => (x ** 2 * y) / 2 },
  { slope: (x) => x ** 2, drop: (x) => x ** 3 / 3 },
]

/** As many terms as the page has lines to say something about; a bend only where the lines clearly show one. */
function slopeTerms(falls: readonly Fall[]): Terms {
  const straight = robustFit(falls.length < 8 ? skewed : fanned, falls)
  if (falls.length < 30) return straight
  const bent = robustFit(curled, falls)
  return missOf(bent, falls) < 0.8 * missOf(straight, falls) ? bent : straight
}

function robustFit(basis: Basis, falls: readonly Fall[]): Terms {
  let terms = fit(basis, falls)
  for (let round = 0; round < 3; round += 1) {
    const limit = Math.max(3 * missOf(terms, falls), 0.002)
    terms = fit(
      basis,
      falls.filter((fall) => miss(terms, fall) <= limit),
    )
  }
  return terms
}

const miss = (terms: Terms, { x, y, slope }: Fall): number => Math.abs(slope - terms.at(x, y))
const missOf = (terms: Terms, falls: readonly Fall[]): number => median(falls.map((fall) => miss(terms, fall)))

function fit(basis: Basis, falls: readonly Fall[]): Terms {
  const rows = falls.map(({ x, y }) => basis.map(({ slope }) => slope(x, y)))
  const factors = solve(
    rows,
    falls.map(({ slope }) => slope),
    falls.map(({ weight }) => weight),
  )
  const sum = (parts: readonly number[]) =>
    parts.reduce((total, part, place) => total + part * (factors[place] ?? 0), 0)
  return {
    at: (x, y) => sum(basis.map(({ slope }) => slope(x, y))),
    integral: (x, y) => sum(basis.map(({ drop }) => drop(x, y))),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1)
}

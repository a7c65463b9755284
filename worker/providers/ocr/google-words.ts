/**
 * Vision's symbols → words as they are printed. It parts "mmol/L" and "5.1" into several words of its own; only its breaks
 * say where a printed word ends. An end-line hyphen is a break, and no symbol.
 */
import { z } from 'zod'
import { boxAround, boxAroundBoxes, cornersOf, polySchema, uprightTurnOf } from './google-boxes.ts'
import type { PictureSize, PixelBox, Poly, Turn } from './google-boxes.ts'

const breakSchema = z
  .object({
    detectedBreak: z
      .object({ type: z.union([z.string(), z.number()]).nullish(), isPrefix: z.boolean().nullish() })
      .nullish(),
  })
  .nullish()
  .catch(null)

const symbolSchema = z.object({
  text: z.string().nullish(),
  confidence: z.number().nullish().catch(null),
  boundingBox: polySchema,
  property: breakSchema,
})

export const wordSchema = z.object({
  confidence: z.number().nullish().catch(null),
  boundingBox: polySchema,
  property: breakSchema,
  symbols: z.array(symbolSchema).nullish(),
})
type VisionWord = z.infer<typeof wordSchema>
type VisionSymbol = z.infer<typeof symbolSchema>

/** The run of symbols of one of Vision's words up to a break. */
export type Piece = {
  readonly text: string
  readonly confidence01: number
  readonly box: PixelBox
  /** Clockwise turn that would bring it upright. */
  readonly turn: Turn | null
  readonly endsWith: Ending
}

export type Ending = 'nothing' | 'space' | 'line' | 'hyphen'

/** By name and by number, as the client may give either. */
const endings = new Map<unknown, Ending>([
  ['SPACE', 'space'],
  [1, 'space'],
  ['SURE_SPACE', 'space'],
  [2, 'space'],
  ['EOL_SURE_SPACE', 'line'],
  [3, 'line'],
  ['HYPHEN', 'hyphen'],
  [4, 'hyphen'],
  ['LINE_BREAK', 'line'],
  [5, 'line'],
])

/** `around`: what the word stands in, for one that does not say where it is itself. */
export function piecesOf(word: VisionWord, around: readonly Poly[], size: PictureSize): Piece[] {
  const symbols = word.symbols ?? []
  const corners = cornersOf(word.boundingBox, size)
  const box = boxAround(corners, size) ?? boxOfSymbols(symbols, size) ?? firstBox(around, size)
  if (box === null) return []
  const turn = uprightTurnOf(corners)
  const runs = splitAtBreaks(symbols)
  return runs.flatMap(({ symbols: run, endsWith }, index) => {
    const isLast = index === runs.length - 1
    const text = run.map((symbol) => symbol.text ?? '').join('')
    if (text.trim() === '') return []
    return {
      text,
      confidence01: confidenceOf(word, run),
      // A break inside is rare: only then are the symbols asked where they are.
      box: runs.length === 1 ? box : (boxOfSymbols(run, size) ?? box),
      turn,
      endsWith: isLast && endsWith === 'nothing' ? endingOf(word.property) : endsWith,
    }
  })
}

type Run = { readonly symbols: VisionSymbol[]; endsWith: Ending }

function splitAtBreaks(symbols: readonly VisionSymbol[]): Run[] {
  const runs: Run[] = []
  let open: Run | undefined
  for (const symbol of symbols) {
    const isBefore = symbol.property?.detectedBreak?.isPrefix === true
    const ending = endingOf(symbol.property)
    if (isBefore && open !== undefined && ending !== 'nothing') {
      open.endsWith = ending
      open = undefined
    }
    if (open === undefined) {
      open = { symbols: [], endsWith: 'nothing' }
      runs.push(open)
    }
    open.symbols.push(symbol)
    if (isBefore || ending === 'nothing') continue
    open.endsWith = ending
    open = undefined
  }
  return runs
}

function endingOf(property: VisionSymbol['property']): Ending {
  return endings.get(property?.detectedBreak?.type) ?? 'nothing'
}

function boxOfSymbols(symbols: readonly VisionSymbol[], size: PictureSize): PixelBox | null {
  const boxes = symbols
    .map((symbol) => boxAround(cornersOf(symbol.boundingBox, size), size))
    .filter((box) => box !== null)
  const [first, ...others] = boxes
  return first === undefined ? null : others.reduce(boxAroundBoxes, first)
}

function firstBox(polys: readonly Poly[], size: PictureSize): PixelBox | null {
  for (const poly of polys) {
    const box = boxAround(cornersOf(poly, size), size)
    if (box !== null) return box
  }
  return null
}

/** 0 stands for "not given". */
function confidenceOf({ confidence }: VisionWord, symbols: readonly VisionSymbol[]): number {
  if (isGiven(confidence)) return Math.min(confidence, 1)
  const given = symbols.map((symbol) => symbol.confidence).filter(isGiven)
  return given.length === 0 ? unsaid : Math.min(given.reduce((sum, value) => sum + value, 0) / given.length, 1)
}

const unsaid = 0.8
const isGiven = (confidence: number | null | undefined): confidence is number => (confidence ?? 0) > 0

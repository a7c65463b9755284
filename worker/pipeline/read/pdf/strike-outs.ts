/**
 * Which words of a text layer are struck out: by a mark of that kind, or by a line through their middle. Underlines lie
 * below the letters and rules of tables between the lines.
 */
import type { Box } from '../../../../clinical/document/page.ts'
import type { PdfPage } from '../../../../platform/rendering/pdfium.ts'
import { coveredShare, linesThrough, middleOfLetters, mostOfWord } from '../lines-through-words.ts'
import type { LevelWord, Stretch } from '../lines-through-words.ts'
import type { Stroke } from './drawn-strokes.ts'
import { levelPieces } from './level-pieces.ts'
import { levelPoint } from './level-frame.ts'
import type { LayerWord } from './page-words.ts'

export type Strikes = {
  /** What is marked as struck out, without a line having to be drawn; boxes on the page as shown. */
  readonly marks: readonly Box[]
  readonly strokes: readonly Stroke[]
}

type OnPage = {
  readonly page: Pick<PdfPage, 'widthPt' | 'heightPt'>
  /** Of these objects, drawn there, those that can be seen. */
  readonly seenAmong: (objects: ReadonlyMap<number, Box>) => ReadonlySet<number>
}

type Levelled = LevelWord & { readonly printed: LayerWord }

export function withStrikes(words: readonly LayerWord[], strikes: Strikes, { page, seenAmong }: OnPage): LayerWord[] {
  const byAngle = Map.groupBy(words.map(levelled), ({ printed }) => printed.angle)
  const crossings = [...byAngle].flatMap(([angle, level]) =>
    linesThrough(
      level,
      levelPieces(strikes.strokes, (point) => levelPoint(page, point, angle)),
    ),
  )
  const seen = seenAmong(new Map(crossings.map(({ line, word }) => [line.object, word.printed.box])))
  const byWord = Map.groupBy(
    crossings.filter(({ line }) => seen.has(line.object)),
    ({ word }) => word.printed,
  )
  return words.map((word) => {
    const marked = strikes.marks.flatMap((mark) => underMark(word, mark, page))
    const isStruck = [byWord.get(word) ?? [], marked].some((each) => coveredShare(levelled(word), each) >= mostOfWord)
    return isStruck ? { ...word, isStruck } : word
  })
}

function levelled(printed: LayerWord): Levelled {
  const { start, end, baseline, size } = printed.along
  const { lowest, highest } = middleOfLetters
  return { printed, from: start, to: end, top: baseline - highest * size, bottom: baseline - lowest * size, size }
}

function underMark(word: LayerWord, [x0, y0, x1, y1]: Box, page: OnPage['page']): Stretch[] {
  const [a, b] = [levelPoint(page, [x0, y0], word.angle), levelPoint(page, [x1, y1], word.angle)]
  const { top, bottom } = levelled(word)
  const middle = (top + bottom) / 2
  if (middle < Math.min(a[1], b[1]) || middle > Math.max(a[1], b[1])) return []
  return [{ from: Math.min(a[0], b[0]), to: Math.max(a[0], b[0]) }]
}

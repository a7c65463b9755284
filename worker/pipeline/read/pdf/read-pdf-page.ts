import type { Word } from '../../../../clinical/document/page.ts'
import type { PdfDocument } from '../../../../platform/rendering/pdfium.ts'
import type { QuarterTurn } from '../geometry.ts'
import { turnBox } from '../geometry.ts'
import type { PrintedPage } from './annotations.ts'
import { withoutDoubles, withSpacedLettersJoined } from './mend-words.ts'
import { readCharacters } from './page-characters.ts'
import type { PdfCharacter } from './page-characters.ts'
import { readObjects } from './page-objects.ts'
import { wordsOfCharacters } from './page-words.ts'
import { seenCharacters, seenObjects } from './seen-text.ts'
import { withStrikes } from './strike-outs.ts'
import { judgeTextLayer } from './text-layer-verdict.ts'
import type { TextLayerVerdict } from './text-layer-verdict.ts'

export type PdfPageText = {
  /** Quarter turns clockwise that make the text upright. */
  readonly rotation: QuarterTurn
  /** Upright. */
  readonly words: readonly Word[]
  readonly verdict: TextLayerVerdict
}

/** The text layer of one page, upright, and what to think of it. */
export function readPdfPage(document: PdfDocument, { page, struckOut }: PrintedPage): PdfPageText {
  const objects = readObjects(document, page)
  const all = readCharacters(document, page)
  const characters = seenCharacters(all.characters, objects, { document, page })
  const joined = withSpacedLettersJoined(withoutDoubles(wordsOfCharacters(characters)))
  const printed = withStrikes(
    joined,
    { marks: struckOut, strokes: objects.strokes },
    { page, seenAmong: (strokes) => seenObjects(strokes, { document, page }) },
  )
  const rotation = turnToUpright(characters)
  const { verdict, words } = judgeTextLayer({ words: printed, objects })
  return {
    rotation,
    words: words.map(({ text, confidence01, box, line, block, isBold, isStruck }) => ({
      text,
      confidence01,
      box: turnBox(box, rotation),
      line,
      block,
      isBold: isBold === true,
      ...(isStruck === true ? { isStruck } : {}),
    })),
    verdict,
  }
}

// A landscape table printed on a portrait page: most of its text runs upwards or downwards.
function turnToUpright(characters: readonly PdfCharacter[]): QuarterTurn {
  const counts = new Map<QuarterTurn, number>()
  for (const { look, isSpace } of characters) {
    if (!isSpace) counts.set(look.angle, (counts.get(look.angle) ?? 0) + 1)
  }
  const [commonest] = [...counts].toSorted((a, b) => b[1] - a[1])
  const angle = commonest?.[0] ?? 0
  return angle === 90 ? 270 : angle === 270 ? 90 : angle
}

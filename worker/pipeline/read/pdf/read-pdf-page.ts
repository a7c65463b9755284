import type { Page, Word } from '../../../../clinical/document/page.ts'
import { openPage } from '../../../../platform/rendering/pdfium.ts'
import type { PdfDocument } from '../../../../platform/rendering/pdfium.ts'
import { turnBox } from '../geometry.ts'
import type { QuarterTurn } from '../geometry.ts'
import { readCharacters } from './page-characters.ts'
import type { PdfCharacter } from './page-characters.ts'
import { readObjects } from './page-objects.ts'
import { wordsOfCharacters } from './page-words.ts'
import { judgeTextLayer } from './text-layer-verdict.ts'
import type { TextLayerVerdict } from './text-layer-verdict.ts'

export type PdfPageText = {
  readonly widthPt: number
  readonly heightPt: number
  readonly rotation: QuarterTurn
  readonly words: readonly Word[]
  readonly verdict: TextLayerVerdict
}

/** The text layer of one page, upright, and what to think of it. Null when the page cannot be opened. */
export function readPdfPage(document: PdfDocument, index: number): PdfPageText | null {
  const page = openPage(document, index)
  if (page === null) return null
  const objects = readObjects(document, page)
  const characters = readCharacters(document, page, objects)
  page.close()

  const words = wordsOfCharacters(characters, page)
  const rotation = turnToUpright(characters)
  const isSideways = rotation === 90 || rotation === 270
  return {
    widthPt: isSideways ? page.heightPt : page.widthPt,
    heightPt: isSideways ? page.widthPt : page.heightPt,
    rotation,
    words: words.map((word) => ({ ...word, box: turnBox(word.box, rotation) })),
    verdict: judgeTextLayer({ characters, words, objects }),
  }
}

// A landscape table printed on a portrait page: most of its text runs upwards or downwards.
function turnToUpright(characters: readonly PdfCharacter[]): QuarterTurn {
  const counts = new Map<QuarterTurn, number>()
  for (const { angle, isHidden, isSpace } of characters) {
    if (!isHidden && !isSpace) counts.set(angle, (counts.get(angle) ?? 0) + 1)
  }
  const [commonest] = [...counts].toSorted((a, b) => b[1] - a[1])
  const angle = commonest?.[0] ?? 0
  return angle === 90 ? 270 : angle === 270 ? 90 : angle
}

export function emptyPage(number: number, reason: string): Page {
  return {
    number,
    widthPt: 595,
    heightPt: 842,
    rotation: 0,
    source: 'text_layer',
    engine: 'none',
    quality: { grade: 'unreadable', reason },
    words: [],
  }
}

import type { Page } from '../../clinical/document/page.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'
import { turnBox } from '../../worker/pipeline/read/geometry.ts'

/** What was read of a document, in the form of the corpus' scorers: the mapped text and the words of each page. */
export function readPages(doc: string, pages: readonly Page[]) {
  const mapped = mapPages(pages)
  return {
    doc,
    facts: [],
    pages: pages.map((page) => ({
      page: page.number,
      text: mapped.lines
        .filter((line) => line.page === page.number)
        .map((line) => mapped.text.slice(line.start, line.start + line.length))
        .join('\n'),
      // The truth's boxes are those of the picture as it came in.
      words: page.words.map((word) => [word.text, ...turnBox(word.box, backTurn(page.rotation))]),
    })),
  }
}

function backTurn(rotation: Page['rotation']): Page['rotation'] {
  return rotation === 90 ? 270 : rotation === 270 ? 90 : rotation
}

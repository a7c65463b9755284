import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'
import { layOut } from '../../worker/pipeline/read/structured/lay-out.ts'
import { readPlainText } from '../../worker/pipeline/read/structured/plain-text.ts'

/** Text as a worker reads and maps it, form feeds being page breaks, without a child process or a file. */
export function mapText(text: string): MappedDocument {
  const { pages, widthPt, heightPt } = layOut(readPlainText(Buffer.from(text)))
  return mapPages(
    pages.map(({ words, structure }, index) => ({
      number: index + 1,
      widthPt,
      heightPt,
      rotation: 0,
      source: 'structured',
      engine: 'layout',
      quality: { grade: 'good', reason: null },
      words,
      structure,
    })),
  )
}

import { readFile } from 'node:fs/promises'
import type { ChildPage, ReadTask } from '../child-page.ts'
import type { FlowBlock } from './flow.ts'
import { readClinicalDocument, readFhir, readHl7 } from './health-message.ts'
import { layOut } from './lay-out.ts'
import { readPlainText } from './plain-text.ts'
import { readRichText } from './rich-text.ts'
import { readWordDocument } from './word-document.ts'

const readers: Readonly<Record<string, (file: Buffer) => FlowBlock[]>> = {
  'text/plain': readPlainText,
  'application/rtf': readRichText,
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': readWordDocument,
  'application/hl7-cda+xml': readClinicalDocument,
  'application/fhir+json': readFhir,
  'x-application/hl7-v2+er7': readHl7,
}

/** Null for types that have pages or pixels of their own. */
export function structuredReader(mimeType: string): ((task: ReadTask) => AsyncGenerator<ChildPage>) | null {
  const reader = readers[mimeType]
  if (reader === undefined) return null
  return async function* ({ path, fromPage }) {
    const { pages, widthPt, heightPt } = layOut(reader(await readFile(path)))
    for (const [index, words] of pages.entries()) {
      if (index + 1 < fromPage) continue
      yield {
        kind: 'read',
        number: index + 1,
        pageCount: pages.length,
        widthPt,
        heightPt,
        source: 'structured',
        rotation: 0,
        words,
        verdict: 'whole',
        picture: null,
      }
    }
  }
}

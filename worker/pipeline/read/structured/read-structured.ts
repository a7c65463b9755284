import { readFile } from 'node:fs/promises'
import type { ChildPage, ReadTask } from '../child-page.ts'
import { readWordDocument } from '../office/word-document.ts'
import { readAttachments } from './attachments.ts'
import { readClinicalDocument } from './cda/read-cda.ts'
import { readFhir } from './fhir/read-fhir.ts'
import type { Flow } from './flow.ts'
import { readHl7 } from './hl7/read-hl7.ts'
import { layOut } from './lay-out.ts'
import { readPlainText } from './plain-text.ts'
import { readRichText } from './rich-text.ts'

const readers: Readonly<Record<string, (file: Buffer) => Flow>> = {
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
    const flow = reader(await readFile(path))
    const { pages, widthPt, heightPt } = layOut(flow)
    const attached = await readAttachments(flow.attachments, path)
    const pageCount = pages.length + attached.pageCount
    for (const [index, { words, structure }] of pages.entries()) {
      if (index + 1 < fromPage) continue
      yield {
        kind: 'read',
        number: index + 1,
        pageCount,
        widthPt,
        heightPt,
        source: 'structured',
        rotation: 0,
        words,
        structure,
        verdict: 'whole',
        picture: null,
      }
    }
    for await (const page of attached.pages(Math.max(1, fromPage - pages.length)))
      yield { ...page, number: page.number + pages.length, pageCount }
  }
}

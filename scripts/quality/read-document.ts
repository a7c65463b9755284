/** The pages of a corpus document as the worker reads them. */
import { extname } from 'node:path'
import type { Page } from '../../clinical/document/page.ts'
import { readFile } from '../../worker/pipeline/read/read-file.ts'
import type { OcrProvider } from '../../worker/providers/ocr/provider.ts'
import type { CorpusDocument } from './corpus.ts'

const mimeTypes: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.heic': 'image/heic',
  '.webp': 'image/webp',
  '.txt': 'text/plain',
  '.csv': 'text/plain',
  '.rtf': 'application/rtf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.xml': 'application/hl7-cda+xml',
  '.json': 'application/fhir+json',
  '.hl7': 'x-application/hl7-v2+er7',
}

/** By the name, which the corpus gives rightly. */
export function mimeTypeOf(file: string): string {
  return mimeTypes[extname(file)] ?? 'application/octet-stream'
}

/** Null where the reader cannot read the file. */
export async function readDocument(document: Pick<CorpusDocument, 'file'>, ocr: OcrProvider): Promise<Page[] | null> {
  const mimeType = mimeTypeOf(document.file)
  const pages: Page[] = []
  try {
    const signal = AbortSignal.timeout(300_000)
    for await (const page of readFile({ path: document.file, mimeType }, { ocr, signal })) pages.push(page)
    return pages.toSorted((a, b) => a.number - b.number)
  } catch {
    return null
  }
}

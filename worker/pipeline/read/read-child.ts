/**
 * The child process that opens the file: whatever a hostile file does to a parser happens here. Answers with one page
 * at a time.
 */
import { readFile } from 'node:fs/promises'
import { serveParent } from '../../../platform/child.ts'
import { loadPdfium, openPdf } from '../../../platform/rendering/pdfium.ts'
import { isReadTask } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'
import { readPdfPage } from './pdf/read-pdf-page.ts'

serveParent(async function* (task): AsyncGenerator<ChildPage> {
  if (isReadTask(task)) yield* readPdf(task)
})

async function* readPdf(task: ReadTask): AsyncGenerator<ChildPage> {
  const document = openPdf(await loadPdfium(), await readFile(task.path))
  for (let index = task.fromPage - 1; index < document.pageCount; index++) {
    const page = readPdfPage(document, index)
    const place = { number: index + 1, pageCount: document.pageCount }
    yield page === null ? { ...place, kind: 'broken' } : { ...place, kind: 'read', ...page }
  }
}

/**
 * The child process that opens the file: whatever a hostile file does to a parser happens here. Answers with one page
 * at a time.
 */
import { serveParent } from '../../../platform/child.ts'
import { isReadTask } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'
import { readPdf } from './pdf/read-pdf.ts'
import { structuredReader } from './structured/read-structured.ts'
import { readPictures } from './image/read-pictures.ts'

serveParent(async function* (task): AsyncGenerator<ChildPage> {
  if (isReadTask(task)) yield* readerOf(task.mimeType)(task)
})

function readerOf(mimeType: string): (task: ReadTask) => AsyncGenerator<ChildPage> {
  return structuredReader(mimeType) ?? (mimeType === 'application/pdf' ? readPdf : readPictures)
}

/**
 * The child process that opens the file: whatever a hostile file does to a parser happens here. Answers with one page
 * at a time. There is one such process for each file, so it loads only the reader of that file's type.
 */
import { serveParent } from '../../../platform/child.ts'
import { isReadTask } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'

serveParent(async function* (task): AsyncGenerator<ChildPage> {
  if (isReadTask(task)) yield* (await readerOf(task.mimeType))(task)
})

async function readerOf(mimeType: string): Promise<(task: ReadTask) => AsyncGenerator<ChildPage>> {
  if (mimeType === 'application/pdf') return (await import('./pdf/read-pdf.ts')).readPdf
  const { structuredReader } = await import('./structured/read-structured.ts')
  return structuredReader(mimeType) ?? (await import('./image/read-pictures.ts')).readPictures
}

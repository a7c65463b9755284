/**
 * The child process that opens the file: whatever a hostile file does to a parser happens here. Answers with one page
 * at a time. There is one such process for each file, so it loads only the reader of that file's type.
 */
import { serveParent } from '../../../platform/child.ts'
import { isReadRunsTask } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'

serveParent(async function* (task): AsyncGenerator<ChildPage> {
  if (!isReadRunsTask(task)) return
  const { path, mimeType } = task
  const read = await readerOf(mimeType)
  // There are few gaps, and where there are the file is opened again for each.
  for (const { first, last } of task.runs) {
    for await (const page of read({ path, mimeType, fromPage: first })) {
      yield page
      if (page.number === last) break
    }
  }
})

async function readerOf(mimeType: string): Promise<(task: ReadTask) => AsyncGenerator<ChildPage>> {
  if (mimeType === 'application/pdf') return (await import('./pdf/read-pdf.ts')).readPdf
  const { structuredReader } = await import('./structured/read-structured.ts')
  return structuredReader(mimeType) ?? (await import('./image/read-pictures.ts')).readPictures
}

/**
 * Files that a file carries along: a report as PDF in a message, a scan pasted into a letter. Their pages follow its own.
 * They are read here, in the child, like any other; one that cannot be read costs only its own pages.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChildPage, ReadTask } from '../child-page.ts'
import type { FlowAttachment } from './flow.ts'

const mostAttachments = 50
const mostPages = 500

type Attached = {
  readonly pageCount: number
  /** Numbered from 1 behind one another. */
  readonly pages: (fromPage: number) => AsyncGenerator<ChildPage>
}

export async function readAttachments(attachments: readonly FlowAttachment[]): Promise<Attached> {
  if (attachments.length === 0) return { pageCount: 0, pages: noPages }
  const counted: { readonly file: FlowAttachment; readonly pageCount: number }[] = []
  let pageCount = 0
  for (const file of attachments.slice(0, mostAttachments)) {
    const count = Math.min(await countPages(file), mostPages - pageCount)
    pageCount += count
    if (count > 0) counted.push({ file, pageCount: count })
  }
  return { pageCount, pages: (fromPage) => pagesOf(counted, fromPage) }
}

const noPages = (): AsyncGenerator<ChildPage> => pagesOf([], 1)

async function countPages(file: FlowAttachment): Promise<number> {
  for await (const page of readOne(file, 1)) return page.pageCount
  return 0
}

type Counted = { readonly file: FlowAttachment; readonly pageCount: number }

async function* pagesOf(files: readonly Counted[], fromPage: number): AsyncGenerator<ChildPage> {
  let before = 0
  for (const { file, pageCount } of files) {
    const first = Math.max(1, fromPage - before)
    if (first <= pageCount)
      for await (const page of readOne(file, first)) {
        if (page.number > pageCount) break
        yield { ...page, number: page.number + before }
      }
    before += pageCount
  }
}

async function* readOne(file: FlowAttachment, fromPage: number): AsyncGenerator<ChildPage> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-attached-'))
  try {
    const path = join(folder, 'file')
    await writeFile(path, file.bytes)
    yield* (await readerOf(file.mimeType))({ path, mimeType: file.mimeType, fromPage })
  } catch {
    // Damaged or locked: what carries it says that it is there.
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function readerOf(mimeType: string): Promise<(task: ReadTask) => AsyncGenerator<ChildPage>> {
  if (mimeType === 'application/pdf') return (await import('../pdf/read-pdf.ts')).readPdf
  return (await import('../image/read-pictures.ts')).readPictures
}

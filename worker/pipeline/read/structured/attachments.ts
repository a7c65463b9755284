/**
 * Files that a file carries along: a report as PDF in a message, a scan pasted into a letter. Their pages follow its own.
 * They are read here, in the child, like any other; one that cannot be read costs only its own pages.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ChildPage, ReadTask } from '../child-page.ts'
import type { FlowAttachment } from './flow.ts'

const mostAttachments = 50
const mostPages = 500

type Attached = {
  readonly pageCount: number
  /** Numbered from 1 behind one another. */
  readonly pages: (fromPage: number) => AsyncGenerator<ChildPage>
}

/** `path` is that of the file that carries them: beside it they go when it goes, whatever becomes of this process. */
export async function readAttachments(attachments: readonly FlowAttachment[], path: string): Promise<Attached> {
  if (attachments.length === 0) return { pageCount: 0, pages: noPages }
  const carrier = dirname(path)
  const counted: { readonly file: FlowAttachment; readonly pageCount: number }[] = []
  let pageCount = 0
  for (const file of attachments.slice(0, mostAttachments)) {
    const count = Math.min(await countPages(file, carrier), mostPages - pageCount)
    pageCount += count
    if (count > 0) counted.push({ file, pageCount: count })
  }
  return { pageCount, pages: (fromPage) => pagesOf(counted, fromPage, carrier) }
}

const noPages = (): AsyncGenerator<ChildPage> => pagesOf([], 1, '')

async function countPages(file: FlowAttachment, carrier: string): Promise<number> {
  for await (const page of readOne(file, 1, carrier)) return page.pageCount
  return 0
}

type Counted = { readonly file: FlowAttachment; readonly pageCount: number }

async function* pagesOf(files: readonly Counted[], fromPage: number, carrier: string): AsyncGenerator<ChildPage> {
  let before = 0
  for (const { file, pageCount } of files) {
    const first = Math.max(1, fromPage - before)
    if (first <= pageCount)
      for await (const page of readOne(file, first, carrier)) {
        if (page.number > pageCount) break
        yield { ...page, number: page.number + before }
      }
    before += pageCount
  }
}

async function* readOne(file: FlowAttachment, fromPage: number, carrier: string): AsyncGenerator<ChildPage> {
  const folder = await folderFor(carrier)
  try {
    const path = join(folder, 'file')
    await writeFile(path, file.bytes, { mode: 0o600 })
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

/** Beside the file, unless that lies where nothing may be written. */
async function folderFor(carrier: string): Promise<string> {
  try {
    return await mkdtemp(join(carrier, 'attached-'))
  } catch {
    return await mkdtemp(join(tmpdir(), 'exora-attached-'))
  }
}

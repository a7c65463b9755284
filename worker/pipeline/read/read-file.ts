import type { Page } from '../../../clinical/document/page.ts'
import { askChild } from '../../../platform/child.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import { isChildPage } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'
import { emptyPage } from './pdf/read-pdf-page.ts'

/** Changes when the words or boxes of a page may come out differently. */
export const readVersion = '1'

export type FileToRead = {
  readonly path: string
  readonly mimeType: string
  /** Where an interrupted reading goes on; 1-based. */
  readonly fromPage?: number
}

export type ReadOptions = {
  readonly signal: AbortSignal
  readonly limits?: ChildLimits
  readonly onPage?: (progress: { readonly number: number; readonly pageCount: number }) => void
}

const defaultLimits: ChildLimits = { answerTimeoutMs: 30_000, maxRssBytes: 1_500_000_000 }

/** The pages of a scanned-clean file, one after another; memory does not grow with their number. */
export async function* readFile(file: FileToRead, options: ReadOptions): AsyncGenerator<Page, void, undefined> {
  const task: ReadTask = { path: file.path, mimeType: file.mimeType, fromPage: file.fromPage ?? 1 }
  const answers = askChild({
    script: new URL('read-child.ts', import.meta.url),
    task,
    limits: options.limits ?? defaultLimits,
    signal: options.signal,
  })
  for await (const page of answers) {
    if (!isChildPage(page)) continue
    yield pageOf(page)
    options.onPage?.({ number: page.number, pageCount: page.pageCount })
  }
}

function pageOf(page: ChildPage): Page {
  if (page.kind === 'broken') return emptyPage(page.number, 'This page is damaged and could not be opened.')
  return {
    number: page.number,
    widthPt: page.widthPt,
    heightPt: page.heightPt,
    rotation: page.rotation,
    source: 'text_layer',
    engine: 'pdfium',
    quality: { grade: 'good', reason: null },
    words: page.words,
  }
}

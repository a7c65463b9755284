import type { Page, PageQuality, PageSource, Word } from '../../../clinical/document/page.ts'
import { askChild } from '../../../platform/child.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import type { OcrProvider } from '../../providers/ocr/provider.ts'
import { isChildPage } from './child-page.ts'
import type { ChildPage, ReadTask } from './child-page.ts'
import { mergeWords } from './merge-words.ts'
import { gradePage } from './page-grade.ts'
import { recognisePage } from './recognise-page.ts'

/** Changes when the words or boxes of a page may come out differently. */
export const readVersion = '2'

export type FileToRead = {
  readonly path: string
  /** As the scan found it, not as the client declared it. */
  readonly mimeType: string
  /** Where an interrupted reading goes on; 1-based. */
  readonly fromPage?: number
}

export type ReadOptions = {
  readonly ocr: OcrProvider
  readonly signal: AbortSignal
  readonly limits?: ChildLimits
  readonly onPage?: (progress: { readonly number: number; readonly pageCount: number }) => void
}

const defaultLimits: ChildLimits = { answerTimeoutMs: 60_000, maxRssBytes: 1_800_000_000 }

/** The pages of a file that the scan found clean, one after another; memory does not grow with their number. */
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
    yield await pageOf(page, options)
    options.onPage?.({ number: page.number, pageCount: page.pageCount })
  }
}

type ReadPage = Extract<ChildPage, { kind: 'read' }>

async function pageOf(page: ChildPage, { ocr, signal }: ReadOptions): Promise<Page> {
  if (page.kind === 'broken') return brokenPage(page.number)
  if (page.picture === null) return finished(page, { ...asStored(page), quality: { grade: 'good', reason: null } })

  const recognised = await recognisePage(page.picture, ocr, signal)
  const quality = gradePage(page.picture.quality, recognised)
  const engine = `${ocr.name} ${ocr.version}`
  if (page.verdict === 'none') return finished(page, { ...recognised, source: 'ocr', engine, quality })

  // Words that stand the other way than the text layer belong to a picture that lies on its side.
  const isAlongside = recognised.rotation === page.rotation
  const words = isAlongside ? mergeWords(page.words, recognised.words) : page.words
  if (words.length === page.words.length)
    return finished(page, { ...asStored(page), quality: { grade: 'good', reason: null } })
  return finished(page, { source: 'merged', engine: `pdfium, ${engine}`, rotation: page.rotation, words, quality })
}

function asStored({ source, rotation, words }: ReadPage): Omit<Finish, 'quality'> {
  return { source, rotation, words, engine: source === 'text_layer' ? 'pdfium' : 'layout' }
}

type Finish = {
  readonly source: PageSource
  readonly engine: string
  readonly rotation: Page['rotation']
  readonly words: readonly Word[]
  readonly quality: PageQuality
}

function finished(page: ReadPage, { source, engine, rotation, words, quality }: Finish): Page {
  const isSideways = rotation === 90 || rotation === 270
  return {
    number: page.number,
    widthPt: isSideways ? page.heightPt : page.widthPt,
    heightPt: isSideways ? page.widthPt : page.heightPt,
    rotation,
    source,
    engine,
    quality,
    words,
  }
}

function brokenPage(number: number): Page {
  return {
    number,
    widthPt: 595,
    heightPt: 842,
    rotation: 0,
    source: 'text_layer',
    engine: 'none',
    quality: { grade: 'unreadable', reason: 'This page is damaged and could not be opened.' },
    words: [],
  }
}

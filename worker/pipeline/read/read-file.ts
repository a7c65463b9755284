/**
 * The pages of a file that the scan found clean. One child opens them in turn and prepares their pictures ahead, while
 * several pictures are read side by side; pages come out as they are done, which for pictures is in no order. A few
 * may wait to be saved; so memory does not grow with the number of pages.
 */
import { availableParallelism } from 'node:os'
import type { Page } from '../../../clinical/document/page.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import type { OcrProvider } from '../../providers/ocr/provider.ts'
import { ocrRefused } from '../../providers/ocr/provider.ts'
import { askForPages } from './ask-for-pages.ts'
import type { ChildPage, OcrPicture } from './child-page.ts'
import { pageOf, pageOfPicture, pageWithoutItsPicture } from './finished-page.ts'
import { Channel } from './page-channel.ts'
import type { Batch } from './page-channel.ts'
import { missingRuns } from './page-runs.ts'
import { createPictureRoom } from './picture-room.ts'
import type { PictureRoom } from './picture-room.ts'
import { readPicture } from './read-picture.ts'

/** Changes when the words or boxes of a page may come out differently. */
export const readVersion = '4'

export type FileToRead = {
  readonly path: string
  /** As the scan found it, not as the client declared it. */
  readonly mimeType: string
  readonly pageCount?: number | null
  /** Pages that need not be read again, 1-based. */
  readonly saved?: readonly number[]
}

export type ReadOptions = {
  readonly ocr: OcrProvider
  readonly signal: AbortSignal
  readonly limits?: ChildLimits
  /** Shared by all files that are read in this process; not givenUp: one of its own, for as many as there are cores. */
  readonly room?: PictureRoom
}

const defaultLimits: ChildLimits = { answerTimeoutMs: 60_000, maxRssBytes: 1_800_000_000 }
/** A page of 300 dots per inch has about 4 MB. */
export const roomBytes = 64 * 1024 * 1024
const mostUnsaved = 40

export async function* readFile(file: FileToRead, options: ReadOptions): AsyncGenerator<Page, void, undefined> {
  for await (const pages of readFileInBatches(file, options, { most: 1, waitMs: 0 })) yield* pages
}

/** The first page comes by itself, as a sign that reading goes on; then as many together as come within a moment. */
export async function* readFileInBatches(
  file: FileToRead,
  options: ReadOptions,
  batch: Batch,
): AsyncGenerator<Page[], void, undefined> {
  const givenUp = new AbortController()
  const signal = AbortSignal.any([options.signal, givenUp.signal])
  const pages = new Channel<Page>(mostUnsaved)
  const reading = new Reading(pages, { ...options, signal }).read(file).then(
    () => pages.end(),
    (error: unknown) => pages.fail(error),
  )
  try {
    let next: Batch = { most: 1, waitMs: 0 }
    for (;;) {
      const taken = await pages.take(next)
      if (taken.length === 0) return
      yield taken
      next = batch
    }
  } finally {
    givenUp.abort()
    pages.end()
    await reading
  }
}

type ReadPage = Extract<ChildPage, { kind: 'read' }>
type Aside = { readonly page: Page; readonly error: unknown }

/** One reading of one file: what it has come to. */
class Reading {
  readonly #pages: Channel<Page>
  readonly #options: ReadOptions
  readonly #room: PictureRoom
  /** Aborted by what ends the reading: no other page is opened, and what is under way comes to its end. */
  readonly #opening = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  readonly #asides: Aside[] = []
  #picturesRead = 0

  constructor(pages: Channel<Page>, options: ReadOptions) {
    this.#pages = pages
    this.#options = options
    this.#room = options.room ?? createPictureRoom({ pictures: availableParallelism(), bytes: roomBytes })
  }

  async read(file: FileToRead): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#opening.signal])
    try {
      await this.#open(file, signal)
    } finally {
      await Promise.all(this.#underWay)
    }
    signal.throwIfAborted()
    await this.#settleAsides()
  }

  async #open({ path, mimeType, pageCount = null, saved = [] }: FileToRead, signal: AbortSignal): Promise<void> {
    const { limits = defaultLimits } = this.#options
    const missing = missingRuns(saved, pageCount)
    for await (const page of askForPages({ path, mimeType, pageCount }, missing, { limits, signal })) {
      if (page.kind === 'broken' || page.picture === null) {
        await this.#pages.push(pageOf(page))
        continue
      }
      const leave = await this.#room.enter(page.picture.png.byteLength, signal)
      const work = this.#readPicture(page, page.picture, leave).finally(() => this.#underWay.delete(work))
      this.#underWay.add(work)
    }
  }

  /** Never rejects. */
  async #readPicture(page: ReadPage, picture: OcrPicture, leave: () => void): Promise<void> {
    const { ocr, signal } = this.#options
    try {
      const found = await readPicture(picture, ocr, signal).finally(leave)
      if (found.kind === 'unread') {
        this.#asides.push({ page: pageWithoutItsPicture(page, ocr), error: found.error })
        return
      }
      this.#picturesRead++
      await this.#pages.push(pageOfPicture(page, found, { ocr, looks: picture.quality }))
    } catch (error) {
      this.#opening.abort(error)
    }
  }

  /** A reader that reads no page at all is out of order: that is not the pages' fault, and they are read another time. */
  async #settleAsides(): Promise<void> {
    const [first] = this.#asides
    if (first === undefined) return
    if (this.#picturesRead === 0 && !this.#asides.some(({ error }) => isAboutThePicture(error, this.#options.ocr)))
      throw first.error
    for (const { page } of this.#asides) await this.#pages.push(page)
  }
}

/** Also credentials are refused; one of our own has none. */
function isAboutThePicture(error: unknown, { picturesAtOnce }: OcrProvider): boolean {
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
  return isTimeout || (picturesAtOnce === undefined && ocrRefused.matches(error))
}

/**
 * The pages of a file as the reading child opens them. A page that crashes the child, takes it too long or fills its
 * memory is tried once more by itself, in a fresh one; then the reading goes on behind it.
 */
import { askChild, childCrashed, childTimedOut, childTooLarge } from '../../../platform/child.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import { isChildPage } from './child-page.ts'
import type { ChildPage, ReadRunsTask, WhyBroken } from './child-page.ts'
import { firstRuns, runsBehind } from './page-runs.ts'
import type { PageRun } from './page-runs.ts'

export type FileToOpen = {
  readonly path: string
  readonly mimeType: string
  /** As the scan found it, if it did. */
  readonly pageCount: number | null
}

export type OpenOptions = { readonly limits: ChildLimits; readonly signal: AbortSignal }

// A file that kills its reader page after page is out to do so, and each page may take a minute, twice.
const mostBrokenInARow = 3

// PDFium keeps what it has parsed of a document: a quarter of a megabyte a page. A new child takes half a second.
const pagesOfAChild = 200

export async function* askForPages(
  file: FileToOpen,
  missing: readonly PageRun[],
  options: OpenOptions,
): AsyncGenerator<ChildPage, void, undefined> {
  let [runs, pageCount, brokenInARow] = [missing, file.pageCount, 0]
  for (;;) {
    const [next] = runs
    if (next === undefined || next.first > (pageCount ?? Infinity)) return
    const part = firstRuns(runs, pagesOfAChild)
    try {
      for await (const page of openRuns(file, part, options)) {
        yield page
        ;[runs, pageCount, brokenInARow] = [runsBehind(runs, page.number), page.pageCount, 0]
      }
      // What it has not given is not there.
      if (runsBehind(part, (runs[0]?.first ?? Infinity) - 1).length > 0) return
      continue
    } catch (error) {
      if (whyOf(error, options.signal) === null) throw error
    }

    const number = runs[0]?.first ?? next.first
    if (number > (pageCount ?? Infinity)) return
    const page = await openAlone(file, { number, pageCount }, options)
    yield page
    brokenInARow = page.kind === 'broken' ? brokenInARow + 1 : 0
    ;[runs, pageCount] = [runsBehind(runs, number), page.pageCount]
    if (brokenInARow < mostBrokenInARow) continue
    yield* leftOut(runs, pageCount)
    return
  }
}

async function* openRuns(
  { path, mimeType }: FileToOpen,
  runs: readonly PageRun[],
  { limits, signal }: OpenOptions,
): AsyncGenerator<ChildPage, void, undefined> {
  const task: ReadRunsTask = { path, mimeType, runs }
  for await (const page of askChild({ script: new URL('read-child.ts', import.meta.url), task, limits, signal })) {
    if (isChildPage(page)) yield page
  }
}

type Place = { readonly number: number; readonly pageCount: number | null }

/** Where nobody knows how many pages there are, one that cannot be opened is the last. */
async function openAlone(file: FileToOpen, { number, pageCount }: Place, options: OpenOptions): Promise<ChildPage> {
  const broken = { kind: 'broken', number, pageCount: pageCount ?? number } as const
  try {
    for await (const page of openRuns(file, [{ first: number, last: number }], options)) return page
    return { ...broken, why: 'crashed' }
  } catch (error) {
    const why = whyOf(error, options.signal)
    if (why === null) throw error
    return { ...broken, why }
  }
}

/** Null: this is not the page's doing. */
function whyOf(error: unknown, signal: AbortSignal): WhyBroken | null {
  if (signal.aborted) return null
  if (childTimedOut.matches(error)) return 'timed_out'
  if (childTooLarge.matches(error)) return 'too_large'
  return childCrashed.matches(error) ? 'crashed' : null
}

function* leftOut(runs: readonly PageRun[], pageCount: number): Generator<ChildPage, void, undefined> {
  for (const { first, last } of runs) {
    for (let number = first; number <= (last ?? pageCount); number++) {
      yield { kind: 'broken', number, pageCount, why: 'left_out' }
    }
  }
}

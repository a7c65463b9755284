import { deletePages, lastSavedPage, listPages, savePage } from '../../db/queries/pages.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import { noteOnFile } from '../../db/queries/stage-files.ts'
import { reportStageProgress } from '../../db/queries/stages.ts'
import { withLocalFile } from '../../platform/storage/local-file.ts'
import type { RunContext } from '../engine/handler.ts'
import { readFile } from '../pipeline/read/read-file.ts'
import type { OcrProvider } from '../providers/ocr/provider.ts'
import type { HandlerDeps } from './deps.ts'
import { chooseReader } from './outside-ocr.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/** Each page is saved as soon as it is read, so a retry goes on behind the last one and memory does not grow. */
export const createReadFile = (deps: HandlerDeps) =>
  stageHandler('ocr', async (file, context): Promise<StageResult> => {
    const saved = await context.write((tx) => pagesToKeep(tx, file))
    const { ocr, use } = await chooseReader(file, context, deps)
    await withLocalFile({ store: deps.store, key: file.storageKey, signal: context.signal }, (path) =>
      readPages(path, { file, fromPage: saved + 1 }, context, ocr),
    )
    const pages = await context.read((tx) => listPages(tx, file.shellFileId))
    if (pages.length === 0)
      return { kind: 'failed', error: { code: 'file_corrupt', message: 'No page of this document could be read.' } }
    return {
      kind: 'completed',
      commit: async (tx) => {
        const grade = gradeOfFile(pages.map((page) => page.quality.grade))
        await noteOnFile(tx, file.shellFileId, { pageCount: pages.length, qualityGrade: grade })
        const words = pages.reduce((sum, page) => sum + page.wordCount, 0)
        return { pages: pages.length, words, outside_ocr: use }
      },
    }
  })

type Saved = Parameters<typeof savePage>[0]

/** A stage that was running was interrupted, and its pages are good; any other start is a new reading. */
async function pagesToKeep(tx: Saved, file: FileInStage): Promise<number> {
  if (file.stageStatus === 'running') return await lastSavedPage(tx, file.shellFileId)
  await deletePages(tx, file.shellFileId)
  return 0
}

async function readPages(
  path: string,
  task: { readonly file: FileInStage; readonly fromPage: number },
  context: RunContext,
  ocr: OcrProvider,
): Promise<void> {
  const { file, fromPage } = task
  const options = { ocr, signal: context.signal }
  for await (const page of readFile({ path, mimeType: file.mimeType, fromPage }, options)) {
    await context.write(async (tx) => {
      await savePage(tx, file.shellFileId, page)
      await reportStageProgress(tx, file.shellFileId, 'ocr', { done: page.number, total: file.pageCount })
    })
  }
}

type Grade = 'good' | 'fair' | 'poor' | 'unreadable'
const grades: readonly Grade[] = ['good', 'fair', 'poor', 'unreadable']

/** A file is as good as its worst page, but one page that cannot be read does not make it unreadable. */
export function gradeOfFile(pages: readonly Grade[]): Grade {
  if (pages.every((grade) => grade === 'unreadable')) return 'unreadable'
  const worst = grades.findLast((grade) => pages.includes(grade)) ?? 'good'
  return worst === 'unreadable' ? 'poor' : worst
}

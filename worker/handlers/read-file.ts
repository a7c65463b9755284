import { deletePages, listPages, savedPages, savePages } from '../../db/queries/pages.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import { noteOnFile } from '../../db/queries/stage-files.ts'
import { reportStageProgress } from '../../db/queries/stages.ts'
import { withLocalFile } from '../../platform/storage/local-file.ts'
import type { RunContext } from '../engine/handler.ts'
import { noEngine } from '../pipeline/read/finished-page.ts'
import { createPictureRoom } from '../pipeline/read/picture-room.ts'
import { readFileInBatches, roomBytes } from '../pipeline/read/read-file.ts'
import type { ReadOptions } from '../pipeline/read/read-file.ts'
import type { HandlerDeps } from './deps.ts'
import { chooseReader } from './outside-ocr.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/** Pages are saved as they are read, so a retry reads only those that are missing, and memory does not grow. */
export const createReadFile = (deps: HandlerDeps) => {
  const rooms = createRooms(deps)
  return stageHandler('ocr', async (file, context): Promise<StageResult> => {
    const saved = await context.write((tx) => pagesToKeep(tx, file))
    const { ocr, use } = await chooseReader(file, context, deps)
    const room = use === 'asked' ? rooms.outside : rooms.own
    await withLocalFile({ store: deps.store, key: file.storageKey, signal: context.signal }, (path) =>
      readPages(path, { file, saved }, context, { ocr, room }),
    )
    const pages = await context.read((tx) => listPages(tx, file.shellFileId))
    if (pages.every(({ engine }) => engine === noEngine))
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
}

/** Two files at once share the cores; a service is waited for by none of them. */
function createRooms({ picturesAtOnce, outsideOcr }: HandlerDeps) {
  return {
    own: createPictureRoom({ pictures: picturesAtOnce, bytes: roomBytes }),
    outside: createPictureRoom({ pictures: outsideOcr?.provider.picturesAtOnce ?? picturesAtOnce, bytes: roomBytes }),
  }
}

type Saved = Parameters<typeof savePages>[0]

/** A stage that was running was interrupted, and its pages are good; any other start is a new reading. */
async function pagesToKeep(tx: Saved, file: FileInStage): Promise<number[]> {
  if (file.stageStatus === 'running') return await savedPages(tx, file.shellFileId)
  await deletePages(tx, file.shellFileId)
  return []
}

// Pages with a text of their own come at a hundred a second; nobody sees a row of progress for each.
const savedTogether = { most: 20, waitMs: 100 }

type Reader = Pick<ReadOptions, 'ocr' | 'room'>

async function readPages(
  path: string,
  { file, saved }: { readonly file: FileInStage; readonly saved: readonly number[] },
  context: RunContext,
  reader: Reader,
): Promise<void> {
  const { shellFileId, mimeType, pageCount } = file
  const options = { ...reader, signal: context.signal }
  let done = saved.length
  for await (const pages of readFileInBatches({ path, mimeType, pageCount, saved }, options, savedTogether)) {
    done += pages.length
    await context.write(async (tx) => {
      await savePages(tx, shellFileId, pages)
      await reportStageProgress(tx, shellFileId, 'ocr', { done, total: pageCount })
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

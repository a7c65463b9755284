import { readingsOf, recordOfFile, replaceNarratives } from '../../db/queries/narratives.ts'
import { narrate, templateModel } from '../pipeline/pass3-narrate.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/** Pass 3. Reads and writes in one transaction: a sentence cannot cite an event that went away meanwhile. */
export const createNarrateFacts = () =>
  stageHandler('pass3_narrate', (file): Promise<StageResult> => {
    const by = { provider: 'local', model: templateModel, promptVersion: null }
    return Promise.resolve({
      kind: 'completed',
      commit: async (tx) => {
        const events = await recordOfFile(tx, file.shellFileId)
        const codes = new Set(events.flatMap((event) => (event.code === null ? [] : [event.code])))
        const stories = narrate(events, await readingsOf(tx, file.patientId, [...codes]))
        const { shellFileId, patientId } = file
        await replaceNarratives(
          tx,
          { shellFileId, patientId },
          stories.map((story) => ({ ...story, ...by })),
        )
        return {
          storylines: stories.length,
          sentences: stories.reduce((sum, story) => sum + story.sentences.length, 0),
        }
      },
    })
  })

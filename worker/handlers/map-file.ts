import { readPageStructure } from '../../clinical/document/structured-entry.ts'
import { packLayout } from '../../clinical/document/stored-layout.ts'
import { loadPages, savePageSpans } from '../../db/queries/pages.ts'
import { noteOnFile } from '../../db/queries/stage-files.ts'
import { saveText } from '../../db/queries/texts.ts'
import { mapPagesAside } from '../pipeline/map/map-pages.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

export const createMapFile = () =>
  stageHandler('spatial_mapping', async (file, context): Promise<StageResult> => {
    const stored = await context.read((tx) => loadPages(tx, file.shellFileId))
    const pages = stored.map((page) => ({ ...page, structure: readPageStructure(page.structure) }))
    const document = await mapPagesAside(pages, context.signal)
    const text = { content: document.text, layout: packLayout(document) }
    return {
      kind: 'completed',
      commit: async (tx) => {
        const version = await saveText(tx, file.shellFileId, text)
        await savePageSpans(tx, file.shellFileId, document.pages)
        const { documentClass, locale } = document
        await noteOnFile(tx, file.shellFileId, { documentClass, locale })
        return { text_version: version, lines: document.lines.length, document_class: documentClass }
      },
    }
  })

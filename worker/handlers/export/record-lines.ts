import type { Tx } from '../../../db/actor.ts'
import { loadPage, listPages } from '../../../db/queries/pages.ts'
import { batchOf, listOriginals, readRecordRows } from '../../../db/queries/record-rows.ts'
import type { Original, RecordRow } from '../../../db/queries/record-rows.ts'
import type { RecordSection } from '../../../db/queries/record-sections.ts'

/** A short transaction of the service. An archive is made of many, so that none holds the database up. */
export type Read = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>

/** The rows of a section as JSON, read a batch at a time. */
export async function* rowsOf(section: RecordSection, patientId: string, read: Read): AsyncGenerator<string> {
  for (let after: string | null = null; ;) {
    const rows: readonly RecordRow[] = await read((tx) => readRecordRows(tx, section, { patientId, after }))
    for (const { json } of rows) yield json
    after = rows.at(-1)?.place ?? null
    if (rows.length < batchOf(section)) return
  }
}

const filesAtOnce = 200

/** Every page with its words and where each stands. */
export async function* pagesOf(patientId: string, read: Read): AsyncGenerator<string> {
  for (let after: string | null = null; ;) {
    const files: readonly Original[] = await read((tx) => listOriginals(tx, { patientId, after, limit: filesAtOnce }))
    for (const file of files) yield* pagesOfFile(file.id, read)
    after = files.at(-1)?.id ?? null
    if (files.length < filesAtOnce) return
  }
}

async function* pagesOfFile(shellFileId: string, read: Read): AsyncGenerator<string> {
  for (const { number } of await read((tx) => listPages(tx, shellFileId))) {
    const page = await read((tx) => loadPage(tx, shellFileId, number))
    if (page !== null) yield JSON.stringify({ shell_file_id: shellFileId, ...page })
  }
}

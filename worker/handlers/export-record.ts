/**
 * An export: everything of one person, streamed into the store as it is read. The row of the export names the object
 * before its first byte is written, and an attempt that fails deletes what it wrote: no archive is left where nobody
 * looks. What an attempt left that was killed is deleted by the next one, or swept.
 */
import { databaseError, databaseUnavailable } from '../../db/errors.ts'
import { beginDataExport, finishDataExport } from '../../db/queries/exports.ts'
import { jobs } from '../../jobs/index.ts'
import type { PayloadOf } from '../../jobs/job.ts'
import { newKey } from '../../platform/storage/object-key.ts'
import { zipArchive } from '../../platform/zip-archive.ts'
import type { Handler } from '../engine/handler.ts'
import type { HandlerDeps } from './deps.ts'
import { archiveEntries } from './export/archive-entries.ts'

// The most that a bucket takes in parts of the size in which we send them.
const maxBytes = 48 * 1024 ** 3

export function createExportRecord(deps: HandlerDeps): Handler<PayloadOf<typeof jobs.export_record>> {
  const { store, clock, version } = deps
  return {
    job: jobs.export_record,
    run: async ({ export_id: exportId }, context) => {
      const { signal } = context
      const key = newKey()
      const begun = await context.write((tx) => beginDataExport(tx, exportId, key))
      if (begun === null) return { kind: 'done' }
      if (begun.earlierStorageKey !== null) await store.delete(begun.earlierStorageKey)

      const { patientId } = begun
      const made = { exportId, patientId, exportedAt: clock.now(), version }
      try {
        const entries = archiveEntries(made, { store, read: context.read })
        const archive = await store.put(zipArchive(entries), { maxBytes, signal, key })
        await context.write((tx) => finishDataExport(tx, exportId, archive))
        return { kind: 'done' }
      } catch (error) {
        // With the connection gone nobody knows whether the export was finished; its row names the object either way.
        if (!databaseUnavailable.matches(databaseError(error))) await store.delete(key)
        throw error
      }
    },
  }
}

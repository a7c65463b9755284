import { expireDataExport, listEndedExports } from '../db/queries/exports.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Schedule, ScheduleDeps } from './engine/scheduler.ts'

const hour = 60 * 60
const batch = 1_000

/** What must go when its time is over: archives of exports. */
export const createPrivacySchedules = (store: Store): readonly Schedule[] => [
  {
    name: 'expire_data_exports',
    everySeconds: hour,
    run: (run) => expireExports(run, store),
  },
]

/** The archive first: as long as it may be there, a row says where. What is more than a batch is due again in an hour. */
async function expireExports({ inService, signal }: ScheduleDeps, store: Store): Promise<void> {
  for (const { id, storageKey } of await inService((tx) => listEndedExports(tx, batch))) {
    if (signal.aborted) return
    await store.delete(storageKey)
    await inService((tx) => expireDataExport(tx, id))
  }
}

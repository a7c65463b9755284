import type { Tx } from '../db/actor.ts'
import { listDueClosures } from '../db/queries/closures.ts'
import { expireDataExport, listEndedExports } from '../db/queries/exports.ts'
import { enqueue } from '../jobs/enqueue.ts'
import { jobs } from '../jobs/index.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Schedule, ScheduleDeps } from './engine/schedule.ts'

const hour = 60 * 60
const batch = 1_000

/** What must go when its time is over: archives of exports, and accounts that asked for it. */
export const createPrivacySchedules = (store: Store): readonly Schedule[] => [
  {
    name: 'expire_data_exports',
    slots: { everySeconds: hour },
    run: (run) => expireExports(run, store),
  },
  {
    name: 'purge_due_accounts',
    slots: { everySeconds: hour },
    run: (run) => run.inService(enqueueDuePurges),
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

/** One job for each closure, however often it is found due: what a purge did not get through goes on under its job. */
async function enqueueDuePurges(tx: Tx): Promise<void> {
  for (const { id, accountId } of await listDueClosures(tx, batch)) {
    await enqueue(tx, jobs.purge_account, { closure_id: id }, { initiatedBy: accountId })
  }
}

import {
  deleteExpiredIdempotencyKeys,
  ensureAuditPartitions,
  forgetSilentWorkers,
  sealAuditLog,
  sweepCapacity,
} from '../db/queries/housekeeping.ts'
import { profilesToStop, stopUnallowedProcessing } from '../db/queries/processing.ts'
import { retryFailedAuditEvents } from '../db/queries/read-traces.ts'
import {
  applyRetention,
  deleteFinishedJobs,
  dropOldAuditPartitions,
  forgetErasedObjects,
  listErasedObjects,
  purgeDeletedFiles,
} from '../db/queries/retention.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Schedule, ScheduleDeps } from './engine/scheduler.ts'
import { createPrivacySchedules } from './privacy-schedules.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const batch = 1_000
// Each holds a whole document until it commits.
const documentsAtOnce = 20
// Longer than any upload may take.
const abandonedUploadMs = 60 * 60 * 1_000

/** Everything that happens by the clock. Rescuing the jobs of silent workers is the engine's own, several times a lease. */
export function createSchedules(deps: { readonly store: Store }): readonly Schedule[] {
  return [
    {
      name: 'seal_audit_log',
      everySeconds: minute,
      run: (run) => inBatches(run, 10_000, (limit) => run.inService((tx) => sealAuditLog(tx, limit))),
    },
    {
      name: 'ensure_audit_partitions',
      everySeconds: hour,
      run: (run) => run.inService(ensureAuditPartitions),
    },
    {
      name: 'retry_failed_audit_events',
      everySeconds: minute,
      run: (run) => inBatches(run, 100, (limit) => run.inService((tx) => retryFailedAuditEvents(tx, limit))),
    },
    {
      name: 'delete_expired_idempotency_keys',
      everySeconds: hour,
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => deleteExpiredIdempotencyKeys(tx, limit))),
    },
    {
      name: 'delete_finished_jobs',
      everySeconds: 10 * minute,
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => deleteFinishedJobs(tx, limit))),
    },
    {
      name: 'purge_deleted_files',
      everySeconds: hour,
      run: (run) => inBatches(run, documentsAtOnce, (limit) => run.inService((tx) => purgeDeletedFiles(tx, limit))),
    },
    {
      name: 'delete_erased_objects',
      everySeconds: 10 * minute,
      run: (run) => inBatches(run, batch, (limit) => deleteErasedObjects(run, deps.store, limit)),
    },
    {
      name: 'apply_retention',
      everySeconds: day,
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => applyRetention(tx, limit))),
    },
    {
      name: 'drop_old_audit_partitions',
      everySeconds: day,
      run: async (run) => {
        await run.inService(dropOldAuditPartitions)
      },
    },
    {
      name: 'stop_unallowed_processing',
      everySeconds: minute,
      run: (run) => inBatches(run, 100, (limit) => stopUnallowed(run, limit)),
    },
    {
      name: 'sweep_api_capacity',
      everySeconds: minute,
      run: (run) => run.inService(sweepCapacity),
    },
    {
      name: 'forget_silent_workers',
      everySeconds: hour,
      run: (run) => run.inService(forgetSilentWorkers),
    },
    {
      name: 'sweep_temporary_objects',
      everySeconds: hour,
      run: async () => {
        await deps.store.sweepTemporary({ olderThanMs: abandonedUploadMs })
      },
    },
    ...createPrivacySchedules(deps.store),
  ]
}

/** One person at a time: each waits for what is just being written about that person, and no longer. */
async function stopUnallowed(run: ScheduleDeps, limit: number): Promise<number> {
  const profileIds = await run.inService((tx) => profilesToStop(tx, limit))
  for (const profileId of profileIds) await run.inService((tx) => stopUnallowedProcessing(tx, profileId))
  return profileIds.length
}

/** First the bytes, then the line that names them: whatever is cut short is done again. */
async function deleteErasedObjects(run: ScheduleDeps, store: Store, limit: number): Promise<number> {
  const keys = await run.inService((tx) => listErasedObjects(tx, limit))
  const gone: string[] = []
  try {
    for (const key of keys) {
      if (run.signal.aborted) break
      await store.delete(key)
      gone.push(key)
    }
  } finally {
    if (gone.length > 0) await run.inService((tx) => forgetErasedObjects(tx, gone))
  }
  return keys.length
}

/** Short transactions, one after the other, until one finds less than it may take. */
async function inBatches(
  { signal }: ScheduleDeps,
  limit: number,
  takeOne: (limit: number) => Promise<number>,
): Promise<void> {
  while (!signal.aborted && (await takeOne(limit)) === limit) continue
}

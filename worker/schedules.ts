import {
  deleteExpiredIdempotencyKeys,
  ensureAuditPartitions,
  forgetSilentWorkers,
  sealAuditLog,
  sweepCapacity,
} from '../db/queries/housekeeping.ts'
import { deleteExpiredResumableUploads } from '../db/queries/resumable-uploads.ts'
import { profilesToStop, stopUnallowedProcessing } from '../db/queries/processing.ts'
import { retryFailedAuditEvents } from '../db/queries/read-traces.ts'
import { forgetWholeAllowances } from '../db/queries/request-limits.ts'
import {
  applyRetention,
  deleteExpiredLogins,
  deleteFinishedJobs,
  dropOldAuditPartitions,
  forgetErasedObjects,
  listErasedObjects,
  purgeDeletedFiles,
} from '../db/queries/retention.ts'
import type { Store } from '../platform/storage/store.ts'
import { wait } from '../platform/wait.ts'
import { createAlertingSchedule } from './alerting.ts'
import type { AlertingDeps } from './alerting.ts'
import type { Schedule, ScheduleDeps } from './engine/schedule.ts'
import { createOrphanSchedules } from './orphan-schedules.ts'
import { createPrivacySchedules } from './privacy-schedules.ts'
import type { MalwareProvider } from './providers/malware/provider.ts'
import { createRescanSchedule } from './rescan-schedule.ts'

const minute = 60
const hour = 60 * minute
const batch = 1_000
// Each holds a whole document until it commits.
const documentsAtOnce = 20
const longestPauseMs = 1_000
// Longer than any upload may take.
const abandonedUploadMs = 60 * 60 * 1_000

export type SchedulesDeps = {
  readonly store: Store
  readonly malware: MalwareProvider
  readonly alerting: AlertingDeps
}

/** Everything that happens by the clock. Rescuing the jobs of silent workers is the engine's own, several times a lease. */
export function createSchedules(deps: SchedulesDeps): readonly Schedule[] {
  return [
    {
      name: 'seal_audit_log',
      slots: { everySeconds: minute },
      run: (run) => inBatches(run, 10_000, (limit) => run.inService((tx) => sealAuditLog(tx, limit))),
    },
    {
      name: 'ensure_audit_partitions',
      slots: { everySeconds: hour },
      run: (run) => run.inService(ensureAuditPartitions),
    },
    {
      name: 'retry_failed_audit_events',
      slots: { everySeconds: minute },
      run: (run) => inBatches(run, 100, (limit) => run.inService((tx) => retryFailedAuditEvents(tx, limit))),
    },
    {
      name: 'delete_expired_idempotency_keys',
      slots: { everySeconds: hour },
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => deleteExpiredIdempotencyKeys(tx, limit))),
    },
    {
      name: 'delete_expired_uploads',
      slots: { everySeconds: 10 * minute },
      run: (run) => inBatches(run, 100, (limit) => run.inService((tx) => deleteExpiredResumableUploads(tx, limit))),
    },
    {
      name: 'delete_expired_logins',
      slots: { everySeconds: hour },
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => deleteExpiredLogins(tx, limit))),
    },
    {
      name: 'delete_finished_jobs',
      slots: { everySeconds: 10 * minute },
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => deleteFinishedJobs(tx, limit))),
    },
    {
      name: 'purge_deleted_files',
      slots: { everySeconds: hour },
      run: (run) => inBatches(run, documentsAtOnce, (limit) => run.inService((tx) => purgeDeletedFiles(tx, limit))),
    },
    {
      name: 'delete_erased_objects',
      slots: { everySeconds: 10 * minute },
      run: (run) => inBatches(run, batch, (limit) => deleteErasedObjects(run, deps.store, limit)),
    },
    {
      name: 'apply_retention',
      slots: { dailyAt: '03:10' },
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => applyRetention(tx, limit))),
    },
    {
      name: 'drop_old_audit_partitions',
      slots: { dailyAt: '03:40' },
      run: async (run) => {
        await run.inService(dropOldAuditPartitions)
      },
    },
    {
      name: 'stop_unallowed_processing',
      slots: { everySeconds: minute },
      run: (run) => inBatches(run, 100, (limit) => stopUnallowed(run, limit)),
    },
    {
      name: 'sweep_api_capacity',
      slots: { everySeconds: minute },
      run: (run) => run.inService(sweepCapacity),
    },
    {
      name: 'forget_whole_allowances',
      slots: { everySeconds: minute },
      run: (run) => inBatches(run, batch, (limit) => run.inService((tx) => forgetWholeAllowances(tx, limit))),
    },
    {
      name: 'forget_silent_workers',
      slots: { everySeconds: hour },
      run: (run) => run.inService(forgetSilentWorkers),
    },
    {
      name: 'sweep_temporary_objects',
      slots: { everySeconds: hour },
      run: async () => {
        await deps.store.sweepTemporary({ olderThanMs: abandonedUploadMs })
      },
    },
    createRescanSchedule(deps.store, deps.malware),
    createAlertingSchedule(deps.alerting),
    ...createOrphanSchedules(deps.store, deps.alerting.log),
    ...createPrivacySchedules(deps.store),
  ]
}

/** One person at a time: each waits for what is just being written about that person, and no longer. */
async function stopUnallowed(run: ScheduleDeps, limit: number): Promise<number> {
  const profileIds = await run.inService((tx) => profilesToStop(tx, limit))
  for (const profileId of profileIds) {
    run.signal.throwIfAborted()
    await run.inService((tx) => stopUnallowedProcessing(tx, profileId))
  }
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

/**
 * Short transactions, one after the other, until one finds less than it may take. After each a pause as long as it
 * took, so that the most of a day's sweep is half of one connection's time.
 */
async function inBatches(
  { signal }: ScheduleDeps,
  limit: number,
  takeOne: (limit: number) => Promise<number>,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const startedAt = performance.now()
    if ((await takeOne(limit)) < limit) return
    await wait(Math.min(performance.now() - startedAt, longestPauseMs), { signal })
  }
}

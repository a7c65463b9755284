import { asService } from '../db/actor.ts'
import type { Database } from '../db/client.ts'
import { liveStates, readQueueState } from '../db/queries/queue-state.ts'
import type { QueueState } from '../db/queries/queue-state.ts'
import { jobLanes } from '../db/schema/queue.ts'
import type { Metrics } from '../platform/telemetry.ts'

// Scraped more often than this, or by more than one, it says what it said before.
const freshForMs = 5_000

/** What the queue is like, asked when somebody asks. Every worker says the same of it: take the largest, not the sum. */
export function addQueueMetrics(metrics: Metrics, db: Database): void {
  const jobs = metrics.gauge('exora_queue_jobs', 'Jobs that have not ended well; counted to 20000 of a lane.', [
    'lane',
    'state',
  ])
  const oldest = metrics.gauge(
    'exora_queue_oldest_due_seconds',
    'How long the longest waiting of the next jobs has been due.',
    ['lane'],
  )
  const alerts = metrics.gauge('exora_alerts_firing', 'Service levels whose alert is open.', ['slo', 'lane'])
  const missing = metrics.gauge(
    'exora_missing_objects',
    'Documents whose bytes the store did not have when they were last compared.',
    [],
  )
  const unscanned = metrics.gauge(
    'exora_unscanned_documents',
    'Documents that were taken while the malware scanner was away and have not been scanned since.',
    [],
  )
  let readAt = Number.NEGATIVE_INFINITY

  metrics.beforeExposing(async () => {
    if (performance.now() - readAt < freshForMs) return
    readAt = performance.now()
    show(await asService(db, {}, readQueueState))
  })

  function show({ counts, heads, missingObjects, unscannedFiles, openAlerts }: QueueState): void {
    for (const lane of jobLanes)
      for (const state of liveStates) {
        const found = counts.find((count) => count.job_lane === lane && count.job_state === state)
        jobs.set({ lane, state }, found?.jobs ?? 0)
      }
    for (const head of heads) oldest.set({ lane: head.job_lane }, head.waited_seconds)
    missing.set(missingObjects)
    unscanned.set(unscannedFiles)
    alerts.reset()
    for (const { slo, job_lane: lane } of openAlerts) alerts.set({ slo, lane }, 1)
  }
}

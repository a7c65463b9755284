import type { Database } from '../../db/client.ts'
import type { Endpoint } from '../../db/queries/capacity.ts'
import type { ScheduleRule } from '../../db/queries/schedules.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import type { Logger } from '../../platform/log.ts'
import type { Handler } from './handler.ts'
import type { EngineMetrics } from './metrics.ts'

export type EngineOptions = {
  readonly db: Database
  readonly log: Logger
  readonly metrics: EngineMetrics
  /** Of this start of the process: never used again, so that nobody mistakes an earlier life for this one. */
  readonly workerId: string
  readonly version: string
  readonly lanes: readonly JobLane[]
  readonly concurrency: number
  /** Of the files that are being worked on at once. */
  readonly maxBytesInFlight: number
  readonly handlers: readonly Handler[]
  readonly schedules: readonly ScheduleRule[]
  /** The outside services that the jobs of a lane call, in the present configuration. */
  readonly laneEndpoints: Partial<Readonly<Record<JobLane, readonly Endpoint[]>>>
  /** How long a silent worker keeps its jobs. */
  readonly leaseMs: number
  /** Null switches polling off: only tests do. */
  readonly pollMs: number | null
  /** `ignore` switches notifications off: only tests do. */
  readonly notifications: 'listen' | 'ignore'
  /** How often hearing is proven, and how long that may take: 10 s and 5 s if not given. */
  readonly pingEveryMs?: number
  readonly pingWithinMs?: number
  /** How often limits and fleet are looked at. */
  readonly capacityCheckMs: number
  /** Time that running jobs get to end by themselves when the worker is asked to stop. */
  readonly drainMs: number
}

import { asService } from '../db/actor.ts'
import type { Database } from '../db/client.ts'
import { readCapacity } from '../db/queries/capacity.ts'
import type { ScheduleRule } from '../db/queries/schedules.ts'
import type { jobs } from '../jobs/index.ts'
import type { Logger } from '../platform/log.ts'
import type { Service } from '../platform/service.ts'
import type { Metrics } from '../platform/telemetry.ts'
import type { Tracing } from '../platform/tracing.ts'
import { createCallMetrics, meterCalls } from './call-metrics.ts'
import { visionLimit } from './config.ts'
import type { WorkerConfig } from './config.ts'
import { createEngine } from './engine/engine.ts'
import type { Handler, HandlersFor } from './engine/handler.ts'
import { createEngineMetrics } from './engine/metrics.ts'
import type { EngineOptions } from './engine/options.ts'
import { createHealthServer } from './health-server.ts'
import { describeHealth } from './health.ts'
import type { WorkerHealth } from './health.ts'
import { addQueueMetrics } from './queue-metrics.ts'
import { traceHandler } from './traced-handler.ts'
import { newWorkerId } from './worker-id.ts'

export type WorkerDeps = {
  readonly config: WorkerConfig
  readonly db: Database
  /** Recurring work, which `run_schedule` does. */
  readonly schedules: readonly ScheduleRule[]
  readonly log: Logger
  readonly metrics: Metrics
  /** Null: nobody has asked for traces, and nothing is spent on them. */
  readonly tracing: Tracing | null
  /** One for every job there is: a missing one does not compile. */
  readonly handlers: HandlersFor<typeof jobs>
  /** `none` where the worker shares a process that answers for it. */
  readonly healthServer: 'listen' | 'none'
}

export type Worker = Service & {
  readonly workerId: string
  health(): { readonly isHealthy: boolean; readonly body: WorkerHealth }
  /** Of its health server; empty before it has started and when there is none. */
  address(): string
}

/** A worker as a part of a process, started and stopped with the others. Opens no database and closes none. */
export function createWorker(deps: WorkerDeps): Worker {
  const { config, db, log, metrics } = deps
  const workerId = newWorkerId(config.workerId)
  const startedAt = performance.now()
  const engine = createEngine({
    ...engineSettingsOf(config),
    db,
    workerId,
    log: log.child({ worker_id: workerId }),
    metrics: createEngineMetrics(metrics),
    handlers: handlersOf(deps),
    schedules: deps.schedules,
  })
  addQueueMetrics(metrics, db)
  const health = () => describeHealth(engine, { config, workerId, startedAt })
  const healthServer = createHealthServer(config.health, { health, isReady, metrics })

  async function isReady(): Promise<boolean> {
    const { isHealthy, isStopping } = engine.health()
    if (!isHealthy || isStopping) return false
    return await asService(db, {}, readCapacity).then(
      () => true,
      () => false,
    )
  }

  return {
    name: 'worker',
    workerId,
    health,
    address: () => healthServer.address(),
    async start() {
      await engine.start()
      if (deps.healthServer === 'listen') await healthServer.start()
      log.info({ worker_id: workerId, lanes: config.lanes, address: healthServer.address() }, 'the worker runs')
    },
    async stop(signal) {
      // However the engine ended: a port that stays open would keep the process.
      try {
        await engine.stop(signal)
      } finally {
        if (deps.healthServer === 'listen') await healthServer.stop(signal)
      }
    },
  }
}

function handlersOf({ handlers, metrics, tracing }: WorkerDeps): readonly Handler[] {
  const callMetrics = createCallMetrics(metrics)
  const every: readonly Handler[] = Object.values(handlers)
  const all = every.map((handler) => meterCalls(handler, callMetrics))
  return tracing === null ? all : all.map((handler) => traceHandler(handler, tracing))
}

/** What the environment says of the engine. */
export function engineSettingsOf(
  config: WorkerConfig,
): Pick<
  EngineOptions,
  | 'version'
  | 'lanes'
  | 'concurrency'
  | 'maxBytesInFlight'
  | 'leaseMs'
  | 'pollMs'
  | 'drainMs'
  | 'notifications'
  | 'capacityCheckMs'
  | 'laneEndpoints'
> {
  return {
    version: config.version,
    lanes: config.lanes,
    concurrency: config.concurrency,
    maxBytesInFlight: config.maxBytesInFlight,
    leaseMs: config.leaseMs,
    pollMs: config.pollMs,
    drainMs: config.drainMs,
    notifications: 'listen',
    capacityCheckMs: 2_000,
    laneEndpoints: {
      ai_queue: config.openai === null ? [] : [{ provider: 'openai', endpoint: config.openai.model }],
      fast_queue: config.googleVision === null ? [] : [visionLimit],
    },
  }
}

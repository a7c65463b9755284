import { hostname } from 'node:os'
import { asService } from '../../db/actor.ts'
import type { ServiceContext, Tx } from '../../db/actor.ts'
import { ensureEndpoint } from '../../db/queries/capacity.ts'
import { claimJobs, handBackJobs, holdLease, rescueStaleJobs } from '../../db/queries/jobs.ts'
import type { ClaimedRow } from '../../db/queries/jobs.ts'
import { registerWorker, sayGoodbye } from '../../db/queries/workers.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { callWithinCapacity, lookAtCapacity, poolSizeFor } from './capacity.ts'
import type { CapacityView } from './capacity.ts'
import { createClaimLoop } from './claim-loop.ts'
import { leaseLost, workerStopping } from './errors.ts'
import { execute } from './execute.ts'
import type { ClaimedJob, RunContext } from './handler.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createListener } from './listener.ts'
import type { EngineOptions } from './options.ts'
import { createPool } from './pool.ts'
import { createRepeat } from './repeat.ts'
import { createRunningJobs } from './running-jobs.ts'
import { createScheduler } from './scheduler.ts'
import { serviceContextOf, settle } from './settle.ts'

export type EngineHealth = {
  readonly isHealthy: boolean
  readonly isStopping: boolean
  readonly activeJobs: number
  readonly poolSize: number
  readonly lastHeartbeatAt: Date | null
  readonly isHeartbeatAlive: boolean
  readonly isListenerAlive: boolean
  /** As last looked at; null before the first look. */
  readonly capacity: CapacityView | null
}

export type Engine = Service & { health(): EngineHealth }

/** One worker: claims jobs of its lanes as soon as they are there and runs them to an end. */
export function createEngine(options: EngineOptions): Engine {
  const { db, log, metrics, workerId, leaseMs } = options
  const handlers = new Map(options.handlers.map((handler) => [handler.job.name, handler]))
  const running = createRunningJobs()
  const pool = createPool({ size: options.concurrency, onFreed: () => loop.wake('slot') })
  let capacity: CapacityView | null = null
  let isStopping = false

  const loop = createClaimLoop({
    pool,
    log,
    pollMs: options.pollMs,
    claim: (max) =>
      inService((tx) => claimJobs(tx, { workerId, lanes: options.lanes, types: [...handlers.keys()], max, leaseMs })),
    begin: (job) => pool.run(() => runJob(job)),
    onClaim: (reason) => metrics.claims.inc({ reason }),
  })
  const heartbeat = createHeartbeat({ db, workerId, running, leaseMs, log })
  const listener = createListener({
    db,
    log,
    lanes: options.lanes,
    pingEveryMs: 10_000,
    onJobs: () => loop.wake('notification'),
    onListening: () => {
      metrics.listening.inc()
      loop.wake('listening')
    },
  })
  const rescue = createRepeat({
    name: 'rescue',
    everyMs: leaseMs / 3,
    work: rescueOnce,
    onError: (error) => log.warn({ error }, 'the rescue of stale jobs failed'),
  })
  const capacityWatch = createRepeat({
    name: 'capacity',
    everyMs: options.capacityCheckMs,
    work: followLimits,
    onError: (error) => log.warn({ error }, 'limits could not be looked at'),
  })
  const scheduler = createScheduler({ db, schedules: options.schedules, log })
  const background = [heartbeat, rescue, capacityWatch, scheduler]

  function inService<T>(work: (tx: Tx) => Promise<T>, context: ServiceContext = {}): Promise<T> {
    return asService(db, context, work)
  }

  async function runJob(job: ClaimedRow): Promise<void> {
    const startedAt = performance.now()
    const aborted = new AbortController()
    const jobLog = log.child({ job_id: job.id, job_type: job.type, correlation_id: job.correlationId })
    metrics.waited.observe({ lane: job.lane }, Math.max(0, job.waitedMs) / 1000)
    running.add({ job, abort: (reason) => aborted.abort(reason) })
    metrics.running.set(pool.running)
    try {
      const ending = await execute(job, { handlers, log: jobLog, aborted: aborted.signal, contextFor })
      const settled = await settle(job, ending, { db, workerId, wakeIn: loop.wakeIn })
      metrics.ended.inc({ job_type: job.type, outcome: settled })
      const error = ending.kind === 'retry' || ending.kind === 'discard' ? { error: ending.error } : {}
      jobLog.info({ outcome: settled, attempt: job.attempt, ms: performance.now() - startedAt, ...error }, 'job ended')
    } catch (error) {
      // Neither result nor failure could be written. The lease runs out, and somebody runs the job again.
      metrics.ended.inc({ job_type: job.type, outcome: 'unsettled' })
      jobLog.error({ error, attempt: job.attempt }, 'a job could not be settled')
    } finally {
      running.remove(job)
      metrics.ran.observe({ job_type: job.type }, (performance.now() - startedAt) / 1000)
      metrics.running.set(pool.running)
    }
  }

  function contextFor(job: ClaimedJob, run: { signal: AbortSignal; log: Logger }): RunContext {
    const context = serviceContextOf(job)
    return {
      job,
      ...run,
      read: (work) => inService(work, context),
      write: (work) =>
        inService(async (tx) => {
          run.signal.throwIfAborted()
          const isHeld = await holdLease(tx, { workerId, jobId: job.id, attemptToken: job.attemptToken })
          if (!isHeld) throw leaseLost({ jobId: job.id })
          return await work(tx)
        }, context),
      withCapacity: (request, call) => callWithinCapacity(request, call, { db, workerId, job, ...run }),
    }
  }

  async function rescueOnce(): Promise<void> {
    const counts = await inService(rescueStaleJobs)
    metrics.rescued.inc({ to: 'pending' }, counts.rescued)
    metrics.rescued.inc({ to: 'dead_letter' }, counts.dead_lettered)
    if (counts.rescued + counts.dead_lettered > 0) log.warn(counts, 'jobs of silent workers were rescued')
    if (counts.rescued > 0) loop.wake('due')
  }

  // A model that nobody has set a limit for is called within a cautious one, and operators see its row.
  async function knowEndpoints(): Promise<void> {
    for (const endpoint of options.lanes.flatMap((lane) => options.laneEndpoints[lane] ?? [])) {
      const state = await inService((tx) => ensureEndpoint(tx, endpoint))
      if (state === 'added')
        log.warn({ provider: endpoint.provider, model: endpoint.endpoint }, 'a rate limit was added')
    }
  }

  async function followLimits(): Promise<void> {
    capacity = await lookAtCapacity(db, leaseMs)
    for (const { provider, endpoint, ...use } of capacity.endpoints) {
      metrics.requestsUsed.set({ provider, endpoint }, use.requestsUsed)
      metrics.tokensUsed.set({ provider, endpoint }, use.tokensUsed)
      metrics.underWay.set({ provider, endpoint }, use.underWay)
    }
    const size = poolSizeFor(options, capacity)
    metrics.poolSize.set(size)
    if (size === pool.size) return
    log.info({ size, before: pool.size }, 'the pool follows the limits')
    pool.resize(size)
    await inService(announce)
  }

  const announce = (tx: Tx) =>
    registerWorker(tx, {
      workerId,
      host: hostname(),
      pid: process.pid,
      lanes: options.lanes,
      concurrency: pool.size,
      version: options.version,
      isStopping,
    })

  async function drain(signal: AbortSignal): Promise<void> {
    const outOfTime = AbortSignal.any([signal, AbortSignal.timeout(options.drainMs)])
    const idle = pool.whenIdle()
    await Promise.race([idle, whenAborted(outOfTime)])
    if (pool.running === 0) return
    // Back they go first, so that others can begin; then our own attempts are stopped, fenced off already.
    await inService((tx) => handBackJobs(tx, workerId, running.ids)).catch((error: unknown) =>
      log.warn({ error }, 'jobs were not handed back; their leases will run out'),
    )
    running.abortAll(workerStopping())
    await idle
  }

  return {
    name: 'worker engine',
    async start() {
      await inService(announce)
      await knowEndpoints()
      await followLimits()
      for (const service of background) await service.start()
      if (options.notifications === 'listen') await listener.start()
      loop.start()
    },
    async stop(signal) {
      if (isStopping) return
      isStopping = true
      loop.stop()
      await inService(announce).catch((error: unknown) => log.warn({ error }, 'stopping was not announced'))
      // Heartbeats go on until the last job is settled.
      await drain(signal)
      await Promise.allSettled([listener, ...background].map((service) => service.stop(signal)))
      await inService((tx) => sayGoodbye(tx, workerId))
    },
    health() {
      const isHeartbeatAlive = heartbeat.isAlive()
      const isListenerAlive = options.notifications === 'ignore' || listener.isHearing()
      return {
        isHealthy: isHeartbeatAlive && isListenerAlive,
        isStopping,
        activeJobs: pool.running,
        poolSize: pool.size,
        lastHeartbeatAt: heartbeat.lastBeatAt(),
        isHeartbeatAlive,
        isListenerAlive,
        capacity,
      }
    },
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

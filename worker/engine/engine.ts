import { hostname } from 'node:os'
import { askAsService, asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import { ensureEndpoint } from '../../db/queries/capacity.ts'
import { claimJobs } from '../../db/queries/claims.ts'
import type { ClaimedRow } from '../../db/queries/claims.ts'
import { rescueStaleJobs } from '../../db/queries/jobs.ts'
import { readPausedLanes } from '../../db/queries/lanes.ts'
import { registerWorker, sayGoodbye } from '../../db/queries/workers.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { runSchedule } from '../../jobs/run-schedule.ts'
import type { Service } from '../../platform/service.ts'
import { wait, whenAborted } from '../../platform/wait.ts'
import { createCapacity } from './capacity.ts'
import { createCancellations } from './cancellations.ts'
import { createClaimLoop } from './claim-loop.ts'
import { createClaimStarts } from './claim-start.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createJobRunner } from './job-runner.ts'
import { createListener } from './listener.ts'
import type { EngineOptions } from './options.ts'
import { changedEndpoints, lookAtCapacity, poolSizeFor } from './pool-size.ts'
import type { CapacityView } from './pool-size.ts'
import { workerStopping } from './errors.ts'
import { createRepeat } from './repeat.ts'
import { createScheduler } from './scheduler.ts'

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
  /** Lanes of any worker that operators have paused, as last looked at. */
  readonly pausedLanes: readonly JobLane[]
}

const deafPollMs = 250
// After the signal, within the moment that a service has then.
const lastWordsMs = 1_500

export type Engine = Service & { health(): EngineHealth }

const rescuePage = 500

/** One worker: claims jobs of its lanes as soon as they are there and runs them to an end. */
export function createEngine(options: EngineOptions): Engine {
  const { db, log, metrics, workerId, leaseMs } = options
  const types = options.handlers.map((handler) => handler.job.name)
  const starts = createClaimStarts(options.lanes)
  const capacity = createCapacity({ db, workerId, onChange: fitPool })
  const runner = createJobRunner(options, {
    capacity,
    onFreed: () => loop.wake('slot'),
    wakeIn: (delayMs) => loop.wakeIn(delayMs),
  })
  const { pool, running } = runner
  let capacityView: CapacityView | null = null
  // As the limits alone would have it.
  let limitSize = options.concurrency
  let pausedLanes: readonly JobLane[] = []
  let isStopping = false

  const loop = createClaimLoop({
    log,
    room: () => runner.room(),
    pollMs,
    claim,
    begin: (jobs) => runner.begin(jobs),
    onClaim: (reason) => metrics.claims.inc({ reason }),
  })
  const heartbeat = createHeartbeat({ connection: db.connection, workerId, running, leaseMs, log })
  const listener = createListener({
    db,
    log,
    lanes: options.lanes,
    pingEveryMs: options.pingEveryMs ?? 10_000,
    pingWithinMs: options.pingWithinMs ?? 5_000,
    onJobs: () => loop.wake('notification'),
    onListening: () => {
      metrics.listening.inc()
      loop.wake('listening')
    },
    onHearing: (hearing) => {
      metrics.hearing.set(hearing === 'hearing' ? 1 : 0)
      loop.repoll()
    },
    onQueueUsage: (usage01) => metrics.notifyQueueUsage.set(usage01),
  })
  const cancellations = createCancellations({ db, onCancelled: (jobId) => running.cancel(jobId) })
  const rescue = createRepeat({
    name: 'rescue',
    everyMs: Math.min(1_000, leaseMs / 3),
    work: rescueOnce,
    onError: (error) => log.warn({ error }, 'the rescue of stale jobs failed'),
  })
  const capacityWatch = createRepeat({
    name: 'capacity',
    everyMs: options.capacityCheckMs,
    work: followLimits,
    onError: (error) => log.warn({ error }, 'limits could not be looked at'),
  })
  const scheduler = createScheduler({
    db,
    log,
    rules: options.schedules,
    claim: (max) =>
      askAsService(db, (sql) =>
        claimJobs(sql, { workerId, lanes: [runSchedule.lane], types: [runSchedule.name], max, leaseMs, start: null }),
      ),
    run: (job, stopping) => runner.runAside(job, stopping),
  })
  const background = [heartbeat, rescue, capacityWatch]

  async function claim(max: number): Promise<readonly ClaimedRow[]> {
    // What cannot be held is left to others.
    if (!heartbeat.isAlive()) throw new Error('nothing is claimed while the database confirms no heartbeat')
    const start = starts.next()
    const askedAt = performance.now()
    const request = { workerId, lanes: options.lanes, types, max, leaseMs, start }
    const found = await askAsService(db, (sql) => claimJobs(sql, request))
    starts.note(start, found, performance.now() - askedAt)
    return found
  }

  // The poll alone finds jobs while notifications are not proven to arrive.
  function pollMs(): number | null {
    if (options.pollMs === null || options.notifications === 'ignore') return options.pollMs
    return listener.hearing() === 'hearing' ? options.pollMs : Math.min(options.pollMs, deafPollMs)
  }

  function inService<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return asService(db, {}, work)
  }

  async function rescueOnce(): Promise<void> {
    // Each page is a transaction of its own: its jobs begin while the next one is looked for.
    for (;;) {
      const counts = await inService((tx) => rescueStaleJobs(tx, rescuePage))
      metrics.rescued.inc({ to: 'pending' }, counts.rescued)
      metrics.rescued.inc({ to: 'dead_letter' }, counts.dead_lettered)
      if (counts.rescued + counts.dead_lettered > 0) log.warn(counts, 'jobs of silent workers were rescued')
      if (counts.rescued > 0) {
        loop.wake('due')
        scheduler.wake()
      }
      if (counts.rescued + counts.dead_lettered < rescuePage) return
    }
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
    const before = capacityView
    const view = await lookAtCapacity(db, leaseMs)
    capacityView = view
    pausedLanes = await inService(readPausedLanes)
    for (const { provider, endpoint, ...use } of view.endpoints) {
      metrics.requestsUsed.set({ provider, endpoint }, use.requestsUsed)
      metrics.tokensUsed.set({ provider, endpoint }, use.tokensUsed)
      metrics.underWay.set({ provider, endpoint }, use.underWay)
    }
    for (const endpoint of changedEndpoints(before, view)) capacity.forget(endpoint)
    fitPool()
    const size = poolSizeFor(options, view)
    if (size === limitSize) return
    log.info({ size, before: limitSize }, 'the pool follows the limits')
    limitSize = size
    await inService(announce)
  }

  function fitPool(): void {
    if (capacityView === null) return
    const size = poolSizeFor(options, capacityView, (endpoint) => capacity.usefulJobs(endpoint))
    metrics.poolSize.set(size)
    if (size !== pool.size) pool.resize(size)
  }

  const announce = (tx: Tx) =>
    registerWorker(tx, {
      workerId,
      host: hostname(),
      pid: process.pid,
      lanes: options.lanes,
      jobTypes: options.handlers.map(({ job }) => job.name),
      concurrency: limitSize,
      version: options.version,
      isStopping,
    })

  return {
    name: 'worker engine',
    async start() {
      await inService(announce)
      await knowEndpoints()
      await followLimits()
      for (const service of [...background, scheduler]) await service.start()
      if (options.notifications === 'listen') {
        await listener.start()
        await cancellations.start()
      }
      loop.start()
    },
    async stop(signal) {
      if (isStopping) return
      isStopping = true
      const inTime = limitTo(signal)
      const drained = runner.drain(AbortSignal.any([signal, AbortSignal.timeout(options.drainMs)]), loop.stop())
      const announced = inService(announce).catch((error: unknown) => log.warn({ error }, 'stopping was not announced'))
      // Heartbeats go on until the last job is settled.
      const settled = Promise.all([drained, announced, scheduler.stop(signal)]).then(() => capacity.whenSettled())
      try {
        if (!(await inTime(settled))) {
          log.warn({ jobs: running.ids.length }, 'the database did not answer in time; jobs are left to their leases')
          running.abortAll(workerStopping())
        }
      } finally {
        const others = [listener, cancellations, ...background]
        await inTime(Promise.allSettled(others.map((service) => service.stop(signal))))
      }
      if (!(await inTime(inService((tx) => sayGoodbye(tx, workerId))))) throw signal.reason
    },
    health() {
      const isHeartbeatAlive = heartbeat.isAlive()
      const isListenerAlive = options.notifications === 'ignore' || ['untried', 'hearing'].includes(listener.hearing())
      return {
        isHealthy: isHeartbeatAlive && isListenerAlive,
        isStopping,
        activeJobs: pool.running,
        poolSize: pool.size,
        lastHeartbeatAt: heartbeat.lastBeatAt(),
        isHeartbeatAlive,
        isListenerAlive,
        capacity: capacityView,
        pausedLanes,
      }
    },
  }
}

/**
 * For all that a stopping worker still tells the database, which may not answer: whether it was told in the time that is
 * left, which ends a moment after the signal.
 */
function limitTo(signal: AbortSignal): (work: Promise<unknown>) => Promise<boolean> {
  const over = whenAborted(signal)
    .then(() => wait(lastWordsMs))
    .then(() => false)
  return async (work) => await Promise.race([work.then(() => true), over])
}

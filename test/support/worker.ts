import { randomUUID } from 'node:crypto'
import { Writable } from 'node:stream'
import { z } from 'zod'
import { defineJob } from '../../jobs/job.ts'
import { createLog } from '../../platform/log.ts'
import type { Logger } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import type { Engine } from '../../worker/engine/engine.ts'
import type { Handler } from '../../worker/engine/handler.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import type { EngineOptions } from '../../worker/engine/options.ts'
import { ownerSql } from './queue.ts'
import type { Teardown, TestDatabase } from './postgres.ts'

export type LogLine = Readonly<Record<string, unknown>>

/** A log whose lines are signals: waiting for one is waiting for what it reports. */
export function createWatchedLog() {
  const lines: LogLine[] = []
  const watchers = new Set<() => void>()
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const text of chunk.toString().split('\n').filter(Boolean))
        lines.push(z.record(z.string(), z.unknown()).parse(JSON.parse(text)))
      for (const watch of watchers) watch()
      done()
    },
  })
  const log: Logger = createLog({ level: 'debug', service: 'test', destination })

  /** Resolves with the lines that fit as soon as there are that many. */
  async function waitForLines(fits: (line: LogLine) => boolean, count = 1): Promise<readonly LogLine[]> {
    const { promise, resolve } = Promise.withResolvers<readonly LogLine[]>()
    const look = () => {
      const found = lines.filter(fits)
      if (found.length >= count) resolve(found)
    }
    watchers.add(look)
    look()
    return await promise.finally(() => watchers.delete(look))
  }

  return {
    log,
    lines,
    waitForLines,
    /** Waits until that many attempts have ended so. */
    waitForEnded: (outcome: string, count = 1) =>
      waitForLines((line) => line['msg'] === 'job ended' && line['outcome'] === outcome, count),
  }
}

const testPayload = z.object({ shell_file_id: z.uuid() })
export type TestPayload = z.infer<typeof testPayload>

/** A handler in the place of the `ocr` stage. */
export function testHandler(
  run: Handler<TestPayload>['run'],
  options: { readonly timeoutMs?: number } = {},
): Handler<TestPayload> {
  const job = defineJob({
    name: 'ocr',
    lane: 'fast_queue',
    payload: testPayload,
    attempts: 7,
    timeoutMs: options.timeoutMs ?? 60_000,
  })
  return { job, run }
}

export type TestEngine = {
  readonly engine: Engine
  readonly workerId: string
  readonly watched: ReturnType<typeof createWatchedLog>
  /** The sum of a counter over all its labels, or over those that fit. */
  count(
    metric: 'ended' | 'claims' | 'listening' | 'hearing' | 'notifyQueueUsage',
    labels?: Readonly<Record<string, string>>,
  ): Promise<number>
  stop(): Promise<void>
}

export type EngineTestOptions = Partial<EngineOptions> & Pick<EngineOptions, 'handlers'>

/** What a worker of a test is given unless its test says otherwise. */
export function engineOptions(database: TestDatabase, options: EngineTestOptions): EngineOptions {
  return {
    db: database.db,
    log: createWatchedLog().log,
    metrics: createEngineMetrics(createMetrics({ service: 'test', runtime: 'leave_out' })),
    workerId: `test-${randomUUID()}`,
    version: 'test',
    lanes: ['fast_queue'],
    concurrency: 4,
    maxBytesInFlight: 1_000_000_000,
    schedules: [],
    laneEndpoints: {},
    leaseMs: 30_000,
    pollMs: null,
    notifications: 'listen',
    capacityCheckMs: 60_000,
    drainMs: 2_000,
    ...options,
  }
}

/** An engine inside the test's process; stopped with the test unless stopped before. */
export async function startEngine(
  t: Teardown,
  database: TestDatabase,
  options: EngineTestOptions,
): Promise<TestEngine> {
  const watched = createWatchedLog()
  const whole = engineOptions(database, { log: watched.log, ...options })
  const { metrics, workerId } = whole
  const engine = createEngine(whole)
  const stop = () => engine.stop(AbortSignal.timeout(10_000))
  t.teardown(stop)
  await engine.start()
  return {
    engine,
    workerId,
    watched,
    stop,
    count: async (metric, labels = {}) => {
      const { values } = await metrics[metric].get()
      const fits = values.filter((value) =>
        Object.entries(labels).every(([name, label]) => new Map(Object.entries(value.labels)).get(name) === label),
      )
      return fits.reduce((sum, value) => sum + value.value, 0)
    },
  }
}

/** A table for what jobs did: one row per effect, with the attempt that had it. */
export async function createEffects(t: Teardown, database: TestDatabase): Promise<void> {
  const owner = ownerSql(t, database.ownerUrl)
  await owner`create table public.effects (job_id uuid not null, attempt_token uuid not null, note text not null)`
  await owner`grant select, insert on public.effects to service_role`
}

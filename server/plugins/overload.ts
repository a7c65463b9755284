import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import { databaseUnavailable } from '../../db/errors.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import type { OverloadLimits } from '../protection-config.ts'
import type { Server } from '../types.ts'
import { overloaded } from './errors.ts'

export const pressures = ['event_loop', 'memory', 'database', 'database_silent'] as const
export type Pressure = (typeof pressures)[number]

export type OverloadGauge = {
  /** What is past its limit just now. */
  readonly pressures: () => readonly Pressure[]
  readonly stop: () => void
}

const lookMs = 1_000
const mostHeap = 0.95
const msPerNs = 1e-6

/**
 * Looks once a second. The event loop: the mean of its delays in each of the last two seconds, so that neither one long task
 * nor a thousand people who come in the same moment are a reason. Memory: all of the process, or its heap. The database: see
 * `probe`.
 */
export function createOverloadGauge(db: Database, limits: OverloadLimits): OverloadGauge {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let [loopMs, loopMsBefore] = [0, 0]
  let isMemoryFull = false
  let isProbing = false
  let database: 'answers' | 'busy' | 'silent' = 'answers'

  const look = () => {
    loopMsBefore = loopMs
    loopMs = Number.isNaN(delay.mean) ? 0 : delay.mean * msPerNs
    delay.reset()
    const { used_heap_size: used, heap_size_limit: most } = getHeapStatistics()
    isMemoryFull = process.memoryUsage.rss() > limits.rssBytes || used > mostHeap * most
    void lookAtDatabase()
  }
  const lookAtDatabase = async () => {
    if (isProbing) return
    isProbing = true
    database = await probe(db, limits.databaseMs)
    isProbing = false
  }
  const timer = setInterval(look, lookMs).unref()
  const isPast: Readonly<Record<Pressure, () => boolean>> = {
    event_loop: () => Math.min(loopMs, loopMsBefore) > limits.eventLoopMs,
    memory: () => isMemoryFull,
    database: () => database === 'busy',
    database_silent: () => database === 'silent',
  }
  return {
    pressures: () => pressures.filter((pressure) => isPast[pressure]()),
    stop: () => {
      clearInterval(timer)
      delay.disable()
    },
  }
}

/**
 * How long a question waits for its turn in our pools; one that is refused is answered. What comes too late is given up, or
 * one dead connection would be all that is looked at. A question beside the pools tells a database that says nothing
 * from one of which we ask too much; behind a pooler there is no such way, and it counts as the latter.
 */
async function probe(db: Database, patienceMs: number): Promise<'answers' | 'busy' | 'silent'> {
  const pools = [
    async () => await db.drizzle.execute(sql`select 1`),
    async () => await db.accounts?.ask(async (session) => await session`select 1`),
  ]
  const beside = db.service?.ask(async (session) => await session`select 1`)
  const [areOpen, isThere] = await Promise.all([
    isSettledWithin(Promise.allSettled(pools.map((ask) => ask())), patienceMs),
    beside === undefined ? true : isSettledWithin(beside, patienceMs),
  ])
  if (areOpen) return 'answers'
  return isThere ? 'busy' : 'silent'
}

async function isSettledWithin(work: Promise<unknown>, patienceMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), patienceMs).unref()
  const settled = work.then(
    () => true,
    () => true,
  )
  return await Promise.race([settled, late]).finally(() => clearTimeout(timer))
}

/** Before any work begins. Who watches over us is answered always: they have to learn of it. */
export function addOverload(app: Server, gauge: OverloadGauge, metrics: Metrics): void {
  const shown = metrics.gauge('exora_overloaded', '1 while requests are asked to come back, by reason', ['reason'])
  app.addHook('onRequest', async (request) => {
    const past = gauge.pressures()
    if (request.routeOptions.config.budget === 'none') {
      for (const reason of pressures) shown.set({ reason }, past.includes(reason) ? 1 : 0)
      return
    }
    if (past.includes('database_silent')) throw databaseUnavailable({ retryAfterMs: comeBackMs() })
    if (past.length > 0) throw overloaded({ retryAfterMs: comeBackMs() })
  })
  app.addHook('onClose', async () => gauge.stop())
}

// Spread, or all of them would be back at once.
const comeBackMs = () => 2_000 + Math.random() * 6_000

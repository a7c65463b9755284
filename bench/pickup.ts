/**
 * From the commit of an enqueue to the first line of the handler, worker idle. Beside it, on the same server and in the same run,
 * the least that PostgreSQL can do: a row in a bare table, NOTIFY, and a listener that takes the row with SKIP LOCKED.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { z } from 'zod'
import { openDatabase } from '../db/client.ts'
import { startEmbedded } from '../db/embedded/start.ts'
import { migrate } from '../db/migrate.ts'
import { defineJob } from '../jobs/job.ts'
import { createLog } from '../platform/log.ts'
import { createMetrics } from '../platform/telemetry.ts'
import { createEngine } from '../worker/engine/engine.ts'
import { createEngineMetrics } from '../worker/engine/metrics.ts'

const rounds = 6
const jobsPerRound = 150

type Contender = {
  /** Resolves with the milliseconds from after the commit to the handler. */
  once(): Promise<number>
  stop(): Promise<void>
}

export async function measurePickup() {
  const dataDir = await mkdtemp(join(tmpdir(), 'exora-bench-'))
  const embedded = await startEmbedded({ dataDir })
  try {
    await migrate(embedded.urls.owner)
    const contenders = { exora: await startExora(embedded.urls.app), bare: await startBare(embedded.urls.owner) }
    const waits: Record<keyof typeof contenders, number[]> = { exora: [], bare: [] }
    for (let round = 0; round < rounds; round++) {
      for (const name of ['exora', 'bare'] as const) {
        const inRound: number[] = []
        for (let job = 0; job < jobsPerRound; job++) inRound.push(await contenders[name].once())
        // The first round warms up caches, plans and the compiler.
        if (round > 0) waits[name].push(...inRound)
      }
    }
    await contenders.exora.stop()
    await contenders.bare.stop()
    return {
      exora: quantiles(waits.exora),
      bare: quantiles(waits.bare),
      ratio_p50: ratio(waits, 0.5),
      ratio_p99: ratio(waits, 0.99),
    }
  } finally {
    await embedded.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function startExora(url: string): Promise<Contender> {
  const db = openDatabase({ url, applicationName: 'exora-bench', max: 8 })
  const enqueuer = postgres(url, { max: 1, onnotice: () => {} })
  await enqueuer`set role service_role`
  const begun = new Map<string, (at: number) => void>()
  const payload = z.object({ shell_file_id: z.string() })
  const job = defineJob({ name: 'ocr', lane: 'fast_queue', payload, attempts: 1, timeoutMs: 10_000 })
  const engine = createEngine({
    db,
    log: createLog({ level: 'silent', service: 'bench' }),
    metrics: createEngineMetrics(createMetrics({ service: 'bench', runtime: 'leave_out' })),
    workerId: randomUUID(),
    version: 'bench',
    lanes: ['fast_queue'],
    concurrency: 4,
    maxBytesInFlight: 1_000_000_000,
    handlers: [
      {
        job,
        run: async ({ shell_file_id: id }) => {
          begun.get(id)?.(performance.now())
          return { kind: 'done' }
        },
      },
    ],
    schedules: [],
    laneEndpoints: {},
    leaseMs: 30_000,
    pollMs: null,
    notifications: 'listen',
    capacityCheckMs: 2_000,
    drainMs: 5_000,
  })
  await engine.start()
  return {
    async once() {
      const id = randomUUID()
      const { promise, resolve } = Promise.withResolvers<number>()
      begun.set(id, resolve)
      await enqueuer`select public.enqueue_job_v3('ocr', 'ocr', ${enqueuer.json({ shell_file_id: id })})`
      const committedAt = performance.now()
      const startedAt = await promise
      begun.delete(id)
      return Math.max(0, startedAt - committedAt)
    },
    async stop() {
      await engine.stop(AbortSignal.timeout(5_000))
      await enqueuer.end()
      await db.close()
    },
  }
}

async function startBare(url: string): Promise<Contender> {
  const options = { max: 1, onnotice: () => {} }
  const [enqueuer, taker] = [postgres(url, options), postgres(url, options)]
  await enqueuer`create schema bench`
  await enqueuer`create table bench.bare (id uuid primary key, taken boolean not null default false)`
  const begun = new Map<string, (at: number) => void>()
  const take = async () => {
    const rows = await taker<{ id: string }[]>`
      update bench.bare set taken = true
      where id = (select id from bench.bare where not taken limit 1 for update skip locked)
      returning id`
    for (const { id } of rows) begun.get(id)?.(performance.now())
  }
  await taker.listen('bench_bare', () => void take())
  return {
    async once() {
      const id = randomUUID()
      const { promise, resolve } = Promise.withResolvers<number>()
      begun.set(id, resolve)
      await enqueuer`with row as (insert into bench.bare (id) values (${id}) returning id) select pg_notify('bench_bare', '') from row`
      const committedAt = performance.now()
      const startedAt = await promise
      begun.delete(id)
      await enqueuer`delete from bench.bare`
      return Math.max(0, startedAt - committedAt)
    },
    async stop() {
      await taker.end()
      await enqueuer.end()
    },
  }
}

function quantiles(samples: readonly number[]) {
  return { p50_ms: rounded(quantile(samples, 0.5)), p99_ms: rounded(quantile(samples, 0.99)), samples: samples.length }
}

function ratio(waits: Readonly<Record<'exora' | 'bare', readonly number[]>>, share: number): number {
  return rounded(quantile(waits.exora, share) / quantile(waits.bare, share))
}

function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

const rounded = (value: number) => Math.round(value * 100) / 100

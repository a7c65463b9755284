import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { defineJob } from '../../jobs/job.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { readWorkerConfig } from '../../worker/config.ts'
import type { Contender, Place, Producer, Work } from './contender.ts'

const payload = z.object({ shell_file_id: z.string() })
const job = defineJob({ name: 'ocr', lane: 'fast_queue', payload, attempts: 6, timeoutMs: 600_000 })

export const exora: Contender = {
  name: 'exora',
  settings: 'as shipped; durations of the environment at their defaults',
  async prepare(place) {
    await migrate(place.owner)
  },
  openProducer,
  startWorker,
}

async function openProducer(place: Place): Promise<Producer> {
  const app = postgres(place.app, { max: 1, onnotice: () => {} })
  const owner = postgres(place.owner, { max: 1, onnotice: () => {} })
  await app`set role service_role`
  return {
    async add(jobId) {
      await app`select public.enqueue_job_v3('ocr', 'ocr', ${app.json({ shell_file_id: jobId })})`
    },
    async addMany(jobIds) {
      await app`
        select count(public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', job_id)))
        from unnest(${[...jobIds]}::text[]) as job_id`
    },
    async countUnfinished() {
      const [row] = await owner<{ count: number }[]>`
        select count(*)::int as count from public.job_queue where status in ('pending', 'processing')`
      return row?.count ?? 0
    },
    async close() {
      await Promise.all([app.end(), owner.end()])
    },
  }
}

async function startWorker(place: Place, work: Work) {
  const db = openDatabase({ url: place.app, applicationName: 'exora-bench' })
  const config = readWorkerConfig({})
  const engine = createEngine({
    db,
    log: createLog({ level: 'warn', service: 'bench' }),
    metrics: createEngineMetrics(createMetrics({ service: 'bench', runtime: 'leave_out' })),
    workerId: randomUUID(),
    version: 'bench',
    lanes: ['fast_queue'],
    concurrency: work.concurrency,
    maxBytesInFlight: 1_000_000_000,
    handlers: [
      {
        job,
        run: async ({ shell_file_id: jobId }) => {
          await work.onRun(jobId)
          return { kind: 'done' }
        },
      },
    ],
    schedules: [],
    laneEndpoints: {},
    leaseMs: config.leaseMs,
    pollMs: config.pollMs,
    notifications: 'listen',
    capacityCheckMs: 2_000,
    drainMs: config.drainMs,
  })
  await engine.start()
  return {
    async stop() {
      await engine.stop(AbortSignal.timeout(20_000))
      await db.close()
    },
  }
}

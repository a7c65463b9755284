import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { z } from 'zod'
import { openDatabase } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { defineJob } from '../../jobs/job.ts'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { readWorkerConfig } from '../../worker/config.ts'
import { createEngine } from '../../worker/engine/engine.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { engineSettingsOf } from '../../worker/worker.ts'
import type { Contender, Producer, Work } from './contender.ts'
import type { Place } from '../server.ts'

const payload = z.object({ shell_file_id: z.string() })
const job = defineJob({ name: 'ocr', lane: 'fast_queue', payload, attempts: 6, timeoutMs: 600_000 })

export const exora: Contender = {
  name: 'exora',
  settings: 'as shipped; durations of the environment at their defaults',
  tables: ['public.job_queue'],
  async prepare(place) {
    await migrate(place.owner)
  },
  openProducer,
  startWorker,
}

async function openProducer(place: Place, connections: number): Promise<Producer> {
  const app = postgres(place.app, { max: connections, onnotice: () => {}, connection: { role: 'service_role' } })
  const owner = postgres(place.owner, { max: 1, onnotice: () => {} })
  return {
    async add(jobId) {
      await app`select public.enqueue_job_v3('ocr', 'ocr', ${app.json({ shell_file_id: jobId })})`
    },
    // The rows that enqueue_job_v3 would add, at once: workers are stopped while they are added, so it must not take long.
    async addMany(jobIds) {
      await owner`
        insert into public.job_queue (job_type, job_lane, job_name, job_payload, shell_file_id)
        select 'ocr', 'fast_queue', 'ocr', jsonb_build_object('shell_file_id', job_id), job_id::uuid
        from unnest(${[...jobIds]}::text[]) as job_id`
    },
    async countUnfinished() {
      const [row] = await owner<{ count: number }[]>`
        select count(*)::int as count from public.job_queue where status in ('pending', 'processing')`
      return row?.count ?? 0
    },
    async clear() {
      await owner`delete from public.job_queue where status in ('pending', 'processing')`
    },
    async close() {
      await Promise.all([app.end(), owner.end()])
    },
  }
}

async function startWorker(place: Place, work: Work) {
  const config = { ...readWorkerConfig({}), lanes: ['fast_queue'] as const, concurrency: work.concurrency }
  const db = openDatabase({ url: place.app, max: config.concurrency + 8, applicationName: 'exora-bench' })
  const engine = createEngine({
    ...engineSettingsOf(config),
    db,
    log: createLog({ level: 'error', service: 'bench' }),
    metrics: createEngineMetrics(createMetrics({ service: 'bench', runtime: 'leave_out' })),
    workerId: randomUUID(),
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
  })
  await engine.start()
  return {
    async stop() {
      await engine.stop(AbortSignal.timeout(20_000))
      await db.close()
    },
  }
}

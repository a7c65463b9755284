import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { z } from 'zod'
import { jobs } from '../../jobs/index.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { readWorkerConfig } from '../../worker/config.ts'
import { done } from '../../worker/engine/handler.ts'
import type { HandlersFor } from '../../worker/engine/handler.ts'
import type { Schedule } from '../../worker/engine/schedule.ts'
import { createRunSchedule } from '../../worker/handlers/run-schedule.ts'
import { createWorker } from '../../worker/worker.ts'
import type { Worker } from '../../worker/worker.ts'
import { schedulesOver } from '../support/schedules.ts'
import { testDatabase } from '../support/postgres.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { enqueueJob, serviceSql } from '../support/queue.ts'
import { eventually } from '../support/signals.ts'
import { createWatchedLog } from '../support/worker.ts'

const run = async () => done()
const handlers: HandlersFor<typeof jobs> = {
  security_scan: { job: jobs.security_scan, run },
  ocr: { job: jobs.ocr, run },
  spatial_mapping: { job: jobs.spatial_mapping, run },
  pass1_find: { job: jobs.pass1_find, run },
  pass2_code: { job: jobs.pass2_code, run },
  pass3_narrate: { job: jobs.pass3_narrate, run },
  export_record: { job: jobs.export_record, run },
  purge_account: { job: jobs.purge_account, run },
  deliver_message: { job: jobs.deliver_message, run },
  run_schedule: { job: jobs.run_schedule, run },
}

type Teardown = { teardown(work: () => unknown): unknown }

async function startWorker(
  t: Teardown,
  database: TestDatabase,
  env: Readonly<Record<string, string>> = {},
  schedules: readonly Schedule[] = [],
) {
  const folder = await mkdtemp(join(tmpdir(), 'exora-worker-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const watched = createWatchedLog()
  const worker = createWorker({
    config: readWorkerConfig({ DATA_DIR: folder, HEALTH_CHECK_PORT: '0', WORKER_ID: 'w-test', ...env }),
    db: database.db,
    schedules,
    log: watched.log,
    metrics: createMetrics({ service: 'test', runtime: 'leave_out' }),
    tracing: null,
    handlers: { ...handlers, run_schedule: createRunSchedule(schedules) },
    healthServer: 'listen',
  })
  const stop = () => worker.stop(AbortSignal.timeout(10_000))
  t.teardown(stop)
  await worker.start()
  return { worker, watched, stop }
}

const get = async (worker: Worker, path: string) => {
  const answer = await fetch(worker.address() + path)
  return { status: answer.status, text: await answer.text() }
}

const health = z.object({
  status: z.string(),
  worker_id: z.string(),
  active_jobs: z.number(),
  last_heartbeat: z.iso.datetime(),
  lanes: z.array(z.string()),
  api_capacity: z.object({ openai: z.string(), google_vision: z.string() }),
  environment: z.string(),
  version: z.string(),
  uptime_seconds: z.number(),
})
const healthOf = async (worker: Worker) => {
  const { status, text } = await get(worker, '/health')
  return { code: status, ...health.parse(JSON.parse(text)) }
}

test('a worker says how it is', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const { worker } = await startWorker(t, database, { WORKER_LANES: 'fast_queue,ai_queue', OPENAI_API_KEY: 'key' })
  const answer = await healthOf(worker)
  t.match(answer, {
    code: 200,
    status: 'healthy',
    worker_id: worker.workerId,
    active_jobs: 0,
    lanes: ['fast_queue', 'ai_queue'],
    environment: 'development',
    version: /^\d+\.\d+\.\d+/,
    api_capacity: { openai: 'available', google_vision: 'unavailable' },
  })
  t.match(worker.workerId, /^w-test\.\d+\./)
  t.equal((await get(worker, '/ready')).status, 200)
  t.equal((await get(worker, '/nothing')).status, 404)

  await sql`select public.record_provider_limits('openai', 'gpt-4o-mini', 60000)`
  await eventually(async () => {
    if ((await healthOf(worker)).api_capacity.openai !== 'rate_limited') throw new Error('not seen yet')
  })
})

test('two workers of one machine both answer, though only one can have the usual port', async (t) => {
  const database = await testDatabase(t)
  const first = await startWorker(t, database, { HEALTH_CHECK_PORT: '' })
  const second = await startWorker(t, database, { HEALTH_CHECK_PORT: '' })
  t.not(first.worker.address(), second.worker.address())
  for (const { worker } of [first, second]) t.equal((await healthOf(worker)).worker_id, worker.workerId)

  const taken = new URL(first.worker.address()).port
  await t.rejects(startWorker(t, database, { HEALTH_CHECK_PORT: taken }), { code: 'EADDRINUSE' })
})

test('a model without a limit gets a cautious one, and an operator’s limit is left alone', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await sql`update public.api_rate_limits set requests_per_minute = 7 where provider_name = 'openai'`
  await startWorker(t, database, { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'a-model-of-our-own' })
  const rows = await sql`
    select api_endpoint, requests_per_minute, concurrent_requests
    from public.api_rate_limits where provider_name = 'openai' order by api_endpoint`
  t.same(
    [...rows],
    [
      { api_endpoint: 'a-model-of-our-own', requests_per_minute: 500, concurrent_requests: 8 },
      { api_endpoint: 'gpt-4o-mini', requests_per_minute: 7, concurrent_requests: 50 },
    ],
  )
})

test('all kinds of jobs run, and the metrics say so', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const { worker, watched } = await startWorker(t, database)
  const kinds = Object.keys(jobs)
  const ids = {
    shell_file_id: randomUUID(),
    export_id: randomUUID(),
    closure_id: randomUUID(),
    message_id: randomUUID(),
    schedule: 'one that was removed',
    slot_at: '2026-01-01T00:00:00Z',
  }
  for (const type of kinds) await enqueueJob(sql, { type, payload: ids })
  await watched.waitForEnded('completed', kinds.length)
  const { text } = await get(worker, '/metrics')
  t.match(text, /exora_jobs_ended_total\{job_type="pass3_narrate",outcome="completed",service="test"\} 1/)
  t.match(text, /exora_job_pickup_seconds_count\{[^}]*lane="ai_queue"[^}]*\} 3/)
})

test('a worker whose heartbeat no longer reaches the database is not healthy', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const { worker } = await startWorker(t, database, { WORKER_LEASE_SECONDS: '1' })
  t.equal((await healthOf(worker)).code, 200)
  // As if the database did not answer any more: heartbeats wait for the table.
  const held = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const holding = sql.begin(async (tx) => {
    await tx`select from public.workers for update`
    held.resolve()
    await release.promise
  })
  await held.promise
  await eventually(async () => {
    if ((await healthOf(worker)).code !== 503) throw new Error('still healthy')
  })
  t.equal((await get(worker, '/ready')).status, 503)
  release.resolve()
  await holding
  await eventually(async () => {
    if ((await healthOf(worker)).code !== 200) throw new Error('not yet healthy')
  })
})

test('what happens by the clock runs and is noted, whatever lanes the worker serves', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const all = schedulesOver(await openDiskStore(t.testdir()))
  const { watched } = await startWorker(t, database, { WORKER_LANES: 'fast_queue' }, all)
  await watched.waitForEnded('completed', all.length)
  const rows = await sql`
    select known.schedule_name as name, known.last_error_code as error, known.last_duration_ms >= 0 as took, job.status
    from public.job_schedules as known
    left join public.job_queue as job on job.id = known.last_job_id
    order by known.schedule_name`
  const names = all.map(({ name }) => name).toSorted()
  t.same(
    [...rows],
    names.map((name) => ({ name, error: null, took: true, status: 'completed' })),
  )
})

test('a bad configuration is named, all of it, and no value is shown', (t) => {
  const read = () =>
    readWorkerConfig({ WORKER_LANES: 'slow_queue', WORKER_CONCURRENCY: '0', DATABASE_URL: 'mysql://secret@x/y' })
  t.throws(read, { message: /WORKER_LANES[^]*WORKER_CONCURRENCY|WORKER_CONCURRENCY[^]*WORKER_LANES/ })
  t.throws(read, { message: /DATABASE_URL/ })
  try {
    read()
  } catch (error) {
    t.notMatch(String(error), /secret/)
  }
  const defaults = readWorkerConfig({})
  t.match(defaults, { lanes: ['fast_queue', 'ai_queue', 'background'], leaseMs: 8_000, openai: null })
  t.same(readWorkerConfig({ WORKER_LANES: 'ai_queue, ai_queue' }).lanes, ['ai_queue'])
  t.end()
})

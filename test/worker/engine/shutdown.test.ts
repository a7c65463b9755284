import { randomUUID } from 'node:crypto'
import tap, { test } from 'tap'
import { claimJobs } from '../../../db/queries/claims.ts'
import { done, snooze } from '../../../worker/engine/handler.ts'
import type { Handler } from '../../../worker/engine/handler.ts'
import { createCapacity } from '../../../worker/engine/capacity.ts'
import { createJobRunner } from '../../../worker/engine/job-runner.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { engineOptions, startEngine, testHandler } from '../../support/worker.ts'
import type { TestPayload } from '../../support/worker.ts'

tap.setTimeout(60_000)

type Run = Handler<TestPayload>['run']

test('asked to stop, a worker lets jobs end, and hands back what does not, with its room at outside services', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const runs = new Map<string, Run>()
  const enqueueRun = async (run: Run) => {
    const file = randomUUID()
    runs.set(file, run)
    return await enqueueJob(sql, { payload: { shell_file_id: file } })
  }
  const handler = testHandler(
    async (payload, context) => (await runs.get(payload.shell_file_id)?.(payload, context)) ?? done(),
  )
  const worker = await startEngine(t, database, { handlers: [handler], drainMs: 1_000 })
  const [calls, works] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const finish = Promise.withResolvers<void>()
  const endless = await enqueueRun(async (_payload, { withCapacity }) =>
    withCapacity({ provider: 'openai', endpoint: 'gpt-4o-mini', estimatedTokens: 10, consent: null }, async () => {
      calls.resolve()
      return await new Promise<never>(() => {})
    }),
  )
  const nearlyDone = await enqueueRun(async () => {
    works.resolve()
    await finish.promise
    return done()
  })
  const waiting = await enqueueRun(async () => snooze(3_600_000, 'no_capacity'))
  await Promise.all([calls.promise, works.promise, worker.watched.waitForEnded('snoozed')])
  const waits = await jobRecord(sql, waiting)

  const stopping = worker.stop()
  finish.resolve()
  await stopping
  t.match(await jobRecord(sql, nearlyDone), { status: 'completed', retry_count: 0 })
  t.match(await jobRecord(sql, endless), { status: 'pending', retry_count: 0, worker_id: null })
  t.same(await jobRecord(sql, waiting), waits, 'what waits for another attempt is left as it is')
  const held = await sql`select from public.api_capacity_reservations where released_at is null`
  t.equal(held.length, 0)
  t.equal((await sql`select from public.workers`).length, 0)
})

test('what was claimed and has not begun goes back before the worker has finished the rest', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const began = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const handler = testHandler(async () => {
    began.resolve()
    await finish.promise
    return done()
  })
  const options = engineOptions(database, { handlers: [handler], concurrency: 1 })
  const capacity = createCapacity({ db: database.db, workerId: options.workerId, onChange: () => {} })
  const runner = createJobRunner(options, { capacity, onFreed: () => {}, wakeIn: () => {} })
  const ids = [await enqueueJob(sql), await enqueueJob(sql), await enqueueJob(sql)]
  runner.begin(await claimJobs(sql, { ...options, types: ['ocr'], max: 3, start: null }))
  await began.promise
  const draining = runner.drain(new AbortController().signal, Promise.resolve())
  await eventually(async () => {
    const records = await Promise.all(ids.map((id) => jobRecord(sql, id)))
    const states = records.map((record) => `${record.status} ${record.retry_count}`).join()
    if (states !== 'processing 0,pending 0,pending 0') throw new Error(states)
  })
  finish.resolve()
  await draining
  t.equal((await jobRecord(sql, ids[0] ?? '')).status, 'completed')
})

test('what a claim brings while the worker is already stopping goes back as it came', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const owner = ownerSql(t, database.ownerUrl)
  const begun: string[] = []
  const handler = testHandler(async (_payload, { job }) => {
    begun.push(job.id)
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], drainMs: 10_000 })
  const locked = Promise.withResolvers<string>()
  const told = Promise.withResolvers<void>()
  const locking = owner.begin(async (tx) => {
    await tx`select set_config('role', 'service_role', true)`
    const enqueued = await enqueueJob(tx)
    await tx`select set_config('role', 'none', true)`
    await tx`lock table public.job_queue in exclusive mode`
    locked.resolve(enqueued)
    await told.promise
  })
  const id = await locked.promise
  await sql`select pg_notify('exora_jobs', 'fast_queue')`
  await eventually(async () => {
    const waiting = await owner`select from pg_locks where relation = 'public.job_queue'::regclass and not granted`
    if (waiting.length === 0) throw new Error('no claim waits')
  })
  const stopping = worker.stop()
  told.resolve()
  await locking
  await stopping
  t.same(begun, [])
  t.match(await jobRecord(sql, id), { status: 'pending', retry_count: 0, worker_id: null })
})

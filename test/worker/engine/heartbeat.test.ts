import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

test('when the thread of the heartbeat dies another takes its place, and no job is lost', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const born: Worker[] = []
  const onBirth = (thread: Worker) => born.push(thread)
  process.on('worker', onBirth)
  t.teardown(() => process.off('worker', onBirth))
  const began = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const handler = testHandler(async () => {
    began.resolve()
    await finish.promise
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], leaseMs: 10_000 })
  const id = await enqueueJob(sql)
  await began.promise
  await born[0]?.terminate()
  await worker.watched.waitForLines((line) => line['msg'] === 'the thread of the heartbeat ended and is replaced')
  const leaseOf = async () => (await jobRecord(sql, id)).lease_expires_at?.getTime() ?? 0
  const before = await leaseOf()
  await eventually(async () => {
    if ((await leaseOf()) <= before) throw new Error('the new thread does not know the job')
  })
  t.equal(born.length, 2)
  t.ok(worker.engine.health().isHeartbeatAlive)
  finish.resolve()
  await worker.watched.waitForEnded('completed')
})

test('what the database has not confirmed for a whole lease is stopped, and nothing new is begun', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const began = Promise.withResolvers<void>()
  const handler = testHandler(async (_payload, { signal }) => {
    began.resolve()
    await once(signal, 'abort')
    return await new Promise<never>(() => {})
  })
  const worker = await startEngine(t, database, { handlers: [handler], leaseMs: 900 })
  const id = await enqueueJob(sql)
  await began.promise
  const release = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const holding = sql.begin(async (tx) => {
    // Heartbeats wait for the worker's row; and nobody rescues, so that only the clock can tell.
    await tx`select pg_advisory_xact_lock(hashtextextended('exora:rescue_stale_jobs', 0))`
    await tx`select from public.workers for update`
    held.resolve()
    await release.promise
  })
  await held.promise
  await worker.watched.waitForLines((line) => line['msg'] === 'job ended')
  t.equal(await worker.count('ended', { outcome: 'lost' }), 1)
  t.equal(worker.engine.health().isHealthy, false)
  const next = await enqueueJob(sql)
  await worker.watched.waitForLines((line) => line['msg'] === 'claiming failed')
  t.equal((await jobRecord(sql, next)).status, 'pending')
  t.equal((await jobRecord(sql, id)).status, 'processing')
  release.resolve()
  await holding
  await eventually(async () => {
    if (!worker.engine.health().isHeartbeatAlive) throw new Error('not yet alive again')
  })
})

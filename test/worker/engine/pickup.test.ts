import { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const quick = testHandler(async () => done())

test('with polling switched off a job starts because of its notification, in milliseconds', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const began = Promise.withResolvers<number>()
  const handler = testHandler(async () => {
    began.resolve(performance.now())
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], pollMs: null })
  const id = await enqueueJob(sql)
  const enqueuedAt = performance.now()
  const waitedMs = (await began.promise) - enqueuedAt
  await worker.watched.waitForEnded('completed')
  t.equal((await jobRecord(sql, id)).status, 'completed')
  t.ok(waitedMs < 500, `${waitedMs.toFixed(1)} ms`)
})

test('with notifications switched off a job starts because of the poll', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startEngine(t, database, { handlers: [quick], pollMs: 100, notifications: 'ignore' })
  await eventually(async () => {
    if ((await worker.count('claims', { reason: 'start' })) < 1) throw new Error('has not looked yet')
  })
  await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  t.ok((await worker.count('claims', { reason: 'poll' })) >= 1)
  t.equal(await worker.count('listening'), 0)
})

test('what was enqueued before a worker was there starts with it', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await Promise.all(Array.from({ length: 10 }, () => enqueueJob(sql)))
  const worker = await startEngine(t, database, { handlers: [quick], concurrency: 3 })
  await worker.watched.waitForEnded('completed', 10)
  t.equal(await worker.count('ended', { outcome: 'completed' }), 10)
})

test('a retry starts when it is due, without poll and notification', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const handler = testHandler(async (_payload, { job }) => {
    if (job.attempt === 1) throw new Error('the first one fails')
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler] })
  const id = await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  t.match(await jobRecord(sql, id), { status: 'completed', retry_count: 1 })
  t.ok((await worker.count('claims', { reason: 'due' })) >= 1)
})

test('hundreds of jobs that come while a worker is busy cost few claims', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl, 10)
  const release = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  let running = 0
  const handler = testHandler(async () => {
    running += 1
    if (running === 2) started.resolve()
    await release.promise
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], concurrency: 2 })
  await enqueueJob(sql)
  await enqueueJob(sql)
  await started.promise
  const before = await worker.count('claims')
  const heard = Promise.withResolvers<void>()
  await database.db.listen('exora_jobs', (payload) => {
    if (payload === 'mark') heard.resolve()
  })
  // As many commits, so as many notifications.
  await Promise.all(Array.from({ length: 300 }, () => enqueueJob(sql)))
  await sql`select pg_notify('exora_jobs', 'mark')`
  await heard.promise
  t.ok((await worker.count('claims')) - before <= 1, 'no claims while there is no free slot')
  release.resolve()
  await worker.watched.waitForEnded('completed', 302)
  const claims = (await worker.count('claims')) - before
  t.ok(claims <= 310, `${claims} claims for 300 jobs in two slots`)
})

test('a LISTEN connection that is cut comes back, and what was missed is found', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startEngine(t, database, { handlers: [quick] })
  t.equal(await worker.count('listening'), 1)
  // In one transaction, so that the job is committed while nobody hears.
  const id = await database.db.sql.begin(async (tx) => {
    const cut = await tx`
      select pg_terminate_backend(pid, 5000)
      from pg_stat_activity
      where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`
    t.equal(cut.length, 1)
    await tx`select set_config('role', 'service_role', true)`
    return await enqueueJob(tx)
  })
  await worker.watched.waitForEnded('completed')
  t.equal((await jobRecord(sql, id)).status, 'completed')
  await eventually(async () => {
    if ((await worker.count('listening')) < 2) throw new Error('not yet back')
  })
  await enqueueJob(sql)
  await worker.watched.waitForEnded('completed', 2)
  t.ok(worker.engine.health().isListenerAlive)
})

test('a worker leaves alone what it has no handler or no lane for', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const otherType = await enqueueJob(sql, { type: 'security_scan' })
  const otherLane = await enqueueJob(sql, { type: 'pass1_find' })
  const worker = await startEngine(t, database, { handlers: [quick] })
  await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  t.equal((await jobRecord(sql, otherType)).status, 'pending')
  t.equal((await jobRecord(sql, otherLane)).status, 'pending')
})

test('workers are in the registry while they live', async (t) => {
  const database = await testDatabase(t)
  const worker = await startEngine(t, database, { handlers: [quick] })
  const sql = serviceSql(t, database.appUrl)
  const [entry] = await sql`select id, lanes, concurrency, is_stopping from public.workers`
  t.same(entry, { id: worker.workerId, lanes: ['fast_queue'], concurrency: 4, is_stopping: false })
  await worker.stop()
  t.same([...(await sql`select id from public.workers`)], [])
})

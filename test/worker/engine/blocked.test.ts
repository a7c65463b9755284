import tap, { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { startChildWorker } from '../../support/child-worker.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { createEffects, startEngine, testHandler } from '../../support/worker.ts'

// Processes that start, on a machine that may be busy.
tap.setTimeout(120_000)

test('a job that computes for longer than its lease keeps it, though nothing else gets a turn', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const busy = await startChildWorker(t, { url: database.appUrl, mode: 'blocking', leaseMs: 1_000 })
  const id = await enqueueJob(sql)
  await busy.heard(`began ${id}`)
  const idle = await startEngine(t, database, { handlers: [testHandler(async () => done())], leaseMs: 1_000 })
  await busy.heard(`ended ${id} completed`)
  t.match(await jobRecord(sql, id), { status: 'completed', retry_count: 0 })
  t.equal(await idle.count('ended'), 0)
})

test('a worker that hangs for ever, and beats for ever, loses its job when the time for it is over', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const hung = await startChildWorker(t, { url: database.appUrl, mode: 'blocked' })
  const id = await enqueueJob(sql)
  await hung.heard(`began ${id}`)
  const other = await startEngine(t, database, { handlers: [testHandler(async () => done())] })
  await sql`update public.job_queue set started_at = now() - interval '1 day' where id = ${id}`
  await other.watched.waitForEnded('completed')
  t.match(await jobRecord(sql, id), { status: 'completed', retry_count: 1 })
  const [beating] = await sql`
    select last_seen_at > now() - interval '5 seconds' as ok from public.workers where pid = ${hung.pid}`
  t.same(beating, { ok: true })
})

import tap, { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { startChildWorker } from '../../support/child-worker.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { createEffects, startEngine, testHandler } from '../../support/worker.ts'

// Processes that start, on a machine that may be busy.
tap.setTimeout(120_000)

test('a worker that comes back under the same name finds the jobs of its earlier life', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const first = await startChildWorker(t, { url: database.appUrl, mode: 'hang', workerId: 'pod-1' })
  const id = await enqueueJob(sql)
  await first.heard('half')
  first.signal('SIGKILL')
  await first.exited
  const second = await startChildWorker(t, { url: database.appUrl, mode: 'quick', workerId: 'pod-1' })
  await second.heard(`ended ${id} completed`)
  t.match(await jobRecord(sql, id), { status: 'completed', retry_count: 1 })
  const lives = await sql`select id from public.workers`
  t.equal(lives.length, 2, 'both lives are told apart')
  t.ok(lives.every((life) => String(life['id']).startsWith('pod-1.')))
})

test('a job that kills its workers ends as a dead letter, and what died with it is done', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const poison = await enqueueJob(sql, { priority: 10, maxRetries: 1 })
  const others = [await enqueueJob(sql), await enqueueJob(sql)]
  for (const status of ['pending', 'dead_letter']) {
    const victim = await startChildWorker(t, { url: database.appUrl, mode: 'poisoned', leaseMs: 1_000 })
    t.same(await victim.exited, { code: null, signal: 'SIGKILL' })
    await sql`update public.job_queue set lease_expires_at = now() where status = 'processing'`
    await sql`select public.rescue_stale_jobs()`
    t.equal((await jobRecord(sql, poison)).status, status)
  }
  t.match(await jobRecord(sql, poison), { error_details: { code: 'worker_lost', stage: 'ocr' } })
  const next = await startEngine(t, database, { handlers: [testHandler(async () => done())] })
  await next.watched.waitForEnded('completed', 2)
  for (const id of others) t.equal((await jobRecord(sql, id)).status, 'completed')
  const errors = await sql`select error_code from public.processing_errors where job_id = ${poison}`
  t.same([...errors], [{ error_code: 'worker_lost' }, { error_code: 'worker_lost' }])
})

import { sql as query } from 'drizzle-orm'
import { test } from 'tap'
import { enqueue } from '../../../jobs/enqueue.ts'
import { jobs } from '../../../jobs/index.ts'
import { defineError } from '../../../platform/errors.ts'
import { done, retry, snooze } from '../../../worker/engine/handler.ts'
import type { Outcome } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { claim, enqueueJob, expireLease, jobRecord, serviceSql } from '../../support/queue.ts'
import { createEffects, startEngine, testHandler } from '../../support/worker.ts'

const unreadable = defineError('page_unreadable', 500, 'A page could not be read.')
const corrupt = defineError('file_corrupt', 422, 'The file is damaged.')

const effectOf = (jobId: string, token: string, note: string) =>
  query`insert into public.effects (job_id, attempt_token, note) values (${jobId}, ${token}, ${note})`

test('results, completion and the next job appear together', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const handler = testHandler(async (payload, { job }) =>
    done(async (tx) => {
      await tx.execute(effectOf(job.id, job.attemptToken, 'result'))
      await enqueue(tx, jobs.pass1_find, payload)
      const [seen] = await sql`select status from public.job_queue where id = ${job.id}`
      t.equal(seen?.['status'], 'processing', 'nobody else sees any of it yet')
      return { pages: 2 }
    }),
  )
  const worker = await startEngine(t, database, { handlers: [handler] })
  const id = await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  t.match(await jobRecord(sql, id), { status: 'completed', job_result: { pages: 2 } })
  t.equal((await sql`select from public.effects`).length, 1)
  t.equal((await sql`select from public.job_queue where job_type = 'pass1_find'`).length, 1)
})

test('results that cannot be stored leave nothing and are tried again', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const handler = testHandler(async (payload, { job }) =>
    done(async (tx) => {
      await tx.execute(effectOf(job.id, job.attemptToken, 'result'))
      await enqueue(tx, jobs.pass1_find, payload)
      await tx.execute(query`select 1 / 0`)
      return undefined
    }),
  )
  const worker = await startEngine(t, database, { handlers: [handler] })
  const id = await enqueueJob(sql, { maxRetries: 1 })
  await worker.watched.waitForEnded('dead_letter')
  t.match(await jobRecord(sql, id), { status: 'dead_letter', retry_count: 1, error_details: { stage: 'ocr' } })
  t.equal((await sql`select from public.effects`).length, 0)
  t.equal((await sql`select from public.job_queue where job_type = 'pass1_find'`).length, 0)
  t.equal((await sql`select from public.processing_errors where job_id = ${id}`).length, 2)
})

test('an attempt that has lost its lease is aborted and writes nothing', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const started = Promise.withResolvers<void>()
  const refused: string[] = []
  const handler = testHandler(async (_payload, { job, signal, write }) => {
    started.resolve()
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => resolve(), { once: true })
    await aborted
    // A handler that does not care about its signal.
    await write((tx) => tx.execute(effectOf(job.id, job.attemptToken, 'page'))).catch((error: unknown) =>
      refused.push(error instanceof Error && 'code' in error ? String(error.code) : 'another error'),
    )
    return done(async (tx) => {
      await tx.execute(effectOf(job.id, job.attemptToken, 'result'))
      return undefined
    })
  })
  const worker = await startEngine(t, database, { handlers: [handler], leaseMs: 3_000 })
  const id = await enqueueJob(sql)
  await started.promise
  // As if this process had been frozen for longer than its lease.
  await sql.begin(async (tx) => {
    await expireLease(tx, id)
    await tx`select public.rescue_stale_jobs()`
    t.equal((await claim(tx, 'another'))[0]?.id, id)
  })
  await worker.watched.waitForEnded('lost')
  t.same(refused, ['lease_lost'])
  t.equal((await sql`select from public.effects`).length, 0)
  t.match(await jobRecord(sql, id), { status: 'processing', worker_id: 'another' })
})

test('a result that comes after the lease was lost is not written', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const handler = testHandler(async (_payload, { job }) => {
    // As after a rescue and another claim.
    await sql`
      update public.job_queue
      set worker_id = 'another', attempt_token = gen_random_uuid(), lease_expires_at = now() + interval '1 minute'
      where id = ${job.id}`
    return done(async (tx) => {
      await tx.execute(effectOf(job.id, job.attemptToken, 'result'))
      return undefined
    })
  })
  const worker = await startEngine(t, database, { handlers: [handler] })
  await enqueueJob(sql)
  await worker.watched.waitForEnded('lost')
  t.equal((await sql`select from public.effects`).length, 0)
})

test('a run that takes too long is aborted and tried again', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const handler = testHandler(() => new Promise<Outcome>(() => {}), { timeoutMs: 50 })
  const worker = await startEngine(t, database, { handlers: [handler] })
  const id = await enqueueJob(sql)
  await worker.watched.waitForEnded('retrying')
  t.match(await jobRecord(sql, id), { retry_count: 1, error_details: { code: 'job_timeout', type: 'transient' } })
})

test('every outcome ends where it should', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const outcomes = new Map<string, () => Promise<Outcome>>()
  const handler = testHandler(async (payload) => (await outcomes.get(payload.shell_file_id)?.()) ?? done())
  const enqueueEnding = async (outcome: () => Promise<Outcome>) => {
    const file = crypto.randomUUID()
    outcomes.set(file, outcome)
    return await enqueueJob(sql, { payload: { shell_file_id: file } })
  }
  const retried = await enqueueEnding(async () => retry(unreadable()))
  const thrown = await enqueueEnding(async () => {
    throw corrupt({ detail: 'Page 3 is damaged.' })
  })
  const unknown = await enqueueEnding(async () => {
    throw new Error('a message that quotes a document')
  })
  const put = await enqueueEnding(async () => snooze(60_000, 'no_capacity'))
  const worker = await startEngine(t, database, { handlers: [handler] })
  await worker.watched.waitForLines((line) => line['msg'] === 'job ended', 4)

  t.match(await jobRecord(sql, retried), { status: 'pending', error_details: { code: 'page_unreadable' } })
  t.match(await jobRecord(sql, thrown), {
    status: 'dead_letter',
    error_details: { code: 'file_corrupt', message: 'Page 3 is damaged.', type: 'permanent', stage: 'ocr' },
  })
  t.match(await jobRecord(sql, unknown), { status: 'pending', error_details: { code: 'job_failed' } })
  t.match(await jobRecord(sql, put), { status: 'pending', retry_count: 0, defer_count: 1, error_details: null })
  const everything = JSON.stringify([worker.watched.lines, [...(await sql`select * from public.processing_errors`)]])
  t.notMatch(everything, /quotes a document/)
})

test('a job that does not say what to work on is a dead letter', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const id = await enqueueJob(sql)
  await sql`update public.job_queue set job_payload = '{"shell_file_id": "x"}' where id = ${id}`
  const worker = await startEngine(t, database, { handlers: [testHandler(async () => done())] })
  await worker.watched.waitForEnded('dead_letter')
  t.match(await jobRecord(sql, id), { error_details: { code: 'bad_payload' } })
})

import { test } from 'tap'
import { createClaimAhead } from '../../../worker/engine/claim-ahead.ts'
import { done } from '../../../worker/engine/handler.ts'
import { claimedJob } from '../../support/claimed-job.ts'
import { testDatabase } from '../../support/postgres.ts'
import { serviceSql } from '../../support/queue.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const jobOf = (type: string) => claimedJob({ type })

test('nothing is claimed ahead of a slot before jobs have proved to be short', async (t) => {
  const ahead = createClaimAhead()
  t.equal(ahead.sizeFor(10), 0)
  ahead.note(jobOf('security_scan'), 5)
  t.equal(ahead.sizeFor(10), 100)
  ahead.note(jobOf('ocr'), 4_000)
  t.equal(ahead.sizeFor(10), 0, 'one long kind of job is enough')
})

test('who claimed ahead in vain does not for a while', async (t) => {
  let now = 0
  const ahead = createClaimAhead(() => now)
  ahead.note(jobOf('security_scan'), 0.01)
  t.equal(ahead.sizeFor(4), 1_000)
  ahead.wasWrong()
  t.equal(ahead.sizeFor(4), 0)
  now += 60_000
  t.equal(ahead.sizeFor(4), 1_000)
})

const fill = (sql: ReturnType<typeof serviceSql>, count: number) => sql`
  insert into public.job_queue (job_type, job_lane, job_name, job_payload)
  select 'ocr', 'fast_queue', 'ocr', jsonb_build_object('shell_file_id', gen_random_uuid())
  from generate_series(1, ${count})`

test('thousands of short jobs cost few claims and few completions', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await fill(sql, 3_000)
  const worker = await startEngine(t, database, { handlers: [testHandler(async () => done())], concurrency: 10 })
  await worker.watched.waitForEnded('completed', 3_000)
  const claims = await worker.count('claims')
  t.ok(claims < 150, `${claims} claims for 3,000 jobs in ten slots`)
  t.same([...(await sql`select distinct status from public.job_queue`)], [{ status: 'completed' }])
})

test('what was claimed ahead goes back when its slots turn out to be held by something long', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await fill(sql, 200)
  const release = Promise.withResolvers<void>()
  let begun = 0
  const handler = testHandler(async () => {
    begun += 1
    if (begun > 100) await release.promise
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], concurrency: 2 })
  await worker.watched.waitForLines((line) => line['msg'] === 'jobs that were claimed ahead went back')
  const [row] =
    await sql`select count(*)::int as held, max(retry_count) as retries from public.job_queue where status = 'processing'`
  t.same(row, { held: 2, retries: 0 })
  release.resolve()
  await worker.watched.waitForEnded('completed', 200)
})

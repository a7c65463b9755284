import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { claim, enqueueJob, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'

const inAnHour = () => new Date(Date.now() + 3_600_000)

test('jobs for later lie out of the way and get their place when they are due', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const later = await enqueueJob(sql, { scheduledAt: inAnHour() })
  const now = await enqueueJob(sql)
  const turnOf = async (id: string) =>
    (await sql<{ fair_turn: number | null }[]>`select fair_turn from public.job_queue where id = ${id}`)[0]?.fair_turn
  t.equal(await turnOf(later), null)
  t.equal(await turnOf(now), 0)
  t.same(
    (await claim(sql, 'w1', { max: 5 })).map((job) => job.id),
    [now],
  )
  await sql`update public.job_queue set scheduled_at = now() - interval '1 second' where id = ${later}`
  t.same(
    (await claim(sql, 'w1', { max: 5 })).map((job) => job.id),
    [later],
  )
})

test('a retry leaves the line until its wait is over', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await claim(sql)
  await sql`select public.fail_job(${id}, 'w1', '{"code":"x"}')`
  t.same([...(await sql`select fair_turn from public.job_queue where id = ${id}`)], [{ fair_turn: null }])
})

test('a thousand jobs of one person that become due at once do not hold up another', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const [busy, other] = [randomUUID(), randomUUID()]
  await sql`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, patient_id, scheduled_at)
    select 'ocr', 'fast_queue', 'ocr', '{}', whose, now() + interval '1 hour'
    from unnest(array_fill(${busy}::uuid, array[900]) || array_fill(${other}::uuid, array[5])) as whose`
  await sql`update public.job_queue set scheduled_at = now() - interval '1 second'`
  const first = await claim(sql, 'w1', { max: 10 })
  t.equal(first.filter((job) => job.patient_id === other).length, 5)
})

test('a claim walks past none of what is scheduled, however much it is', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, scheduled_at)
    select 'ocr', 'fast_queue', 'ocr', '{}', now() + interval '1 day' from generate_series(1, 20000)`
  await owner`analyze public.job_queue`
  const buffers = async () => {
    const [row] = await sql.unsafe(
      `explain (analyze, buffers, format json) select * from public.claim_next_job_v3('w1', null, array['fast_queue'], 5)`,
    )
    return Number(/"Shared Hit Blocks": (\d+)/.exec(JSON.stringify(row?.['QUERY PLAN'], null, 1))?.[1])
  }
  await buffers()
  const touched = await buffers()
  t.ok(touched < 60, `${touched} buffers to find nothing among 20,000 jobs for tomorrow`)
})

test('jobs are completed together, but only those that are still held', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  for (let n = 0; n < 4; n += 1) await enqueueJob(sql)
  const held = await claim(sql, 'w1', { max: 4 })
  const [mine, again, cancelled, forged] = held.map((job) => job.id)
  const tokens = held.map((job) => job.attempt_token)
  await sql`select public.hand_back_jobs('w1', array[${again ?? ''}]::uuid[])`
  await claim(sql, 'w1', { max: 1 })
  await sql`select public.cancel_job(${cancelled ?? ''})`
  tokens[3] = randomUUID()
  const done = await sql<{ id: string }[]>`
    select done as id from public.complete_jobs(
      'w1', ${sql.array(held.map((job) => job.id))}::uuid[], ${sql.array(tokens)}::uuid[]
    ) as done`
  t.same(
    done.map((row) => row.id),
    [mine],
  )
  t.equal((await jobRecord(sql, again ?? '')).status, 'processing')
  t.equal((await jobRecord(sql, cancelled ?? '')).status, 'cancelled')
  t.equal((await jobRecord(sql, forged ?? '')).status, 'processing')
})

test('of transactions that insert at the same moment one notifies, and an open one silences nobody for long', async (t) => {
  const { appUrl, db } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 3)
  let heard = 0
  let marked = Promise.withResolvers<void>()
  await db.listen('exora_jobs', (payload) => {
    if (payload === 'mark') marked.resolve()
    else heard += 1
  })
  const heardSoFar = async () => {
    marked = Promise.withResolvers<void>()
    await sql`select pg_notify('exora_jobs', 'mark')`
    await marked.promise
    return heard
  }
  const insert = (tx: typeof sql) => tx`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload) values ('ocr', 'fast_queue', 'ocr', '{}')`
  const held = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const slow = sql.begin(async (tx) => {
    // The moment that the trigger will see, held by somebody else already.
    await tx`
      select pg_advisory_xact_lock(hashtext('fast_queue'), (((extract(epoch from clock_timestamp()) * 20)::bigint + step) % 1000000000)::int)
      from generate_series(0, 100) as step`
    open.resolve()
    await held.promise
  })
  await open.promise
  await insert(sql)
  t.equal(await heardSoFar(), 0, 'another one notifies')
  held.resolve()
  await slow
  await insert(sql)
  t.equal(await heardSoFar(), 1)

  const release = Promise.withResolvers<void>()
  const inserted = Promise.withResolvers<void>()
  const forgotten = sql.begin(async (tx) => {
    await tx`insert into public.job_queue (job_type, job_lane, job_name, job_payload) values ('ocr', 'fast_queue', 'ocr', '{}')`
    // Until the moment that it holds is over.
    await tx`select pg_sleep(0.06)`
    inserted.resolve()
    await release.promise
  })
  await inserted.promise
  await insert(sql)
  t.equal(await heardSoFar(), 2, 'while the other is still open')
  release.resolve()
  await forgotten
  t.equal(await heardSoFar(), 3)
})

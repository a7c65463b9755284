import type postgres from 'postgres'
import { test } from 'tap'
import { claim, enqueueJob, expireLease, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'
import { eventually } from '../support/signals.ts'
import { testDatabase } from '../support/postgres.ts'

const rescue = (sql: postgres.ISql) => sql`select * from public.rescue_stale_jobs()`
const nothing = [{ rescued: 0, dead_lettered: 0 }]

/** A transaction that has done its work and keeps its locks until it is told to commit. */
async function keepOpen(sql: postgres.Sql, work: (tx: postgres.TransactionSql) => Promise<unknown>) {
  const worked = Promise.withResolvers<void>()
  const told = Promise.withResolvers<void>()
  const ended = sql.begin(async (tx) => {
    await work(tx)
    worked.resolve()
    await told.promise
  })
  ended.catch(worked.reject)
  await worked.promise
  return async () => {
    told.resolve()
    await ended
  }
}

async function someoneWaits(sql: postgres.Sql): Promise<void> {
  await eventually(async () => {
    const waiting = await sql`
      select
      from pg_locks
      join pg_stat_activity using (pid)
      where not granted and datname = current_database()`
    if (waiting.length === 0) throw new Error('nobody waits for a lock')
  })
}

test('a result that comes while its job is being rescued is refused, and the job runs once more', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  const [old] = await claim(sql, 'w1')
  await expireLease(sql, id)
  const commitRescue = await keepOpen(sql, rescue)
  const completing = sql`select public.complete_job(${id}, 'w1', null, ${old?.attempt_token ?? ''}) as ok`.execute()
  await someoneWaits(sql)
  t.same(await claim(sql, 'w2'), [], 'nobody can have it before the rescue is committed')
  await commitRescue()
  t.same([...(await completing)], [{ ok: false }])
  t.match(await jobRecord(sql, id), { status: 'pending', retry_count: 1 })

  t.equal((await claim(sql, 'w2'))[0]?.id, id)
  t.same([...(await rescue(sql))], nothing, 'and a second rescue leaves the new attempt alone')
  t.match(await jobRecord(sql, id), { status: 'processing', worker_id: 'w2', retry_count: 1 })
})

test('a job whose new attempt is just being claimed is not rescued from it', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  await expireLease(sql, id)
  const commitClaim = await keepOpen(sql, async (tx) => {
    await rescue(tx)
    t.equal((await claim(tx, 'w2'))[0]?.id, id)
  })
  // Sees the row of the old attempt, whose lease is over.
  t.match((await sql`select worker_id from public.job_queue where lease_expires_at < now()`)[0], { worker_id: 'w1' })
  const other = serviceSql(t, appUrl)
  t.same([...(await rescue(other))], nothing)
  await commitClaim()
  t.same([...(await rescue(other))], nothing)
  t.match(await jobRecord(sql, id), { status: 'processing', worker_id: 'w2', retry_count: 1 })
})

test('a heartbeat in the last moment keeps its job from a rescue that has already begun', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const [late, dead] = [await enqueueJob(sql), await enqueueJob(sql)]
  await claim(sql, 'w1', { max: 2 })
  for (const id of [late, dead]) await expireLease(sql, id)
  const commitBeat = await keepOpen(sql, (tx) => tx`select public.update_job_heartbeats('w1', array[${late}]::uuid[])`)
  t.same([...(await rescue(sql))], [{ rescued: 1, dead_lettered: 0 }], 'the other job does not wait for it')
  await commitBeat()
  t.same([...(await rescue(sql))], nothing)
  t.equal((await jobRecord(sql, late)).status, 'processing')
})

test('a lease is extended while its attempt writes for a long time', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  const [job] = await claim(sql, 'w1')
  await expireLease(sql, id)
  const commit = await keepOpen(sql, async (tx) => {
    await tx`select public.hold_lease(${id}, ${job?.attempt_token ?? ''})`
  })
  await sql`select public.update_job_heartbeats('w1', array[${id}]::uuid[])`
  t.same([...(await sql`select lease_expires_at > now() as ok from public.job_queue`)], [{ ok: true }])
  t.same([...(await rescue(sql))], nothing)
  const givingBack = sql`select * from public.hand_back_jobs('w1', array[${id}]::uuid[])`.execute()
  await someoneWaits(sql)
  await commit()
  t.equal((await givingBack).length, 1, 'it is handed back when it has written')
  const again = await claim(sql, 'w1')
  await sql`select public.update_job_heartbeats('w1', array[${id}]::uuid[])`
  t.same([again[0]?.id, ...(await rescue(sql))], [id, ...nothing], 'nobody takes it when the writing is over')
})

test('no heartbeat keeps a job beyond the time that its kind may take', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const [hung, young] = [await enqueueJob(sql), await enqueueJob(sql)]
  await claim(sql, 'w1', { max: 2 })
  // 1,800 s are what reading a document may take; then come 30 for winding down.
  await sql`update public.job_queue set started_at = now() - interval '1820 seconds' where id = ${hung}`
  const beat = () => sql`select public.update_job_heartbeats('w1', array[${hung}, ${young}]::uuid[])`
  await beat()
  t.same([...(await rescue(sql))], nothing, 'it may still wind down')
  await sql`update public.job_queue set started_at = now() - interval '1831 seconds' where id = ${hung}`
  await beat()
  t.same([...(await rescue(sql))], [{ rescued: 1, dead_lettered: 0 }])
  t.match(await jobRecord(sql, hung), { status: 'pending', error_details: { code: 'worker_lost' } })
  t.equal((await jobRecord(sql, young)).status, 'processing')
})

test('jobs are rescued though their worker has been forgotten', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  await sql`select public.register_worker('w1', 'host', 1, array['fast_queue'], 4, 'test')`
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  await expireLease(sql, id)
  t.same([...(await sql`select public.forget_silent_workers(interval '-1 second') as n`)], [{ n: 1 }])
  t.same([...(await rescue(sql))], [{ rescued: 1, dead_lettered: 0 }])
  t.equal((await claim(sql, 'w2'))[0]?.id, id)
})

test('one job that needs it is rescued from among ten thousand that do not, without looking at those', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 1)
  const owner = ownerSql(t, ownerUrl)
  await running(owner, 10_000, '1 hour')
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  await expireLease(sql, id)
  const readEntries = async () => {
    await sql`select pg_stat_force_next_flush()`
    const [row] = await owner`
      select idx_tup_read::int as n from pg_stat_user_indexes where indexrelname = 'job_queue_lease_idx'`
    return Number(row?.['n'])
  }
  const before = await readEntries()
  t.same([...(await rescue(sql))], [{ rescued: 1, dead_lettered: 0 }])
  const looked = (await readEntries()) - before
  t.ok(looked < 10, `${looked} entries`)
  t.equal((await jobRecord(sql, id)).status, 'pending')
})

test('when a whole fleet dies, its jobs come back page by page, each page at once', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 2)
  const owner = ownerSql(t, ownerUrl)
  await running(owner, 1_250, '-1 minute')
  await owner`update public.job_queue set retry_count = max_retries where worker_id = 'w7'`
  // One of them is just being completed by an attempt that is late.
  const [late] = await sql`select id, attempt_token from public.job_queue where worker_id = 'w1' limit 1`
  const held = await keepOpen(sql, (tx) => tx`select public.hold_lease(${late?.['id']}, ${late?.['attempt_token']})`)
  const pages = [...(await rescue(sql)), ...(await rescue(sql)), ...(await rescue(sql))]
  await held()
  t.same(
    pages.map((page) => Number(page['rescued']) + Number(page['dead_lettered'])),
    [500, 500, 249],
  )
  const [sums] = await sql`
    select
      count(*) filter (where status = 'pending' and retry_count = 1)::int as pending,
      count(*) filter (where status = 'dead_letter')::int as dead,
      (select count(*)::int from public.processing_errors where error_code = 'worker_lost') as errors
    from public.job_queue`
  t.same(sums, { pending: 1_224, dead: 25, errors: 1_249 })
})

test('a job that has lost three workers comes back at another time than what died with it', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  await running(ownerSql(t, ownerUrl), 200, '-1 minute')
  await sql`update public.job_queue set retry_count = case when worker_id < 'w25' then 1 else 3 end`
  await rescue(sql)
  const [spread] = await sql`
    select
      count(*) filter (where retry_count = 2 and scheduled_at > now())::int as once_or_twice,
      count(*) filter (where retry_count = 4)::int as again_and_again,
      max(scheduled_at - now()) filter (where retry_count = 4) < interval '8 seconds' as soon,
      count(distinct scheduled_at) filter (where retry_count = 4)::int as moments
    from public.job_queue`
  t.match(spread, { once_or_twice: 0, soon: true })
  t.equal(spread?.['moments'], spread?.['again_and_again'])
})

/** Jobs that run on fifty workers, all at once. */
async function running(owner: postgres.Sql, count: number, leaseEndsIn: string): Promise<void> {
  await owner`
    insert into public.job_queue (
      job_type, job_lane, job_name, job_payload, status, worker_id, attempt_token, started_at, lease_expires_at
    )
    select
      'ocr', 'fast_queue', 'ocr', '{}', 'processing', 'w' || n % 50, gen_random_uuid(), now(), now() + ${leaseEndsIn}::interval
    from generate_series(1, ${count}) as n`
}

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { claim, enqueueJob, expireLease, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'

test('only the attempt that holds the lease can end a job', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  const [first] = await claim(sql, 'w1')
  await expireLease(sql, id)
  t.same((await sql`select * from public.rescue_stale_jobs()`)[0], { rescued: 1, dead_lettered: 0 })
  const [second] = await claim(sql, 'w1')
  t.equal(second?.id, id)
  t.not(second?.attempt_token, first?.attempt_token)

  // Same worker id, older attempt: only the token tells them apart.
  const stale = first?.attempt_token ?? ''
  t.same((await sql`select public.complete_job(${id}, 'w1', null, ${stale}) as ok`)[0], { ok: false })
  t.same((await sql`select public.fail_job(${id}, 'w1', '{"code":"x"}', true, ${stale}) as status`)[0], {
    status: null,
  })
  t.same((await sql`select public.reschedule_job(${id}, 'w1', 5, 'full', ${stale}) as ok`)[0], { ok: false })
  t.same((await sql`select public.hold_lease(${id}, ${stale}) as ok`)[0], { ok: false })
  t.same((await sql`select public.complete_job(${id}, 'w2') as ok`)[0], { ok: false })
  t.equal((await jobRecord(sql, id)).status, 'processing')

  const done = await sql`select public.complete_job(${id}, 'w1', '{"pages": 3}', ${second?.attempt_token ?? ''}) as ok`
  t.same(done[0], { ok: true })
  t.match(await jobRecord(sql, id), { status: 'completed', job_result: { pages: 3 }, worker_id: null })
  t.same((await sql`select public.complete_job(${id}, 'w1') as ok`)[0], { ok: false })
})

test('heartbeats extend what is held and tell what is lost', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const held = await enqueueJob(sql)
  const lost = await enqueueJob(sql)
  await sql`select public.register_worker('w1', 'host', 1, array['fast_queue'], 4, 'test')`
  await claim(sql, 'w1', { max: 2 })
  await expireLease(sql, held)
  await sql`select public.complete_job(${lost}, 'w1')`
  const kept = await sql`select * from public.update_job_heartbeats('w1', array[${held}, ${lost}]::uuid[])`
  t.same(
    kept.map((row) => row['update_job_heartbeats']),
    [held],
  )
  t.ok(((await jobRecord(sql, held)).lease_expires_at?.getTime() ?? 0) > Date.now() + 20_000)
  t.same((await sql`select public.update_job_heartbeat(${held}, 'w1') as ok`)[0], { ok: true })
  t.same((await sql`select public.update_job_heartbeat(${held}, 'w2') as ok`)[0], { ok: false })
  t.match((await sql`select running from public.workers where id = 'w1'`)[0], { running: 1 })
})

test('a heartbeat does not wait for a job that is just being written', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const [writing, other] = [await enqueueJob(sql), await enqueueJob(sql)]
  const claimed = await claim(sql, 'w1', { max: 2 })
  const token = claimed.find((job) => job.id === writing)?.attempt_token ?? ''
  await sql.begin(async (tx) => {
    await tx`select public.hold_lease(${writing}, ${token})`
    await expireLease(sql, other)
    // Fails instead of waiting for ever.
    const kept = await sql.begin(async (beat) => {
      await beat`set local statement_timeout = 2000`
      return await beat`
        select held from public.update_job_heartbeats('w1', array[${writing}, ${other}]::uuid[]) as held`
    })
    t.equal(kept.length, 2, 'a job that is being written is held')
    t.ok(((await jobRecord(sql, other)).lease_expires_at?.getTime() ?? 0) > Date.now() + 20_000)
  })
})

test('a failed attempt waits longer each time, at random, and ends as a dead letter', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  const error = sql.json({
    code: 'page_unreadable',
    message: 'A page could not be read.',
    type: 'transient',
    stage: 'ocr',
  })
  for (const ceilingS of [2, 4, 8, 16, 32, 64]) {
    await sql`update public.job_queue set scheduled_at = now() where id = ${id}`
    t.equal((await claim(sql, 'w1'))[0]?.id, id)
    const [failed] = await sql`
      select
        public.fail_job(${id}, 'w1', ${error}) as status,
        clock_timestamp() as at`
    t.match(failed, { status: 'pending' })
    const [due] = await sql`
      select extract(epoch from scheduled_at - now())::float8 as in_s, retry_count from public.job_queue where id = ${id}`
    t.ok(Number(due?.['in_s']) > -1 && Number(due?.['in_s']) <= ceilingS, `${due?.['in_s']} of ${ceilingS} s`)
  }
  await sql`update public.job_queue set scheduled_at = now() where id = ${id}`
  await claim(sql, 'w1')
  t.same((await sql`select public.fail_job(${id}, 'w1', ${error}) as status`)[0], { status: 'dead_letter' })
  t.match(await jobRecord(sql, id), {
    status: 'dead_letter',
    retry_count: 6,
    error_details: { code: 'page_unreadable' },
  })
  const errors = await sql`
    select stage, error_code, retry_count, next_retry_at is null as is_last
    from public.processing_errors where job_id = ${id} order by created_at, id`
  t.equal(errors.length, 7)
  t.same(errors[6], { stage: 'ocr', error_code: 'page_unreadable', retry_count: 6, is_last: true })
})

test('many failures at once are spread over the whole wait', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  await sql`
    select public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', gen_random_uuid()))
    from generate_series(1, 200)`
  await claim(sql, 'w1', { max: 200 })
  await sql`update public.job_queue set retry_count = 5`
  await sql`select public.fail_job(id, 'w1', '{"code":"x"}') from public.job_queue`
  const [spread] = await sql`
    select max(n)::int as most from (
      select count(*) as n from public.job_queue group by width_bucket(extract(epoch from scheduled_at - now()), 0, 64, 8)
    ) as eighths`
  t.ok(Number(spread?.['most']) < 50, `at most ${spread?.['most']} of 200 in an eighth of the time`)
})

test('a permanent failure is a dead letter at once', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  const [failed] = await sql`select public.fail_job(${id}, 'w1', '{"code":"file_corrupt"}', false) as status`
  t.same(failed, { status: 'dead_letter' })
  t.match(await jobRecord(sql, id), { error_details: { code: 'file_corrupt', type: 'permanent', stage: 'ocr' } })
})

test('an error that could carry content is refused', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  const withContent = sql`select public.fail_job(${id}, 'w1', '{"code":"x","page_text":"..."}')`
  await t.rejects(withContent, { message: /not: page_text/ })
  await t.rejects(sql`select public.fail_job(${id}, 'w1', '{"message":{"a":1}}')`, { message: /not: message/ })
  t.equal((await jobRecord(sql, id)).status, 'processing')
})

test('waiting for capacity spends no retry, but not for ever', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  await owner`update public.system_configuration set config_value = '2' where config_key = 'queue.max_deferrals'`
  const id = await enqueueJob(sql)
  const defer = async () => {
    await claim(sql, 'w1')
    return await sql`select public.reschedule_job(${id}, 'w1', 0, 'no_capacity') as ok`
  }
  t.same((await defer())[0], { ok: true })
  t.same((await defer())[0], { ok: true })
  t.match(await jobRecord(sql, id), { status: 'pending', retry_count: 0, defer_count: 2 })
  await defer()
  t.match(await jobRecord(sql, id), { status: 'dead_letter', error_details: { code: 'deferred_too_often' } })
})

test('a job whose workers keep dying ends as a dead letter', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql, { maxRetries: 1 })
  for (const expected of [
    { rescued: 1, dead_lettered: 0 },
    { rescued: 0, dead_lettered: 1 },
    { rescued: 0, dead_lettered: 0 },
  ]) {
    await claim(sql, 'w1')
    await sql`
      update public.job_queue set lease_expires_at = now() - interval '1 second' where status = 'processing'`
    t.same((await sql`select * from public.rescue_stale_jobs()`)[0], expected)
  }
  t.match(await jobRecord(sql, id), { status: 'dead_letter', error_details: { code: 'worker_lost' } })
})

test('rescuers do not take a job from an attempt that is just committing', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  const [job] = await claim(sql, 'w1')
  await expireLease(sql, id)
  await sql.begin(async (tx) => {
    t.same((await tx`select public.hold_lease(${id}, ${job?.attempt_token ?? ''}) as ok`)[0], { ok: true })
    t.same((await sql`select * from public.rescue_stale_jobs()`)[0], { rescued: 0, dead_lettered: 0 })
    t.same((await tx`select public.complete_job(${id}, 'w1') as ok`)[0], { ok: true })
  })
  t.equal((await jobRecord(sql, id)).status, 'completed')
})

test('what a stopping worker hands back can be claimed at once and has all its retries', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  t.same([...(await sql`select * from public.hand_back_jobs('w2', array[${id}]::uuid[])`)], [])
  const [back] = await sql`select * from public.hand_back_jobs('w1', array[${id}]::uuid[]) as id`
  t.same(back, { id })
  t.match((await claim(sql, 'w2'))[0], { id, retry_count: 0 })
})

test('operators requeue and cancel, others may not, and it is audited', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const dead = await enqueueJob(sql)
  await claim(sql, 'w1')
  await sql`select public.fail_job(${dead}, 'w1', '{"code":"x"}', false)`
  const running = await enqueueJob(sql)
  await claim(sql, 'w1')

  const [operator, stranger] = [randomUUID(), randomUUID()]
  const owner = ownerSql(t, ownerUrl)
  await owner`insert into auth.users (id) values (${operator})`
  await owner`insert into public.account_roles (account_id, role) values (${operator}, 'operator')`
  const as = (accountId: string, call: 'requeue_dead_letter' | 'cancel_job', id: string) =>
    sql.begin(async (tx) => {
      await tx`
        select
          set_config('role', 'authenticated', true),
          set_config('request.jwt.claims', ${JSON.stringify({ sub: accountId, role: 'authenticated' })}, true)`
      const [row] = await tx`select public.${tx(call)}(${id}) as ok`
      return row?.['ok']
    })

  await t.rejects(as(stranger, 'requeue_dead_letter', dead), { message: /only operators/ })
  await t.rejects(as(stranger, 'cancel_job', running), { message: /only operators/ })
  t.equal(await as(operator, 'requeue_dead_letter', dead), true)
  t.equal(await as(operator, 'requeue_dead_letter', dead), false)
  t.equal(await as(operator, 'cancel_job', running), true)
  t.equal(await as(operator, 'cancel_job', running), false)
  t.match(await jobRecord(sql, dead), { status: 'pending', retry_count: 0 })
  t.equal((await jobRecord(sql, running)).status, 'cancelled')
  t.same((await sql`select public.complete_job(${running}, 'w1') as ok`)[0], { ok: false })
  const audited = await owner`
    select record_id, reason, changed_by from public.audit_log where table_name = 'job_queue' order by changed_at, id`
  t.same(
    audited.map((row) => [row['record_id'], row['reason'], row['changed_by']]),
    [
      [dead, 'dead letter: x', null],
      [dead, 'requeued by an operator', operator],
      [running, 'cancelled by an operator', operator],
    ],
  )
})

test('finished jobs leave after their time; dead letters stay', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const old = await enqueueJob(sql)
  const dead = await enqueueJob(sql)
  const recent = await enqueueJob(sql)
  await claim(sql, 'w1', { max: 3 })
  await sql`select public.complete_job(${old}, 'w1'), public.complete_job(${recent}, 'w1')`
  await sql`select public.fail_job(${dead}, 'w1', '{"code":"x"}', false)`
  await sql`update public.job_queue set completed_at = now() - interval '31 days' where id = ${old}`
  t.same((await sql`select public.delete_finished_jobs(interval '30 days') as n`)[0], { n: 1 })
  const left = await sql`select id from public.job_queue`
  t.same(new Set(left.map((row) => row['id'])), new Set([dead, recent]))
})

import { randomUUID } from 'node:crypto'
import { sql as query } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { anonymous, ask, askOne, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { buryJob, claim, enqueueJob, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'
import { keepOpen } from '../support/transactions.ts'

async function makeOperator(db: Database, owner: postgres.Sql): Promise<Account> {
  const operator = await signUp(db, 'Operator')
  await owner`insert into public.account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  return operator
}

const statusOf = async (sql: postgres.Sql, id: string) => (await jobRecord(sql, id)).status

test('operators with an account see and steer the queue; whoever is none does not', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const [sql, owner] = [serviceSql(t, appUrl), ownerSql(t, ownerUrl)]
  const operator = await makeOperator(db, owner)
  const stranger = await signUp(db)
  const dead = await buryJob(sql, { patientId: stranger.profileId })

  const calls = {
    stats: query`select * from public.queue_stats()`,
    workers: query`select * from public.queue_workers()`,
    'dead letters': query`select * from public.dead_letters()`,
    'their number': query`select * from public.count_dead_letters()`,
    replay: query`select public.requeue_dead_letters('ocr')`,
    pause: query`select public.pause_lane('fast_queue')`,
    resume: query`select public.resume_lane('fast_queue')`,
  }
  for (const [name, call] of Object.entries(calls)) {
    t.equal(await refusal(ask(db, stranger.actor, call)), '42501', `${name}: not for patients`)
    t.equal(await refusal(ask(db, anonymous, call)), '42501', `${name}: not without a token`)
  }
  const letters = await ask(db, operator.actor, calls['dead letters'])
  t.match(letters, [{ job_id: dead, error_code: 'page_unreadable', attempts: 1, replays: 0 }])
  t.notMatch(JSON.stringify(letters), stranger.profileId, 'whose it is is not said')
  for (const [name, call] of Object.entries(calls)) await t.resolves(ask(db, operator.actor, call), name)
  t.equal(await statusOf(sql, dead), 'pending')
  t.equal(await refusal(ask(db, operator.actor, query`select public.pause_lane('slow_queue')`)), '22023')
  t.equal(await refusal(ask(db, operator.actor, query`update public.job_lanes set paused_at = now()`)), '42501')
})

test('a paused lane is not claimed from; others are, what runs goes on, and what comes in waits', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const [sql, owner] = [serviceSql(t, appUrl), ownerSql(t, ownerUrl)]
  const operator = await makeOperator(db, owner)
  const running = await enqueueJob(sql)
  await claim(sql, 'w1')
  const pause = query`select public.pause_lane('fast_queue', '  scanner of ward 3  ') as value`
  t.equal(await askOne(db, operator.actor, pause), true)
  t.equal(await askOne(db, operator.actor, pause), false, 'paused already')

  const waiting = await enqueueJob(sql)
  const thinking = await enqueueJob(sql, { type: 'pass1_find' })
  t.same(
    (await claim(sql, 'w2', { max: 10 })).map(({ id }) => id),
    [thinking],
  )
  t.equal((await sql`select public.complete_job(${running}, 'w1') as ok`)[0]?.['ok'], true)
  const [lane] = await sql`select paused_by, pause_reason from public.job_lanes where job_lane = 'fast_queue'`
  t.same(lane, { paused_by: operator.accountId, pause_reason: 'scanner of ward 3' })

  const { promise: woken, resolve: wake } = Promise.withResolvers<string>()
  const subscription = await db.listen('exora_jobs', wake)
  t.teardown(() => subscription.stop())
  t.equal(await askOne(db, operator.actor, query`select public.resume_lane('fast_queue') as value`), true)
  t.equal(await askOne(db, operator.actor, query`select public.resume_lane('fast_queue') as value`), false)
  t.equal(await woken, 'fast_queue', 'workers look at once')
  t.equal((await claim(sql, 'w2'))[0]?.id, waiting)

  const audited = await owner`
    select changed_by, new_values from public.audit_log
    where table_name = 'job_lanes' and operation = 'UPDATE' order by changed_at, id`
  t.same(
    audited.map((row) => row['changed_by']),
    [operator.accountId, operator.accountId],
  )
  t.notMatch(JSON.stringify(audited), 'scanner of ward 3', 'what an operator wrote is not in the log')
})

test('housekeeping goes on in a paused lane', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  await sql`select public.pause_lane('background')`
  const id = await enqueueJob(sql, {
    type: 'run_schedule',
    payload: { schedule: 'seal_audit_log', slot_at: '2026-01-01T00:00:00Z' },
  })
  t.same(await claim(sql, 'w1', { lanes: ['background'] }), [])
  const [own] = await sql`select id from public.claim_next_job_v3('w1', array['run_schedule'], array['background'])`
  t.equal(own?.['id'], id)
})

test('a claim holds nothing of a paused lane, so that whoever resumes it finds all of it free', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await enqueueJob(sql)
  await sql`select public.pause_lane('fast_queue')`
  await sql.begin(async (tx) => {
    t.same(await claim(tx, 'w1'), [])
    const places = JSON.stringify([{ lane: 'fast_queue', priority: 5, turn: 0, due_at: '2020-01-01T00:00:00Z' }])
    const fromThere = await tx`select from public.claim_next_job_v3('w1', start_places => ${places}::text::jsonb)`
    t.equal(fromThere.length, 0, 'nor does one that begins where the last one ended')
    t.equal((await sql`select from public.job_queue where id = ${id} for update skip locked`).length, 1)
  })
})

test('two operators who replay at once take each dead letter once, and leave none', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const [sql, owner] = [serviceSql(t, appUrl), ownerSql(t, ownerUrl)]
  const operators = [await makeOperator(db, owner), await makeOperator(db, owner)]
  const ids: string[] = []
  for (let n = 0; n < 30; n += 1) ids.push(await buryJob(sql))
  const replay = async ({ actor }: Account): Promise<number> => {
    let all = 0
    for (;;) {
      const batch = await askOne(db, actor, query`select public.requeue_dead_letters('ocr', p_limit => 4) as value`)
      if (batch === 0) return all
      all += Number(batch)
    }
  }
  const counts = await Promise.all(operators.map(replay))
  t.equal(
    counts.reduce((sum, count) => sum + count),
    30,
  )
  const rows = await sql`select status, replay_count, count(*)::int as jobs from public.job_queue group by 1, 2`
  t.same([...rows], [{ status: 'pending', replay_count: 1, jobs: 30 }])
  const audited = await owner`
    select count(*)::int as rows, count(distinct record_id)::int as jobs from public.audit_log
    where reason = 'requeued by an operator'`
  t.same(audited[0], { rows: 30, jobs: 30 })
})

test('the second of two operators goes on where the first has got to, and is not told that nothing is left', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  for (let n = 0; n < 4; n += 1) await buryJob(sql)
  const first = await keepOpen(
    (work) => asService(db, {}, work),
    (tx) => tx.execute(query`select public.requeue_dead_letters(p_limit => 2)`),
  )
  const second = sql`select public.requeue_dead_letters(p_limit => 2) as jobs`.execute()
  await untilSomebodyWaits(sql)
  await first.commit()
  t.equal((await second)[0]?.['jobs'], 2)
  t.equal((await sql`select from public.job_queue where status = 'dead_letter'`).length, 0)
})

async function untilSomebodyWaits(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`
    if (waiting.length > 0) return
  }
}

test('what dies again while a kind is replayed is not replayed again, and keeps what it died of before', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const id = await buryJob(sql)
  const [now] = await sql<{ time: string }[]>`select clock_timestamp()::text as time`
  const replay = async () =>
    (await sql`select public.requeue_dead_letters(null, null, ${now?.time ?? ''}::timestamptz) as jobs`)[0]?.['jobs']
  t.equal(await replay(), 1)
  await claim(sql, 'w2')
  await sql`select public.fail_job(${id}, 'w2', '{"code":"storage_refused"}', false)`
  t.equal(await replay(), 0)
  t.match((await sql`select * from public.dead_letters()`)[0], {
    job_id: id,
    error_code: 'storage_refused',
    replays: 1,
  })
  const known = await sql`select error_code from public.processing_errors where job_id = ${id} order by created_at, id`
  t.same(
    known.map((row) => row['error_code']),
    ['page_unreadable', 'storage_refused'],
  )
})

test('dead letters of somebody whose processing is stopped stay, and do not hold up those behind them', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const [sql, owner] = [serviceSql(t, appUrl), ownerSql(t, ownerUrl)]
  const { profileId, actor } = await signUp(db)
  const theirs = [await buryJob(sql, { patientId: profileId }), await buryJob(sql, { patientId: profileId })]
  const other = await buryJob(sql, { patientId: (await signUp(db)).profileId })
  await asActor(db, actor, (tx) => tx.execute(query`select public.restrict_processing(${profileId})`))
  t.equal((await owner`select public.requeue_dead_letters(p_limit => 2) as jobs`)[0]?.['jobs'], 1)
  for (const id of theirs) t.equal(await statusOf(sql, id), 'dead_letter')
  t.equal(await statusOf(sql, other), 'pending')
})

test('dead letters of one person that are replayed do not hold up another', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const [one, other] = [(await signUp(db)).profileId, (await signUp(db)).profileId]
  for (let n = 0; n < 5; n += 1) await buryJob(sql, { patientId: one })
  await sql`select public.requeue_dead_letters()`
  const newcomer = await enqueueJob(sql, { patientId: other })
  const firstTwo = await claim(sql, 'w1', { max: 2 })
  t.ok(firstTwo.some(({ id }) => id === newcomer))
})

test('numbers of the queue are those of its rows', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const stats = async () => {
    const rows = await sql`select * from public.queue_stats()`
    return rows.map((row) => [row['job_lane'], row['due'], row['scheduled'], row['running'], row['dead']].join(' '))
  }
  t.same(await stats(), ['fast_queue 0 0 0 0', 'ai_queue 0 0 0 0', 'background 0 0 0 0'])
  await buryJob(sql)
  await enqueueJob(sql, { type: 'pass1_find' })
  await claim(sql, 'w1')
  await enqueueJob(sql, { scheduledAt: new Date(Date.now() + 60_000) })
  await enqueueJob(sql, { type: 'export_record', payload: { export_id: randomUUID() } })
  t.same(await stats(), ['fast_queue 0 1 0 1', 'ai_queue 0 0 1 0', 'background 1 0 0 0'])
})

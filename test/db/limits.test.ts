import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { endpointWith } from '../support/limits.ts'
import type { Grant } from '../support/limits.ts'
import { testDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'
import { claim, enqueueJob, expireLease, ownerSql, serviceSql } from '../support/queue.ts'

test('the limits of a fresh installation are there, and a second one leaves an operator’s alone', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const rows = await sql`
    select provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests
    from public.api_rate_limits order by provider_name`
  t.same(
    rows.map((row) => Object.values(row)),
    [
      ['google', 'vision-api', 1800, 1800, 100],
      ['openai', 'gpt-4o-mini', 500, 200000, 50],
    ],
  )
})

test('requests a minute hold under a race, and a refusal says when to come back', async (t) => {
  const { acquire: ask, letPass } = await endpointWith(t, { requests: 25 })
  const grants = await Promise.all(Array.from({ length: 100 }, () => ask()))
  t.equal(grants.filter((grant) => grant.granted).length, 25)
  const refusal = await ask()
  t.equal(refusal.granted, false)
  t.ok(refusal.retry_after_ms > 50_000 && refusal.retry_after_ms <= 61_000, `${refusal.retry_after_ms} ms`)
  await letPass(50)
  t.ok((await ask()).retry_after_ms <= 11_000)
  await letPass(12)
  t.equal((await ask()).granted, true)
})

test('no sixty seconds hold more than the limit, wherever they begin', async (t) => {
  const { acquire: ask, letPass, sql } = await endpointWith(t, { requests: 60 })
  // One request more every few seconds than the limit allows, for three minutes of made-up time.
  for (let second = 0; second < 180; second += 5) {
    await Promise.all(Array.from({ length: 8 }, () => ask()))
    await letPass(5)
  }
  const [most] = await sql`
    select max(n)::int as n from (
      select sum(requests) over (order by slot range between 599 preceding and current row) as n
      from public.api_usage_slots
    ) as windows`
  t.equal(most?.['n'], 60)
  const [all] = await sql`select sum(requests)::int as n from public.api_usage_slots`
  t.ok(Number(all?.['n']) >= 170, `${all?.['n']} of 180 were used`)
})

test('tokens are counted by the estimate first and by the truth afterwards', async (t) => {
  const { acquire: ask, release } = await endpointWith(t, { tokens: 1000 })
  const first = await ask({ tokens: 900 })
  t.equal(first.granted, true)
  t.equal((await ask({ tokens: 200 })).granted, false)
  await release(first, 900, 300)
  await release(first, 900, 300)
  t.equal((await ask({ tokens: 700 })).granted, true, 'releasing twice gives back once')
  t.equal((await ask({ tokens: 1 })).granted, false)
  await t.rejects(ask({ tokens: 1001 }), { message: /can never fit/ })
})

test('more tokens than estimated count against what comes next', async (t) => {
  const { acquire: ask, release } = await endpointWith(t, { tokens: 1000 })
  await release(await ask({ tokens: 100 }), 100, 950)
  t.equal((await ask({ tokens: 60 })).granted, false)
  t.equal((await ask({ tokens: 50 })).granted, true)
})

test('calls at once hold under a race, and each release makes room for one', async (t) => {
  const { acquire: ask, release } = await endpointWith(t, { concurrent: 10 })
  const grants = await Promise.all(Array.from({ length: 60 }, () => ask()))
  const granted = grants.filter((grant) => grant.granted)
  t.equal(granted.length, 10)
  const [first] = granted
  if (first) await release(first, 10)
  if (first) await release(first, 10)
  const next = await Promise.all([ask(), ask()])
  t.equal(next.filter((grant) => grant.granted).length, 1)
})

test('what a worker held is free again when it dies, and when its job ends', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { concurrent: 1 })
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  t.equal((await ask({ job: id })).granted, true)
  t.equal((await ask()).granted, false)
  await expireLease(sql, id)
  await sql`select public.rescue_stale_jobs()`
  const next = await ask()
  t.equal(next.granted, true, 'after the rescue')
  await sql`select public.release_api_capacity('tester', 'chat', 10, 10, ${next.reservation_id})`

  await claim(sql, 'w2')
  t.equal((await ask({ job: id })).granted, true)
  await sql`select public.complete_job(${id}, 'w2')`
  t.equal((await ask()).granted, true, 'after completion without a release')
  await t.rejects(ask({ job: id }), { message: /does not run on this worker/ })
})

test('a call ends while another begins, and the two never wait for each other in a circle', async (t) => {
  const { acquire: ask, release, sql } = await endpointWith(t, { requests: 5 })
  const call = await ask()
  let ending: Promise<unknown> = Promise.resolve()
  await sql.begin(async (tx) => {
    // As a grant takes them: the tenth of a second, then the day.
    const [own] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid from public.api_usage_slots for update`
    ending = release(call, 10, 5).execute()
    await eventually(async () => {
      const waiting = await sql`
        select from pg_stat_activity where ${own?.pid ?? 0}::int = any (pg_blocking_pids(pid))`
      if (waiting.length === 0) throw new Error('it does not wait yet')
    })
    await tx`select from public.api_daily_use for update`
  })
  await ending
  t.same([...(await sql`select tokens::int from public.api_daily_use`)], [{ tokens: 5 }])
})

for (const [how, sqlOf] of [
  ['cancelled', 'select public.cancel_job($1::text::uuid)'],
  ['stopped', 'select public.stop_job($1::text::uuid)'],
  ['handed back', `select public.hand_back_jobs('w1', array[$1::text::uuid])`],
] as const)
  test(`the call of a job that is ${how} holds its room until it is over`, async (t) => {
    const { acquire: ask, release, sql } = await endpointWith(t, { concurrent: 1 })
    const id = await enqueueJob(sql)
    await claim(sql, 'w1')
    const call = await ask({ job: id })
    await sql.unsafe(sqlOf, [id])
    t.equal((await ask()).granted, false, 'the provider still has it')
    await release(call, 10, 10)
    t.equal((await ask()).granted, true)
  })

test('a reservation lives as long as its job is kept alive', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { concurrent: 1 })
  const id = await enqueueJob(sql)
  await claim(sql, 'w1')
  await sql`
    select public.acquire_api_capacity('tester', 'chat', 10, p_job_id => ${id}, p_worker_id => 'w1')`
  const expire = () =>
    sql`update public.api_capacity_reservations set expires_at = clock_timestamp() - interval '1 second'`
  await expire()
  await sql`select public.update_job_heartbeats('w1', array[${id}]::uuid[])`
  t.equal((await ask()).granted, false)
  await expire()
  t.equal((await ask()).granted, true)
})

test('callers that are refused and will wait get a turn each, as room returns', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 3 })
  // Three calls of a minute ago, whose room returns in about 0.6, 1.1 and 1.6 s.
  await sql`
    insert into public.api_usage_slots (rate_limit_id, slot, requests, tokens)
    select id, floor(extract(epoch from clock_timestamp()) * 10) - 607 + 5 * late, 1, 0
    from public.api_rate_limits, unnest(array[1, 2, 3]) as late
    where provider_name = 'tester'`
  const refusals = await sql<Grant[]>`
    select answer.*
    from generate_series(1, 4) as caller
    cross join lateral public.acquire_api_capacity('tester', 'chat', 10 + 0 * caller) as answer`
  const [first, second, third, again] = refusals.map((refusal) => refusal.retry_after_ms)
  const near = (ms: number | undefined, wanted: number) => Math.abs((ms ?? 0) - wanted) < 150
  t.ok(
    near((second ?? 0) - (first ?? 0), 500) && near((third ?? 0) - (second ?? 0), 500),
    `${first}, ${second}, ${third}`,
  )
  t.ok(near(again, first ?? 0), 'then from the start again, should somebody not come')
  await sql`update public.api_usage_slots set slot = slot + 100`
  await sql`update public.api_rate_limits set line_slot = 0`
  const far = [await ask(), await ask()].map((refusal) => refusal.retry_after_ms)
  t.ok(
    far.every((ms) => ms > 8_000 && ms < 11_000),
    `${far.join(', ')} ms: who will not wait is told the first`,
  )
})

test('a limit may be kept within a second instead of a minute', async (t) => {
  const { acquire: ask, letPass, sql } = await endpointWith(t, { requests: 600 })
  await sql`update public.api_rate_limits set window_ms = 1000 where provider_name = 'tester'`
  const askTwenty = () => Promise.all(Array.from({ length: 20 }, () => ask()))
  t.equal((await askTwenty()).filter((grant) => grant.granted).length, 10)
  t.ok((await ask()).retry_after_ms <= 1_700)
  await letPass(2)
  t.equal((await askTwenty()).filter((grant) => grant.granted).length, 10)
  await sql`update public.api_rate_limits set requests_per_minute = 20 where provider_name = 'tester'`
  await letPass(4)
  t.same(
    [await ask(), await ask()].map((grant) => grant.granted),
    [true, false],
    'a small limit: one in three seconds, not one each second',
  )
})

test('a grant that was not used is as if it had never been asked for', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 1, tokens: 10, concurrent: 1 })
  const grant = await ask()
  const giveBack = async () =>
    (await sql`select public.return_api_capacity(${grant.reservation_id}) as was_there`)[0]?.['was_there']
  t.same([await giveBack(), await giveBack()], [true, false])
  t.equal((await ask()).granted, true)
})

test('what was counted in half seconds still counts after the upgrade', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`
    insert into public.api_usage_slots (rate_limit_id, slot, requests, tokens)
    select id, floor(extract(epoch from clock_timestamp()) * 2) - back, 250, 0
    from public.api_rate_limits, generate_series(1, 2) as back
    where provider_name = 'openai'`
  // Files run when they have changed.
  await owner`delete from exora_internal.sql_files where name = '24-limits-counted.sql'`
  await migrate(ownerUrl)
  const [answer] = await owner`select granted, retry_after_ms from public.acquire_api_capacity('openai', 'gpt-4o-mini')`
  t.equal(answer?.['granted'], false)
  t.ok(Number(answer?.['retry_after_ms']) > 50_000)
})

test('an endpoint that is switched off or not known is never called', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, {})
  t.equal((await ask()).granted, true, 'no limits')
  await sql`update public.api_rate_limits set is_active = false`
  t.equal((await ask()).granted, false)
  const unknown = sql`select * from public.acquire_api_capacity('nobody', 'chat')`
  await t.rejects(unknown, { message: /no rate limit is configured for nobody\/chat/ })
})

test('what no longer counts is forgotten', async (t) => {
  const { acquire: ask, letPass, sql } = await endpointWith(t, { requests: 5 })
  await ask()
  await letPass(200)
  await sql`update public.api_capacity_reservations set expires_at = now() - interval '1 hour'`
  await ask()
  await sql`select public.sweep_api_capacity()`
  t.same(
    [
      ...(await sql`select (select count(*)::int from public.api_usage_slots) as slots,
      (select count(*)::int from public.api_capacity_reservations) as reservations`),
    ],
    [{ slots: 1, reservations: 1 }],
  )
})

test('nobody but the service may touch queue or limits', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const open = await owner`
    select proname, role
    from pg_proc, unnest(array['anon', 'authenticated', 'public']) as role
    where pronamespace = 'public'::regnamespace
      and proname = any (${[
        'enqueue_job_v3',
        'claim_next_job_v3',
        'hold_lease',
        'update_job_heartbeats',
        'update_job_heartbeat',
        'complete_job',
        'fail_job',
        'reschedule_job',
        'hand_back_jobs',
        'rescue_stale_jobs',
        'register_worker',
        'worker_goodbye',
        'acquire_api_capacity',
        'release_api_capacity',
        'return_api_capacity',
        'ask_api_capacity',
        'record_provider_limits',
        'get_api_capacity',
        'bury_job',
        'delete_finished_jobs',
      ]})
      and has_function_privilege(role, oid, 'execute')`
  t.same([...open], [])
})

import { test } from 'tap'
import type postgres from 'postgres'
import { claim, enqueueJob, expireLease, ownerSql, serviceSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'

type Limits = { requests?: number | null; tokens?: number | null; concurrent?: number | null }
type Grant = { granted: boolean; reservation_id: string | null; retry_after_ms: number }

async function endpointWith(t: Teardown, limits: Limits) {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 20)
  await sql`
    insert into public.api_rate_limits
      (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
    values ('tester', 'chat', ${limits.requests ?? null}, ${limits.tokens ?? null}, ${limits.concurrent ?? null})`
  return {
    sql,
    acquire: (options: { tokens?: number; job?: string } = {}) => acquire(sql, options),
    release: (grant: Grant, estimated: number, actual: number | null = null) =>
      sql`select public.release_api_capacity('tester', 'chat', ${estimated}, ${actual}, ${grant.reservation_id})`,
    /** Everything granted so far was granted that much earlier. */
    letPass: async (seconds: number) => {
      // Through negative numbers, so that no half second meets another on its way.
      await sql`update public.api_usage_slots set slot = -(slot - ${seconds * 2})`
      await sql`update public.api_usage_slots set slot = -slot`
      await sql`update public.api_capacity_reservations set slot = slot - ${seconds * 2}`
    },
  }
}

async function acquire(sql: postgres.Sql, options: { tokens?: number; job?: string } = {}): Promise<Grant> {
  const [row] = await sql<Grant[]>`
    select granted, reservation_id, retry_after_ms
    from public.acquire_api_capacity(
      p_provider_name => 'tester',
      p_api_endpoint => 'chat',
      p_estimated_tokens => ${options.tokens ?? 10},
      p_job_id => ${options.job ?? null}::uuid
    )`
  if (row === undefined) throw new Error('acquire_api_capacity answered nothing')
  return row
}

test('the limits of a fresh installation are there, and a second one leaves an operator’s alone', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const rows = await sql`
    select provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests
    from public.api_rate_limits order by provider_name`
  t.same(
    rows.map((row) => Object.values(row)),
    [
      ['google', 'vision-api', 1800, null, 100],
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
      select sum(requests) over (order by slot range between 119 preceding and current row) as n
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

test('a provider that asks for a pause gets it from everybody', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 100 })
  await sql`select public.record_provider_limits('tester', 'chat', 30000)`
  await sql`select public.record_provider_limits('tester', 'chat', 1000)`
  const grants = await Promise.all(Array.from({ length: 10 }, () => ask()))
  t.ok(grants.every((grant) => !grant.granted && grant.retry_after_ms > 29_000 && grant.retry_after_ms <= 30_000))
  await sql`update public.api_rate_limits set blocked_until = clock_timestamp() where provider_name = 'tester'`
  t.equal((await ask()).granted, true)
})

test('the smaller of configured and reported limits counts', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 100 })
  await sql`select public.record_provider_limits('tester', 'chat', 0, 2)`
  const grants = [await ask(), await ask(), await ask()]
  t.same(
    grants.map((grant) => grant.granted),
    [true, true, false],
  )
  await sql`select public.record_provider_limits('tester', 'chat', 0, 5000)`
  t.equal((await ask()).granted, true)
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
        'record_provider_limits',
        'get_api_capacity',
        'bury_job',
        'delete_finished_jobs',
      ]})
      and has_function_privilege(role, oid, 'execute')`
  t.same([...open], [])
})

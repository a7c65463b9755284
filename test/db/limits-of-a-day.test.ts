import { test } from 'tap'
import { endpointWith } from '../support/limits.ts'
import type { Grant } from '../support/limits.ts'
import { claim, enqueueJob } from '../support/queue.ts'

test('a day has its budget of requests, tokens and money, and more of it is heard at once', async (t) => {
  const { acquire: ask, release, sql } = await endpointWith(t, {})
  const limit = (name: string, value: number | null) =>
    sql`update public.api_rate_limits set ${sql(name)} = ${value} where provider_name = 'tester'`
  const cost = (grant: Grant, usd: number) =>
    sql`select public.release_api_capacity('tester', 'chat', 10, 10, ${grant.reservation_id}, ${usd})`

  await limit('requests_per_day', 2)
  t.same(
    [await ask(), await ask(), await ask()].map((grant) => grant.granted),
    [true, true, false],
  )
  const refusal = await ask()
  t.ok(refusal.retry_after_ms > 0 && refusal.retry_after_ms <= 300_000, `${refusal.retry_after_ms} ms`)
  await limit('requests_per_day', 3)
  const third = await ask({ tokens: 100 })
  t.equal(third.granted, true)

  await limit('requests_per_day', null)
  await limit('tokens_per_day', 200)
  t.equal((await ask({ tokens: 100 })).granted, false, '120 tokens are gone, as far as anybody knows')
  await release(third, 100, 20)
  t.equal((await ask({ tokens: 100 })).granted, true, 'the truth was less')

  await limit('tokens_per_day', null)
  await limit('budget_usd_per_day', 1)
  const paid = await ask()
  await cost(paid, 1.5)
  await cost(paid, 1.5)
  t.equal((await ask()).granted, false)
  const [today] = await sql`
    select cost_usd_today::float, budget_usd_per_day::float from public.get_api_capacity() where provider_name = 'tester'`
  t.same(today, { cost_usd_today: 1.5, budget_usd_per_day: 1 }, 'told twice, counted once')
  await sql`update public.api_daily_use set day = day - 1`
  t.equal((await ask()).granted, true, 'tomorrow')
})

test('the money of calls under way is taken for the day’s average', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, {})
  await sql`update public.api_rate_limits set budget_usd_per_day = 1 where provider_name = 'tester'`
  const first = await ask()
  await sql`select public.release_api_capacity('tester', 'chat', 10, 10, ${first.reservation_id}, 0.3)`
  const grants = await Promise.all(Array.from({ length: 8 }, () => ask()))
  t.equal(grants.filter((grant) => grant.granted).length, 2, 'a third one would make it 1.20')
})

test('waiting for tomorrow’s budget neither spends a retry nor wears a job out', async (t) => {
  const { sql } = await endpointWith(t, {})
  const id = await enqueueJob(sql)
  await sql`update public.job_queue set defer_count = 500`
  await claim(sql, 'w1')
  await sql`select public.reschedule_job(${id}, 'w1', 300, 'budget_spent')`
  t.match((await sql`select status, defer_count, retry_count from public.job_queue`)[0], {
    status: 'pending',
    defer_count: 500,
    retry_count: 0,
  })
})

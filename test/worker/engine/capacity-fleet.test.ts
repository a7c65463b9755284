import { test } from 'tap'
import { defineError } from '../../../platform/errors.ts'
import { done } from '../../../worker/engine/handler.ts'
import type { RunContext } from '../../../worker/engine/handler.ts'
import { startChildWorker } from '../../support/child-worker.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown, TestDatabase } from '../../support/postgres.ts'
import { enqueueJob, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const busy = defineError('ai_rate_limited', 429, 'The service is busy.')
const endpoint = { provider: 'openai', endpoint: 'gpt-4o-mini' }
const request = { ...endpoint, estimatedTokens: 10, consent: null }
const leaseMs = 1_500

/** A service that counts what it gets, for workers of this process. */
function createProvider() {
  const begun: number[] = []
  let underWay = 0
  let mostAtOnce = 0
  let refusesNext = false
  return {
    begun,
    mostAtOnce: () => mostAtOnce,
    refuseNext: () => void (refusesNext = true),
    async call(sql: ReturnType<typeof serviceSql>) {
      begun.push(performance.now())
      if (refusesNext) {
        refusesNext = false
        throw busy({ retryAfterMs: 2_500 })
      }
      underWay += 1
      mostAtOnce = Math.max(mostAtOnce, underWay)
      await sql`select pg_sleep(0.05)`
      underWay -= 1
      return { value: null, tokensUsed: 10 }
    },
  }
}

function mostWithin(windowMs: number, times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length))
}

async function startFleet(t: Teardown, database: TestDatabase, call: (context: RunContext) => Promise<unknown>) {
  const handler = testHandler(async (_payload, context) => {
    await call(context)
    return done()
  })
  const options = {
    handlers: [handler],
    concurrency: 4,
    leaseMs,
    pollMs: 300,
    capacityCheckMs: 100,
    laneEndpoints: { fast_queue: [endpoint] },
  }
  return await Promise.all([1, 2, 3].map(() => startEngine(t, database, options)))
}

test('four workers, one killed in the middle of its calls: never above the limits, and nothing of them is lost', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl, 8)
  const provider = createProvider()
  // Ten in any second, four at once.
  await sql`
    update public.api_rate_limits
    set requests_per_minute = 600, window_ms = 1000, concurrent_requests = 4
    where provider_name = 'openai'`
  await Promise.all([enqueueJob(sql), enqueueJob(sql)])
  const child = await startChildWorker(t, { url: database.appUrl, mode: 'call', leaseMs })
  await child.heard('calls')
  const underWay = async () =>
    (await sql`select under_way from public.get_api_capacity() where provider_name = 'openai'`)[0]?.['under_way']
  await eventually(async () => {
    if ((await underWay()) !== 2) throw new Error('the child does not hold two calls yet')
  })

  await startFleet(t, database, ({ withCapacity }) => withCapacity(request, () => provider.call(sql)))
  const others = await Promise.all(Array.from({ length: 24 }, () => enqueueJob(sql)))
  await eventually(async () => {
    const [row] = await sql`
      select count(*)::int as n from public.job_queue where id = any (${others}) and status = 'completed'`
    if (row?.['n'] !== 24) throw new Error('not all are done')
  })
  t.ok(provider.mostAtOnce() <= 2, 'two of four are taken by the child, who lives')

  child.signal('SIGKILL')
  await child.exited
  await Promise.all(Array.from({ length: 8 }, () => enqueueJob(sql)))
  await eventually(async () => {
    const [row] = await sql`select count(*)::int as n from public.job_queue where status = 'completed'`
    if (row?.['n'] !== 34) throw new Error('not all are done')
  })
  t.equal(await underWay(), 0, 'what the dead worker held is free')
  t.ok(mostWithin(1_000, provider.begun) <= 10, 'never more than ten in a second')
  t.equal(provider.begun.length, 32 + 2, 'its two jobs were done by others')
})

test('when one worker is told to wait, none calls until the time is over', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl, 8)
  const provider = createProvider()
  await startFleet(t, database, ({ withCapacity }) => withCapacity(request, () => provider.call(sql)))
  provider.refuseNext()
  await enqueueJob(sql)
  const [known] = await eventually(async () => {
    const rows = await sql<{ ends_in_ms: number }[]>`
      select extract(epoch from blocked_until - clock_timestamp())::float * 1000 as ends_in_ms
      from public.api_rate_limits
      where blocked_until is not null`
    if (rows.length === 0) throw new Error('the pause is not known yet')
    return rows
  })
  const endsAt = performance.now() + (known?.ends_in_ms ?? 0)
  await Promise.all(Array.from({ length: 12 }, () => enqueueJob(sql)))
  await eventually(async () => {
    const [row] = await sql`select count(*)::int as n from public.job_queue where status = 'completed'`
    if (row?.['n'] !== 13) throw new Error('not all are done')
  })
  t.equal(provider.begun.length, 14, 'each was called for once, one of them twice')
  t.ok(provider.begun.slice(1).every((at) => at > endsAt - 50))
  t.equal((await sql`select count(*)::int as n from public.job_queue where retry_count > 0`)[0]?.['n'], 0)
})

test('a limit that operators change is followed while the fleet runs', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl, 8)
  const provider = createProvider()
  const allow = (requests: number) =>
    sql`update public.api_rate_limits set requests_per_minute = ${requests} where provider_name = 'openai'`
  await allow(2)
  const [worker] = await startFleet(t, database, ({ withCapacity }) => withCapacity(request, () => provider.call(sql)))
  await Promise.all(Array.from({ length: 8 }, () => enqueueJob(sql)))
  await eventually(async () => {
    const [row] = await sql`select count(*)::int as n from public.job_queue where defer_count > 0`
    if (row?.['n'] !== 6) throw new Error('not all were put off')
  })
  t.equal(provider.begun.length, 2)
  t.equal(worker?.engine.health().poolSize, 1, 'who was refused takes no more work than it can do')
  await allow(500)
  await eventually(() => {
    if (worker?.engine.health().poolSize !== 4) throw new Error('the limit is not known yet')
  })
  await Promise.all(Array.from({ length: 8 }, () => enqueueJob(sql)))
  await eventually(async () => {
    const [row] = await sql`select count(*)::int as n from public.job_queue where status = 'completed'`
    if (row?.['n'] !== 10) throw new Error('not all are done')
  })
  t.equal(provider.begun.length, 10)
})

test('a budget of the day that is spent puts jobs off without wearing them out', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl, 8)
  await sql`update public.api_rate_limits set budget_usd_per_day = 0.5 where provider_name = 'openai'`
  await startFleet(t, database, ({ withCapacity }) =>
    withCapacity(request, async () => ({ value: null, tokensUsed: 10, costUsd: 0.5 })),
  )
  await enqueueJob(sql)
  await eventually(async () => {
    const [row] =
      await sql`select cost_usd_today::float as cost from public.get_api_capacity() where provider_name = 'openai'`
    if (row?.['cost'] !== 0.5) throw new Error('the cost is not known yet')
  })
  const second = await enqueueJob(sql)
  await eventually(async () => {
    const [row] = await sql`
      select status, scheduled_at > now() as is_put_off, defer_count, retry_count
      from public.job_queue
      where id = ${second}`
    if (row?.['status'] !== 'pending' || row['is_put_off'] !== true) throw new Error('it was not put off')
    t.match(row, { defer_count: 0, retry_count: 0 })
  })
})

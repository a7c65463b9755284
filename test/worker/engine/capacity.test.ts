import { test } from 'tap'
import { defineError } from '../../../platform/errors.ts'
import { done } from '../../../worker/engine/handler.ts'
import { poolSizeFor } from '../../../worker/engine/pool-size.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const busy = defineError('ai_rate_limited', 429, 'The service is busy.')
const request = { provider: 'openai', endpoint: 'gpt-4o-mini', estimatedTokens: 1000, consent: null }

test('calls never exceed what is allowed at once, and what they used is settled', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await sql`update public.api_rate_limits set concurrent_requests = 2 where provider_name = 'openai'`
  let now = 0
  let most = 0
  const handler = testHandler(async (_payload, { withCapacity }) => {
    const answer = await withCapacity(request, async () => {
      now += 1
      most = Math.max(most, now)
      await sql`select pg_sleep(0.02)`
      now -= 1
      return { value: 'yes', tokensUsed: 40 }
    })
    t.equal(answer, 'yes')
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], concurrency: 8 })
  await Promise.all(Array.from({ length: 12 }, () => enqueueJob(sql)))
  await worker.watched.waitForEnded('completed', 12)
  t.equal(most, 2)
  // What was used is written down beside the work, and before a worker is gone.
  await worker.stop()
  const [used] = await sql`
    select requests_used, tokens_used::int, under_way from public.get_api_capacity() where provider_name = 'openai'`
  t.same(used, { requests_used: 12, tokens_used: 480, under_way: 0 })
})

test('when room is far off the job is put off and no retry is spent', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await sql`update public.api_rate_limits set requests_per_minute = 1 where provider_name = 'openai'`
  const handler = testHandler(async (_payload, { withCapacity }) => {
    await withCapacity(request, async () => ({ value: null }))
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler] })
  await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  const second = await enqueueJob(sql)
  await worker.watched.waitForEnded('snoozed')
  const record = await jobRecord(sql, second)
  t.match(record, { status: 'pending', retry_count: 0, defer_count: 1 })
  t.ok(record.scheduled_at.getTime() > Date.now() + 40_000)
})

test('one 429 pauses the endpoint for everybody', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  let calls = 0
  const handler = testHandler(async (_payload, { withCapacity }) => {
    await withCapacity(request, async () => {
      calls += 1
      throw busy({ retryAfterMs: 30_000 })
    })
    return done()
  })
  const first = await startEngine(t, database, { handlers: [handler], concurrency: 1 })
  await enqueueJob(sql)
  await first.watched.waitForEnded('snoozed')
  const second = await startEngine(t, database, { handlers: [handler], concurrency: 1 })
  await Promise.all([enqueueJob(sql), enqueueJob(sql), enqueueJob(sql)])
  await eventually(async () => {
    const [row] = await sql`select count(*)::int as n from public.job_queue where defer_count = 1`
    if (row?.['n'] !== 4) throw new Error('not all were put off')
  })
  t.equal(calls, 1)
  t.equal(await second.count('ended', { outcome: 'retrying' }), 0)
})

test('the pool follows the limits without a restart', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startEngine(t, database, {
    handlers: [testHandler(async () => done())],
    concurrency: 8,
    capacityCheckMs: 50,
    laneEndpoints: { fast_queue: [{ provider: 'google', endpoint: 'vision-api' }] },
  })
  t.equal(worker.engine.health().poolSize, 8)
  await sql`update public.api_rate_limits set concurrent_requests = 3 where provider_name = 'google'`
  await worker.watched.waitForLines((line) => line['msg'] === 'the pool follows the limits' && line['size'] === 3)
  await sql`update public.api_rate_limits set concurrent_requests = 100 where provider_name = 'google'`
  await worker.watched.waitForLines((line) => line['msg'] === 'the pool follows the limits' && line['size'] === 8)
  t.equal(worker.engine.health().poolSize, 8)
})

test('the size of a pool is this worker’s share of what its lanes may use', (t) => {
  const google = { provider: 'google', endpoint: 'vision-api' }
  const state = (changes: { concurrentRequests?: number | null; blockedMs?: number; isActive?: boolean }) => ({
    ...google,
    concurrentRequests: 10,
    requestsPerMinute: null,
    tokensPerMinute: null,
    underWay: 0,
    requestsUsed: 0,
    tokensUsed: 0,
    blockedMs: 0,
    isActive: true,
    requestsPerDay: null,
    tokensPerDay: null,
    budgetUsdPerDay: null,
    requestsToday: 0,
    tokensToday: 0,
    costUsdToday: 0,
    ...changes,
  })
  const rules = { concurrency: 6, lanes: ['fast_queue'] as const, laneEndpoints: { fast_queue: [google] } }
  const sizeWith = (changes: Parameters<typeof state>[0], workers = 1) =>
    poolSizeFor(rules, { endpoints: [state(changes)], fleet: new Map([['fast_queue', workers]]) })

  t.equal(sizeWith({}), 6, 'its own concurrency')
  t.equal(sizeWith({}, 4), 3, 'a quarter of ten, rounded up')
  t.equal(sizeWith({ concurrentRequests: null }), 6)
  t.equal(sizeWith({ blockedMs: 60_000 }), 1, 'one slot notices when room returns')
  t.equal(sizeWith({ isActive: false }), 1)
  const both = { ...rules, lanes: ['fast_queue', 'background'] as const }
  t.equal(poolSizeFor(both, { endpoints: [state({ blockedMs: 60_000 })], fleet: new Map() }), 6, 'other lanes go on')
  t.end()
})

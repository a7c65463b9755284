import { test } from 'tap'
import { createByteBudget } from '../../../worker/engine/byte-budget.ts'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const never = new AbortController().signal

/** Work that goes on until it is told to end. */
function open() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, end: resolve }
}

test('what does not fit waits its turn, and the smaller one behind it does not overtake', async (t) => {
  const budget = createByteBudget({ maxBytes: 100, onFreed: () => {} })
  const first = open()
  const order: string[] = []
  const running = budget.hold(60, first.work, never)
  const large = budget.hold(80, async () => order.push('large'), never)
  const small = budget.hold(10, async () => order.push('small'), never)
  t.equal(budget.inFlight, 60)
  t.ok(budget.isFull)
  first.end()
  await Promise.all([running, large, small])
  t.same(order, ['large', 'small'])
  t.equal(budget.inFlight, 0)
  t.notOk(budget.isFull)
})

test('a file larger than the whole budget runs alone', async (t) => {
  const budget = createByteBudget({ maxBytes: 100, onFreed: () => {} })
  const huge = open()
  const running = budget.hold(5_000, huge.work, never)
  const after = budget.hold(1, async () => budget.inFlight, never)
  huge.end()
  await running
  t.equal(await after, 1)
})

test('who is aborted while waiting leaves the line, and failed work gives its bytes back', async (t) => {
  const budget = createByteBudget({ maxBytes: 100, onFreed: () => {} })
  const first = open()
  const running = budget.hold(90, first.work, never)
  const aborted = new AbortController()
  const waiting = budget.hold(50, async () => 'begun', aborted.signal)
  const behind = budget.hold(10, async () => 'begun', never)
  aborted.abort(new Error('the lease is lost'))
  await t.rejects(waiting, { message: 'the lease is lost' })
  t.equal(await behind, 'begun', 'the next one has room')
  first.end()
  await running
  await t.rejects(
    budget.hold(50, () => Promise.reject(new Error('broken')), never),
    { message: 'broken' },
  )
  t.equal(budget.inFlight, 0)
})

test('a worker whose hands are full claims no more, and goes on when they are free', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const release = Promise.withResolvers<void>()
  const handler = testHandler(async (_payload, { holdBytes }) => {
    await holdBytes(80, () => release.promise)
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], concurrency: 3, maxBytesInFlight: 100 })
  const ids = []
  for (let n = 0; n < 5; n += 1) ids.push(await enqueueJob(sql))
  // One holds its bytes, one waits for them; then the worker sees that it is full.
  await worker.watched.waitForLines((line) => line['msg'] === 'no room for more bytes')
  await sql`select pg_notify('exora_jobs', 'fast_queue')`
  t.equal((await jobRecord(sql, ids.at(-1) ?? '')).status, 'pending')
  release.resolve()
  await worker.watched.waitForEnded('completed', 5)
})

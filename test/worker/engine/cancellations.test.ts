import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { sql as query } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import { ensureEndpoint } from '../../../db/queries/capacity.ts'
import { Attempt } from '../../../worker/engine/attempt.ts'
import { createByteBudget } from '../../../worker/engine/byte-budget.ts'
import { execute } from '../../../worker/engine/execute.ts'
import type { ClaimedJob, RunContext } from '../../../worker/engine/handler.ts'
import { done } from '../../../worker/engine/handler.ts'
import { createCapacity } from '../../../worker/engine/capacity.ts'
import { createRunContext } from '../../../worker/engine/run-context.ts'
import { createRunningJobs } from '../../../worker/engine/running-jobs.ts'
import { claimedJob } from '../../support/claimed-job.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { createEffects, createWatchedLog, startEngine, testHandler } from '../../support/worker.ts'

const effectOf = (job: ClaimedJob, note: string) =>
  query`insert into public.effects (job_id, attempt_token, note) values (${job.id}, ${job.attemptToken}, ${note})`

// No heartbeat comes within the time that a test has.
const never = { leaseMs: 3_600_000 }

/** A handler that begins, waits to be aborted, and then tries to write all the same. */
function stubbornHandler() {
  const began = Promise.withResolvers<RunContext>()
  const aborted = Promise.withResolvers<unknown>()
  const refused = Promise.withResolvers<unknown>()
  const handler = testHandler(async (_payload, context) => {
    const { job, signal, write } = context
    signal.addEventListener('abort', () => aborted.resolve(signal.reason), { once: true })
    began.resolve(context)
    await aborted.promise
    await write((tx) => tx.execute(effectOf(job, 'page'))).then(
      () => refused.resolve('written'),
      (error: unknown) => refused.resolve(error),
    )
    return done(async (tx) => {
      await tx.execute(effectOf(job, 'result'))
      return undefined
    })
  })
  return { handler, began: began.promise, aborted: aborted.promise, refused: refused.promise }
}

for (const [who, call] of [
  ['an operator cancels', (id: string) => query`select public.cancel_job(${id})`],
  ['a withdrawal of consent stops', (id: string) => query`select public.stop_job(${id})`],
] as const) {
  test(`a job that ${who} while it runs is aborted at once and leaves nothing`, async (t) => {
    const database = await testDatabase(t)
    await createEffects(t, database)
    const sql = serviceSql(t, database.appUrl)
    const { handler, began, aborted, refused } = stubbornHandler()
    const worker = await startEngine(t, database, { handlers: [handler], concurrency: 1, ...never })
    const id = await enqueueJob(sql)
    await began

    await asService(database.db, {}, (tx) => tx.execute(call(id)))
    t.match(await aborted, { code: 'job_cancelled' }, 'no heartbeat had to come first')
    t.match(await refused, { code: 'job_cancelled' })
    await worker.watched.waitForEnded('lost')
    t.match(await jobRecord(sql, id), { status: 'cancelled', worker_id: null, attempt_token: null })
    t.same([...(await sql`select * from public.effects`)], [])

    const next = await enqueueJob(sql)
    t.ok(next)
    await worker.watched.waitForLines((line) => line['job_id'] === next && line['msg'] === 'job ended')
  })
}

test('the outside call of a job that is cancelled gives its room back as soon as it is over', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const endpoint = { provider: 'local', endpoint: 'reader' }
  await asService(database.db, {}, (tx) => ensureEndpoint(tx, endpoint))
  const calling = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  const handler = testHandler(async (_payload, { signal, withCapacity }) => {
    await withCapacity({ ...endpoint, estimatedTokens: 10, consent: null }, async () => {
      calling.resolve()
      await once(signal, 'abort')
      await over.promise
      throw signal.reason
    })
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], ...never })
  const id = await enqueueJob(sql)
  await calling.promise
  const underWay = () => sql`select from public.api_capacity_reservations where released_at is null`
  t.equal((await underWay()).length, 1)
  await sql`select public.cancel_job(${id})`
  t.equal((await underWay()).length, 1, 'the provider still has that call')
  over.resolve()
  await worker.watched.waitForEnded('lost')
  await eventually(async () => {
    if ((await underWay()).length > 0) throw new Error('the call is over, and its room is not free')
  })
})

test('the running jobs of a document that goes into the bin are aborted at once', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const { handler, began, aborted } = stubbornHandler()
  await createEffects(t, database)
  const worker = await startEngine(t, database, { handlers: [handler], ...never })
  const file = randomUUID()
  const id = await enqueueJob(sql, { payload: { shell_file_id: file } })
  await began
  await ownerSql(t, database.ownerUrl)`select public.cancel_jobs_of_file(${file})`
  t.match(await aborted, { code: 'job_cancelled' })
  await worker.watched.waitForEnded('lost')
  t.equal((await jobRecord(sql, id)).status, 'cancelled')
})

test('what waits, what has died and what has ended is cancelled without a word to the workers', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const heard: string[] = []
  const { promise: heardLast, resolve: last } = Promise.withResolvers<void>()
  const subscription = await database.db.listen('exora_jobs_cancelled', (id) =>
    id === 'end' ? last() : heard.push(id),
  )
  t.teardown(() => subscription.stop())
  const cancel = async (id: string) => (await sql`select public.cancel_job(${id}) as ok`)[0]?.['ok']

  const waiting = await enqueueJob(sql)
  t.equal(await cancel(waiting), true)
  t.equal(await cancel(waiting), false, 'cancelled already')
  const dead = await enqueueJob(sql)
  await sql`select public.claim_next_job_v3('w1')`
  await sql`select public.fail_job(${dead}, 'w1', '{"code":"x"}', false)`
  t.equal(await cancel(dead), true)
  const finished = await enqueueJob(sql)
  await sql`select public.claim_next_job_v3('w1')`
  await sql`select public.complete_job(${finished}, 'w1')`
  t.equal(await cancel(finished), false)
  t.equal((await jobRecord(sql, finished)).status, 'completed')
  t.equal(await cancel(randomUUID()), false)
  await sql`select pg_notify('exora_jobs_cancelled', 'end')`
  await heardLast
  t.same(heard, [])
})

test('a job whose cancelling is heard before the answer to its claim does not begin', async (t) => {
  const { db } = await testDatabase(t)
  const running = createRunningJobs()
  const [cancelled, later] = [attemptAt(randomUUID()), attemptAt(randomUUID())]
  running.cancel(cancelled.job.id)
  running.add([cancelled, later])
  t.match(cancelled.reason, { code: 'job_cancelled' })
  t.equal(later.reason, null)
  const begun: string[] = []
  const handler = testHandler(async (_payload, { job }) => {
    begun.push(job.id)
    return done()
  })
  const bytes = createByteBudget({ maxBytes: 1, onFreed: () => {} })
  const capacity = createCapacity({ db, workerId: 'w1', onChange: () => {} })
  const deps = {
    handlers: new Map([['ocr', handler]]),
    contextFor: (attempt: Attempt) =>
      createRunContext(attempt, { db, workerId: 'w1', log: createWatchedLog().log, bytes, capacity }),
  }
  t.same(await execute(cancelled, deps), { kind: 'lost' })
  t.same(await execute(later, deps), { kind: 'done' })
  t.same(begun, [later.job.id])

  for (let n = 0; n < 1_000; n += 1) running.cancel(randomUUID())
  const again = attemptAt(cancelled.job.id)
  running.add([again])
  t.equal(again.reason, null, 'what is kept in mind is bounded')
})

const attemptAt = (id: string) => new Attempt(claimedJob({ id }))

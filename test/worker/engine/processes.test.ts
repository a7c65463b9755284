import tap, { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import type { Outcome } from '../../../worker/engine/handler.ts'
import { startChildWorker } from '../../support/child-worker.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown, TestDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { createEffects, startEngine, testHandler } from '../../support/worker.ts'

// Processes that start, on a machine that may be busy.
tap.setTimeout(120_000)

const statusIs = (sql: ReturnType<typeof serviceSql>, id: string, status: string) =>
  eventually(
    async () => {
      const record = await jobRecord(sql, id)
      if (record.status !== status) throw new Error(`it is ${record.status}`)
    },
    { timeoutMs: 20_000 },
  )

test('when a worker is killed in the middle of a job another finishes it, and its effects are there once', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const victim = await startChildWorker(t, { url: database.appUrl, mode: 'hang' })
  const id = await enqueueJob(sql)
  await victim.heard('half')
  await startChildWorker(t, { url: database.appUrl, mode: 'quick' })
  const killedAt = performance.now()
  victim.signal('SIGKILL')
  t.same(await victim.exited, { code: null, signal: 'SIGKILL' })
  await statusIs(sql, id, 'completed')
  const rescuedMs = performance.now() - killedAt
  t.ok(rescuedMs < 5_000, `${Math.round(rescuedMs)} ms with a lease of 1,500 ms`)
  t.match(await jobRecord(sql, id), { retry_count: 1 })
  const effects = await sql`select note from public.effects where job_id = ${id} and note = 'result'`
  t.equal(effects.length, 1)
})

test('when a worker is killed between its results and the end of its job, they are there once', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const gate = await holdCompletions(t, database)
  const victim = await startChildWorker(t, { url: database.appUrl, mode: 'quick' })
  const id = await enqueueJob(sql)
  await gate.reached()
  victim.signal('SIGKILL')
  await victim.exited
  await startChildWorker(t, { url: database.appUrl, mode: 'quick' })
  await gate.open()
  await statusIs(sql, id, 'completed')
  t.match(await jobRecord(sql, id), { retry_count: 1 })
  const effects = await sql`select note from public.effects where job_id = ${id}`
  t.equal(effects.length, 1)
})

test('a worker that was frozen longer than its lease stops its job when it wakes, and changes nothing', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const frozen = await startChildWorker(t, { url: database.appUrl, mode: 'stubborn', leaseMs: 1_000 })
  const id = await enqueueJob(sql)
  await frozen.heard('began')
  frozen.signal('SIGSTOP')
  const other = await startChildWorker(t, { url: database.appUrl, mode: 'quick', leaseMs: 1_000 })
  await other.heard(`ended ${id} completed`)
  const before = await jobRecord(sql, id)
  frozen.signal('SIGCONT')
  await frozen.heard(`aborted ${id}`)
  await frozen.heard(`ended ${id} lost`)
  t.same(await jobRecord(sql, id), before)
  const effects = await sql`select note from public.effects where job_id = ${id}`
  t.equal(effects.length, 1)
  frozen.signal('SIGTERM')
  t.same(await frozen.exited, { code: 0, signal: null }, 'it is none the worse for it')
})

test('asked to stop, a worker finishes what is nearly done and says goodbye', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startChildWorker(t, { url: database.appUrl, mode: 'slow' })
  const id = await enqueueJob(sql)
  await worker.heard('began')
  worker.signal('SIGTERM')
  t.same(await worker.exited, { code: 0, signal: null })
  t.equal((await jobRecord(sql, id)).status, 'completed')
  t.same([...(await sql`select id from public.workers`)], [])
})

test('asked twice, a worker hands its jobs back at once and no retry is spent', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startChildWorker(t, { url: database.appUrl, mode: 'hang', leaseMs: 30_000 })
  const id = await enqueueJob(sql)
  await worker.heard('half')
  worker.signal('SIGTERM')
  await worker.heard('stopping')
  worker.signal('SIGTERM')
  t.same(await worker.exited, { code: 0, signal: null })
  t.match(await jobRecord(sql, id), { status: 'pending', retry_count: 0, worker_id: null })
})

test('what a stopping worker cannot finish in its time starts elsewhere at once', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const began = Promise.withResolvers<void>()
  const hanging = testHandler(() => {
    began.resolve()
    return new Promise<Outcome>(() => {})
  })
  const stopping = await startEngine(t, database, { handlers: [hanging], drainMs: 100, leaseMs: 60_000 })
  const id = await enqueueJob(sql)
  await began.promise
  const other = await startEngine(t, database, { handlers: [testHandler(async () => done())] })
  await stopping.stop()
  await other.watched.waitForEnded('completed')
  t.match(await jobRecord(sql, id), { status: 'completed', retry_count: 0 })
  t.equal(await stopping.count('ended', { outcome: 'handed_back' }), 1)
})

/** Whoever completes a job waits, with everything written that comes before, until the gate is opened. */
async function holdCompletions(t: Teardown, database: TestDatabase) {
  const owner = ownerSql(t, database.ownerUrl)
  await owner`
    create function public.wait_at_the_gate() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock_shared(1); return new; end'`
  await owner`
    create trigger gate before update on public.job_queue
    for each row when (new.status = 'completed') execute function public.wait_at_the_gate()`
  const gate = await owner.reserve()
  await gate`select pg_advisory_lock(1)`
  return {
    reached: () =>
      eventually(
        async () => {
          const waiting = await owner`
            select
            from pg_locks
            join pg_stat_activity using (pid)
            where locktype = 'advisory' and objid = 1 and not granted and datname = current_database()`
          if (waiting.length === 0) throw new Error('nobody waits at the gate')
        },
        { timeoutMs: 20_000 },
      ),
    open: async () => {
      await gate`select pg_advisory_unlock(1)`
      gate.release()
    },
  }
}

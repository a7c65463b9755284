import { sql as query } from 'drizzle-orm'
import { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { createEffects, startEngine, testHandler } from '../../support/worker.ts'

test('when all its connections are cut again and again, a worker loses no job and doubles no effect', async (t) => {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const sql = serviceSql(t, database.appUrl)
  const effects = ownerSql(t, database.ownerUrl)
  const handler = testHandler(async (_payload, { job }) =>
    done(async (tx) => {
      await tx.execute(
        query`insert into public.effects (job_id, attempt_token, note) values (${job.id}, ${job.attemptToken}, 'x')`,
      )
      await tx.execute(query`select pg_sleep(0.02)`)
      return undefined
    }),
  )
  const worker = await startEngine(t, database, { handlers: [handler], leaseMs: 1_500, pollMs: 300 })
  await Promise.all(Array.from({ length: 60 }, () => enqueueJob(sql, { maxRetries: 30 })))

  const countEffects = async () => Number((await effects`select count(*)::int as n from public.effects`)[0]?.['n'])
  for (const next of [5, 15, 30]) {
    await eventually(
      async () => {
        if ((await countEffects()) < next) throw new Error('not yet that far')
      },
      { timeoutMs: 30_000 },
    )
    await database.db.sql`
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database() and usename = current_user and pid <> pg_backend_pid()`
  }
  await eventually(
    async () => {
      const [row] = await effects`
      select count(*) filter (where status = 'completed')::int as completed, count(*)::int as n from public.job_queue`
      t.equal(row?.['n'], 60)
      if (row?.['completed'] !== 60) throw new Error(`${row?.['completed']} of 60`)
    },
    { timeoutMs: 60_000, everyMs: 200 },
  )
  const [sums] = await effects`select count(*)::int as n, count(distinct job_id)::int as jobs from public.effects`
  t.same(sums, { n: 60, jobs: 60 })
  t.equal(worker.engine.health().isHealthy, true)
})

test('whatever a worker is asking the database, the connection it asks on may die', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const owner = ownerSql(t, database.ownerUrl)
  const worker = await startEngine(t, database, {
    handlers: [testHandler(async () => done())],
    leaseMs: 1_500,
    pollMs: 300,
  })
  for (const [n, asking] of ['%claim%', '%heartbeat%', '%rescue%'].entries()) {
    // Whoever wants the queue now waits, in the middle of its statement.
    const isCut = await owner.begin(async (tx) => {
      await tx`lock table public.job_queue, public.workers in access exclusive mode`
      return await eventually(async () => {
        const cut = await database.db.sql`
          select pg_terminate_backend(pid, 5000) as is_cut
          from pg_stat_activity
          where datname = current_database()
            and usename = current_user
            and wait_event_type = 'Lock'
            and query ilike ${asking}
            and pid <> pg_backend_pid()`
        if (cut.length === 0) throw new Error(`nobody waits for ${asking}`)
        return cut[0]?.['is_cut']
      })
    })
    t.equal(isCut, true, asking)
    const id = await enqueueJob(sql)
    await worker.watched.waitForLines((line) => line['job_id'] === id && line['outcome'] === 'completed')
    t.equal((await worker.watched.waitForEnded('completed', n + 1)).length, n + 1)
  }
  t.equal(worker.engine.health().isHealthy, true)
})

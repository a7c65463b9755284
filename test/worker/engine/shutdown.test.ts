import { randomUUID } from 'node:crypto'
import t from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import type { Handler } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'
import type { TestPayload } from '../../support/worker.ts'

t.setTimeout(60_000)

type Run = Handler<TestPayload>['run']

void t.test(
  'asked to stop, a worker gives back what it has not begun at once and the rest when its time is over',
  async (t) => {
    const database = await testDatabase(t)
    const sql = serviceSql(t, database.appUrl)
    const runs = new Map<string, Run>()
    const enqueueRun = async (run: Run) => {
      const file = randomUUID()
      runs.set(file, run)
      return await enqueueJob(sql, { payload: { shell_file_id: file } })
    }
    const handler = testHandler(
      async (payload, context) => (await runs.get(payload.shell_file_id)?.(payload, context)) ?? done(),
    )
    const worker = await startEngine(t, database, { handlers: [handler], concurrency: 2, drainMs: 1_500 })
    // Short ones, until it claims ahead of its slots.
    await Promise.all(Array.from({ length: 100 }, () => enqueueJob(sql)))
    await worker.watched.waitForEnded('completed', 100)
    const failed = await enqueueRun(async () => {
      throw new Error('it fails')
    })
    await worker.watched.waitForEnded('retrying')
    // Not due before the end of the test.
    await sql`update public.job_queue set scheduled_at = now() + interval '1 hour' where id = ${failed}`

    const [begun, finish] = [
      [Promise.withResolvers<void>(), Promise.withResolvers<void>()],
      Promise.withResolvers<void>(),
    ]
    // All at once, so that they are claimed together.
    const blockade = await sql.begin(async (tx) => {
      const ids: string[] = []
      const inLine = async (run: Run) => {
        const file = randomUUID()
        runs.set(file, run)
        ids.push(await enqueueJob(tx, { payload: { shell_file_id: file } }))
      }
      await inLine(async () => {
        begun[0]?.resolve()
        await finish.promise
        return done()
      })
      await inLine(async (_payload, { withCapacity }) =>
        withCapacity({ provider: 'openai', endpoint: 'gpt-4o-mini', estimatedTokens: 10, consent: null }, async () => {
          begun[1]?.resolve()
          return await new Promise<never>(() => {})
        }),
      )
      for (let n = 0; n < 10; n += 1) await inLine(() => new Promise<never>(() => {}))
      return ids
    })
    await Promise.all(begun.map(({ promise }) => promise))
    const [nearlyDone = '', endless = '', ...unbegun] = blockade
    const heldBy = await sql`select from public.job_queue where worker_id = ${worker.workerId}`
    t.equal(heldBy.length, 12, 'it has claimed ahead')

    const stopping = worker.stop()
    await eventually(async () => {
      const back = await sql`
      select from public.job_queue where id = any (${unbegun}::uuid[]) and status = 'pending' and retry_count = 0`
      if (back.length < unbegun.length) throw new Error(`${back.length} are back`)
    })
    t.equal((await jobRecord(sql, nearlyDone)).status, 'processing', 'while others still run')
    finish.resolve()
    await stopping
    t.match(await jobRecord(sql, nearlyDone), { status: 'completed', retry_count: 0 })
    t.match(await jobRecord(sql, endless), { status: 'pending', retry_count: 0, worker_id: null })
    t.match(await jobRecord(sql, failed), { status: 'pending', retry_count: 1 })
    const held = await sql`select from public.api_capacity_reservations where released_at is null`
    t.equal(held.length, 0, 'no capacity is left held')
    t.equal((await sql`select from public.workers`).length, 0)
  },
)

void t.test('what a claim brings while the worker is already stopping goes back as it came', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const owner = ownerSql(t, database.ownerUrl)
  const begun: string[] = []
  const handler = testHandler(async (_payload, { job }) => {
    begun.push(job.id)
    return done()
  })
  const worker = await startEngine(t, database, { handlers: [handler], drainMs: 10_000 })
  const locked = Promise.withResolvers<string>()
  const told = Promise.withResolvers<void>()
  const locking = owner.begin(async (tx) => {
    await tx`select set_config('role', 'service_role', true)`
    const enqueued = await enqueueJob(tx)
    await tx`select set_config('role', 'none', true)`
    await tx`lock table public.job_queue in exclusive mode`
    locked.resolve(enqueued)
    await told.promise
  })
  const id = await locked.promise
  await sql`select pg_notify('exora_jobs', 'fast_queue')`
  await eventually(async () => {
    const waiting = await owner`select from pg_locks where relation = 'public.job_queue'::regclass and not granted`
    if (waiting.length === 0) throw new Error('no claim waits')
  })
  const stopping = worker.stop()
  told.resolve()
  await locking
  await stopping
  t.same(begun, [])
  t.match(await jobRecord(sql, id), { status: 'pending', retry_count: 0, worker_id: null })
})

import { once } from 'node:events'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import { beginDueSlots } from '../../../db/queries/schedules.ts'
import { defineError } from '../../../platform/errors.ts'
import { wait } from '../../../platform/wait.ts'
import type { Schedule, ScheduleDeps } from '../../../worker/engine/schedule.ts'
import { createRunSchedule } from '../../../worker/handlers/run-schedule.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown, TestDatabase } from '../../support/postgres.ts'
import { enqueueJob, expireLease, jobRecord, serviceSql } from '../../support/queue.ts'
import { createEffects, createWatchedLog, startEngine, testHandler } from '../../support/worker.ts'

// So long that no test runs into the next slot by itself.
const slots = { everySeconds: 1_000_000 }

/** Leaves a row for each run, under the job that it was. */
function noted(name: string, after: (deps: ScheduleDeps) => Promise<void> = async () => {}): Schedule {
  return {
    name,
    slots,
    run: async (deps) => {
      await deps.inService((tx) =>
        tx.execute(sql`
          insert into public.effects (job_id, attempt_token, note)
          select id, attempt_token, ${name} from public.job_queue where id = current_setting('exora.job_id')::uuid`),
      )
      await after(deps)
    },
  }
}

async function house(t: Teardown) {
  const database = await testDatabase(t)
  await createEffects(t, database)
  const service = serviceSql(t, database.appUrl)
  return {
    database,
    service,
    runs: async () => (await service`select note from public.effects order by note`).map((row) => String(row['note'])),
    begin: (schedule: Schedule) => asService(database.db, {}, (tx) => beginDueSlots(tx, [schedule])),
    known: async () => (await service`select * from public.job_schedules`)[0],
  }
}

const worker = (t: Teardown, database: TestDatabase, schedules: readonly Schedule[], leaseMs = 30_000) =>
  startEngine(t, database, { schedules, handlers: [createRunSchedule(schedules)], leaseMs, drainMs: 0 })

test('three workers run each slot once, between them', async (t) => {
  const { database, runs, service } = await house(t)
  const schedules = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => noted(name))
  const ofAll = createWatchedLog()
  const options = { schedules, handlers: [createRunSchedule(schedules)], log: ofAll.log }
  await Promise.all([1, 2, 3].map(() => startEngine(t, database, options)))
  await ofAll.waitForEnded('completed', schedules.length)
  t.same(
    await runs(),
    schedules.map(({ name }) => name),
  )
  const [finished] = await service`
    select count(*)::int from public.job_schedules where last_error_code is null and last_finished_at is not null`
  t.same(finished, { count: schedules.length })
})

test('housekeeping is done while every slot for jobs is taken, by whichever worker there is', async (t) => {
  const { database, runs, service } = await house(t)
  const schedules = [noted('sweep')]
  const hanging = testHandler(async (_payload, { signal }) => {
    await wait(600_000, { signal })
    return { kind: 'done' }
  })
  await enqueueJob(service)
  const { watched } = await startEngine(t, database, {
    schedules,
    handlers: [hanging, createRunSchedule(schedules)],
    lanes: ['fast_queue'],
    concurrency: 1,
    drainMs: 0,
  })
  await watched.waitForEnded('completed')
  t.same(await runs(), ['sweep'])
  const [busy] = await service`select status from public.job_queue where job_type = 'ocr'`
  t.same(busy, { status: 'processing' })
})

test('the run of a worker that died is done by another', async (t) => {
  const { begin, database, runs, service } = await house(t)
  const sweep = noted('sweep')
  t.same((await begin(sweep)).begun, ['sweep'])
  const [job] = await service`select id from public.claim_next_job_v3('a worker that died', null, array['background'])`
  const id = String(job?.['id'])
  await expireLease(service, id)
  const { watched } = await worker(t, database, [sweep], 1_500)
  await watched.waitForEnded('completed')
  t.same(await runs(), ['sweep'])
  t.match(await jobRecord(service, id), { status: 'completed', retry_count: 1 })
})

test('a worker that stops cuts its run short and hands it back; the next begins it anew', async (t) => {
  const { database, known, runs, service } = await house(t)
  const begun = Promise.withResolvers<void>()
  const endless = noted('sweep', async ({ signal }) => {
    begun.resolve()
    // As a loop that looks at the signal between its batches and simply ends.
    await once(signal, 'abort')
  })
  const first = await worker(t, database, [endless])
  await begun.promise
  await first.stop()
  t.match(await first.watched.waitForEnded('handed_back'), [{ job_type: 'run_schedule' }])
  const { last_job_id: id, last_finished_at: finishedAt } = (await known()) ?? {}
  t.match(await jobRecord(service, String(id)), { status: 'pending', retry_count: 0 })
  t.equal(finishedAt, null, 'what was cut short has not ended')

  const second = await worker(t, database, [noted('sweep')])
  await second.watched.waitForEnded('completed')
  t.same(await runs(), ['sweep', 'sweep'])
  t.match(await jobRecord(service, String(id)), { status: 'completed' })
})

test('a run that fails says with which code, and is tried again', async (t) => {
  const { database, known, service } = await house(t)
  const away = defineError('storage_unavailable', 503, 'The store is away.')
  const { watched } = await worker(t, database, [
    noted('sweep', async () => {
      throw away()
    }),
  ])
  await watched.waitForEnded('retrying')
  const row = await known()
  t.match(row, { last_error_code: 'storage_unavailable' })
  const record = await jobRecord(service, String(row?.['last_job_id']))
  t.match(record.error_details, { code: 'storage_unavailable', stage: 'run_schedule' })
})

test('a slot of a newer version waits for a worker that knows it; one that was removed just ends', async (t) => {
  const { begin, database, runs, service } = await house(t)
  const older = await worker(t, database, [noted('old')])
  await older.watched.waitForEnded('completed')
  await begin(noted('new'))
  // Claimed as any job of its lane by a worker that serves it.
  const behind = await startEngine(t, database, {
    schedules: [],
    handlers: [createRunSchedule([])],
    lanes: ['background'],
  })
  await behind.watched.waitForEnded('snoozed')
  await behind.stop()
  const job = async () =>
    await service`select status, defer_count, retry_count from public.job_queue where job_name = 'new'`
  t.same(await job(), [{ status: 'pending', defer_count: 1, retry_count: 0 }])

  await service`update public.job_queue set scheduled_at = now()`
  await service`select public.remove_other_schedules(array['old'])`
  const after = await startEngine(t, database, {
    schedules: [],
    handlers: [createRunSchedule([])],
    lanes: ['background'],
  })
  await after.watched.waitForEnded('completed')
  t.same(await runs(), ['old'])
})

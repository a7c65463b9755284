import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { jobStatuses } from '../../db/schema/queue.ts'
import { testDatabase } from '../support/postgres.ts'
import { claim, enqueueJob, expireLease, jobRecord, ownerSql, serviceSql } from '../support/queue.ts'

const page = await readFile(new URL('../../docs/job-lifecycle.md', import.meta.url), 'utf8')
const diagram = [...page.matchAll(/^ +(\w+|\[\*\]) --> (\w+|\[\*\]): (.+)$/gm)].flatMap(
  ([, from, to, functions = '']) => functions.split(', ').map((name) => `${from} ${name} ${to}`),
)

test('the page names the statuses that the database allows, and no others', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const sql = ownerSql(t, ownerUrl)
  const [check] = await sql`
    select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'job_queue_status_check'`
  const allowed = [...String(check?.['text']).matchAll(/'(\w+)'/g)].map(([, word = '']) => word)
  const told = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, word = '']) => word)
  t.same(allowed.toSorted(), [...jobStatuses].toSorted())
  t.same(told.toSorted(), [...jobStatuses].toSorted())
})

test('every arrow of the diagram is a way that a job can go', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  await ownerSql(t, ownerUrl)`
    update public.system_configuration set config_value = '1' where config_key = 'queue.max_deferrals'`
  const walked = new Set<string>()

  async function walk(id: string, name: string, step: () => Promise<unknown>): Promise<void> {
    const from = (await jobRecord(sql, id)).status
    await step()
    const [after] = await sql`select status from public.job_queue where id = ${id}`
    walked.add(`${from} ${name} ${String(after?.['status'] ?? '[*]')}`)
  }
  async function processing(): Promise<string> {
    const id = await enqueueJob(sql)
    walked.add(`[*] enqueue_job_v3 ${(await jobRecord(sql, id)).status}`)
    await walk(id, 'claim_next_job_v3', () => claim(sql, 'w1', { max: 100 }))
    return id
  }
  const fail = (id: string, retryable: boolean) => () =>
    sql`select public.fail_job(${id}, 'w1', '{"code":"x"}', ${retryable})`
  const cancel = (id: string) => () => sql`select public.cancel_job(${id})`
  const stop = (id: string) => () => sql`select public.stop_job(${id})`
  const put = (id: string) => () => sql`select public.reschedule_job(${id}, 'w1', 0, 'full')`
  const rescue = (id: string) => async () => {
    await expireLease(sql, id)
    await sql`select public.rescue_stale_jobs()`
  }
  const sweep = () => sql`select public.delete_finished_jobs(interval '-1 second')`

  const completed = await processing()
  await walk(completed, 'complete_job', () => sql`select public.complete_job(${completed}, 'w1')`)
  await walk(completed, 'delete_finished_jobs', sweep)

  const together = await processing()
  const { attempt_token: token } = await jobRecord(sql, together)
  await walk(
    together,
    'complete_jobs',
    () => sql`select public.complete_jobs('w1', array[${together}]::uuid[], array[${token}]::uuid[])`,
  )

  const failed = await processing()
  await walk(failed, 'fail_job', fail(failed, true))
  await walk(failed, 'cancel_job', cancel(failed))
  await walk(failed, 'delete_finished_jobs', sweep)

  const stopped = await processing()
  await walk(stopped, 'stop_job', stop(stopped))
  const waiting = await enqueueJob(sql)
  await walk(waiting, 'stop_job', stop(waiting))

  const dead = await processing()
  await walk(dead, 'fail_job', fail(dead, false))
  await walk(dead, 'requeue_dead_letter', () => sql`select public.requeue_dead_letter(${dead})`)
  await claim(sql, 'w1')
  await fail(dead, false)()
  await walk(dead, 'requeue_dead_letters', () => sql`select public.requeue_dead_letters()`)
  await claim(sql, 'w1')
  await fail(dead, false)()
  await walk(dead, 'cancel_job', cancel(dead))

  const deferred = await processing()
  await walk(deferred, 'reschedule_job', put(deferred))
  await claim(sql, 'w1')
  await walk(deferred, 'reschedule_job', put(deferred))

  const handed = await processing()
  await walk(handed, 'hand_back_jobs', () => sql`select public.hand_back_jobs('w1', array[${handed}]::uuid[])`)
  await claim(sql, 'w1')
  await walk(handed, 'cancel_job', cancel(handed))

  const rescued = await processing()
  await walk(rescued, 'rescue_stale_jobs', rescue(rescued))
  await sql`update public.job_queue set retry_count = max_retries where id = ${rescued}`
  await claim(sql, 'w1')
  await walk(rescued, 'rescue_stale_jobs', rescue(rescued))

  const rule = [{ name: 'sweep', every_seconds: 1_000_000, catch_up: 'latest' }]
  const nextSlot = async () => {
    await sql`
      update public.job_schedules
      set last_slot_at = last_slot_at - interval '1000000 seconds', next_slot_at = clock_timestamp()`
    await sql`update public.job_queue set idempotency_key = idempotency_key || ' earlier'`
    await sql`select public.begin_due_slots(${sql.json(rule)})`
  }
  const endSlot = async (end: (id: string) => () => Promise<unknown>) => {
    await claim(sql, 'w1', { lanes: ['background'] })
    const [schedule] = await sql`select last_job_id as id from public.job_schedules`
    const id = String(schedule?.['id'])
    await end(id)()
    await walk(id, 'begin_due_slots', nextSlot)
  }
  await nextSlot()
  await endSlot((id) => () => sql`select public.complete_job(${id}, 'w1')`)
  await endSlot(cancel)
  await endSlot((id) => fail(id, false))

  t.same([...walked].toSorted(), diagram.toSorted())
})

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { z } from 'zod'
import { asService } from '../../db/actor.ts'
import { stages } from '../../db/schema/documents.ts'
import { enqueue } from '../../jobs/enqueue.ts'
import { jobs } from '../../jobs/index.ts'
import { defineJob } from '../../jobs/job.ts'
import { testDatabase } from '../support/postgres.ts'
import { jobRecord, serviceSql } from '../support/queue.ts'

test('code and database agree on what jobs there are', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const rows = await sql`
    select job_type, job_lane, required_keys, max_retries, timeout_seconds from public.job_types order by job_type`
  const known = Object.entries(jobs).map(([name, job]) => ({
    job_type: name,
    job_lane: job.lane,
    required_keys: z.toJSONSchema(job.payload).required,
    max_retries: job.attempts - 1,
    timeout_seconds: job.timeoutMs / 1000,
  }))
  t.same(
    [...rows],
    known.toSorted((a, b) => a.job_type.localeCompare(b.job_type)),
  )
})

test('each stage of the pipeline is a job, and each job has its name', (t) => {
  t.same(Object.keys(jobs), [...stages, 'export_record', 'purge_account', 'run_schedule', 'deliver_message'])
  for (const [name, job] of Object.entries(jobs)) t.equal(job.name, name)
  t.end()
})

test('a job exists if and only if the transaction that enqueued it commits', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const payload = { shell_file_id: randomUUID() }
  const failing = asService(db, {}, async (tx) => {
    await enqueue(tx, jobs.ocr, payload)
    throw new Error('half way')
  })
  await t.rejects(failing, { message: 'half way' })
  t.equal((await sql`select from public.job_queue`).length, 0)

  const later = new Date(Date.now() + 3_600_000)
  const context = { initiatedBy: randomUUID(), correlationId: 'c-9' }
  const id = await asService(db, context, (tx) => enqueue(tx, jobs.ocr, payload, { priority: 8, scheduledAt: later }))
  const record = await jobRecord(sql, id)
  t.match(record, { priority: 8, shell_file_id: payload.shell_file_id, correlation_id: 'c-9' })
  t.match(record, { initiated_by: context.initiatedBy })
  t.equal(record.scheduled_at.getTime(), later.getTime())
})

test('a job with a key is enqueued once', async (t) => {
  const { db } = await testDatabase(t)
  const keyed = defineJob({ ...jobs.ocr, key: (payload) => `ocr:${payload.shell_file_id}` })
  const payload = { shell_file_id: randomUUID() }
  const enqueueOnce = () => asService(db, {}, (tx) => enqueue(tx, keyed, payload))
  t.equal(await enqueueOnce(), await enqueueOnce())
})

test('a payload that is not what the job says is refused before it is stored', async (t) => {
  const { db } = await testDatabase(t)
  await t.rejects(asService(db, {}, (tx) => enqueue(tx, jobs.ocr, { shell_file_id: 'scan.pdf' })))
})

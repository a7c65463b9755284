import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { stages } from '../../db/schema/documents.ts'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { upload } from '../support/factories.ts'
import { fileState, stageStates } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

test('an upload leaves a file, its stages, an event and one job, in one go', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const answer = await upload(db, person, { pages: 3, correlationId: 'upload-1' })
  const { shell_file_id: id, job_id: jobId } = answer

  t.match(answer, { outcome: 'created', duplicate_of: null, response_status: 201 })
  t.match(answer.response_body, { shell_file_id: id, job_id: jobId, status: 'enqueued', correlation_id: 'upload-1' })
  t.match(await fileState(db, id), { status: 'uploaded', review_state: 'none', processing_error: null })
  t.same(await stageStates(db, id), Object.fromEntries(stages.map((stage) => [stage, 'pending'])))
  const [job] = await serve(db, sql`select * from job_queue where id = ${jobId}`)
  t.match(job, {
    job_type: 'security_scan',
    shell_file_id: id,
    patient_id: person.profileId,
    initiated_by: person.accountId,
    correlation_id: 'upload-1',
    job_payload: { shell_file_id: id },
  })
  const events = await ask(db, person.actor, sql`select file_status, stage from shell_file_events`)
  t.same(events, [{ file_status: 'uploaded', stage: null }])
})

test('an upload that fails anywhere leaves nothing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  // The job is the last thing to be made.
  await owner`delete from job_types where job_type = 'security_scan'`
  t.equal(await refusal(upload(db, person)), '22023')
  for (const table of ['shell_files', 'shell_file_stages', 'shell_file_events', 'usage_events', 'job_queue'])
    t.equal((await owner`select 1 from ${owner(table)}`).length, 0, table)
  t.equal((await owner`select 1 from audit_log where table_name = 'shell_files'`).length, 0)
})

test('the same bytes for one patient are one file, however many bring them at once', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const answers = await Promise.all(Array.from({ length: 12 }, () => upload(db, person, { content: 'letter' })))
  const created = answers.filter((answer) => answer.outcome === 'created')
  t.equal(created.length, 1)
  for (const answer of answers.filter((one) => one.outcome === 'duplicate'))
    t.match(answer, { duplicate_of: created[0]?.shell_file_id, job_id: null, response_status: 200 })
  t.equal((await serve(db, sql`select 1 from job_queue`)).length, 1)
  t.equal((await serve(db, sql`select 1 from usage_events`)).length, 1)

  const other = await signUp(db)
  t.equal((await upload(db, other, { content: 'letter' })).outcome, 'created', 'another patient’s file is their own')
})

test('a copy is kept when it is asked for, and the first stays the original', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const first = await upload(db, person, { content: 'letter', keepBoth: 'keep' })
  const copy = await upload(db, person, { content: 'letter', keepBoth: 'keep' })
  t.same([first.outcome, copy.outcome], ['created', 'created'])
  t.equal((await upload(db, person, { content: 'letter' })).duplicate_of, first.shell_file_id)
})

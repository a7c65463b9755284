import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import type { Database } from '../../db/client.ts'
import { stages } from '../../db/schema/documents.ts'
import type { Stage } from '../../db/schema/documents.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { beginStage, completeStages, finishStage, giveAccess, holdForReview, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const wrongState = '55000'

async function fileState(db: Database, id: string) {
  const [row] = await serve<{ status: string; processing_error: unknown; review_state: string }>(
    db,
    sql`select status, processing_error, review_state from shell_files where id = ${id}`,
  )
  return row
}

async function stageStates(db: Database, id: string): Promise<Record<string, string>> {
  const rows = await serve<{ stage: string; status: string }>(
    db,
    sql`select stage, status from shell_file_stages where shell_file_id = ${id} order by position`,
  )
  return Object.fromEntries(rows.map((row) => [row.stage, row.status]))
}

async function jobsOf(db: Database, id: string, status = 'pending'): Promise<string[]> {
  const rows = await serve<{ job_type: string }>(
    db,
    sql`select job_type from job_queue where shell_file_id = ${id} and status = ${status} order by id`,
  )
  return rows.map((row) => row.job_type)
}

/** As if a worker had taken every job of the file and ended it. */
async function endJobs(db: Database, id: string, status: 'completed' | 'dead_letter' | 'cancelled'): Promise<void> {
  const error = JSON.stringify({ code: 'ocr_timeout', message: 'The page could not be read.', stack: 'secret' })
  await serve(
    db,
    sql`update job_queue set status = ${status}, completed_at = now(), dead_letter_at = now(),
          error_details = case when ${status} = 'dead_letter' then ${error}::jsonb end
        where shell_file_id = ${id} and status = 'pending'`,
  )
}

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

const stateOf = z.object({ state: z.string() })

const begin = (db: Database, by: Account, key: string, token: string, lockSeconds = 300) =>
  askOne(
    db,
    by.actor,
    sql`select public.begin_idempotent_request(${by.profileId}, ${key}, ${token}, ${lockSeconds}) as value`,
  )

test('of twenty requests with one key at once, one runs', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const attempts = Array.from({ length: 20 }, () => randomUUID())
  const states = await Promise.all(
    attempts.map(async (token) => ({ token, ...stateOf.parse(await begin(db, person, 'k1', token)) })),
  )
  const started = states.filter(({ state }) => state === 'started')
  t.equal(started.length, 1)
  t.equal(states.filter(({ state }) => state === 'in_progress').length, 19)

  const token = started[0]?.token ?? ''
  t.match(await begin(db, person, 'k1', token), { state: 'started' }, 'the running attempt may ask again')
  const answer = await upload(db, person, { key: { key: 'k1', token, hash: 'h1' } })
  t.match(await begin(db, person, 'k1', randomUUID()), {
    state: 'completed',
    request_hash: 'h1',
    response_status: 201,
    response_body: answer.response_body,
    shell_file_id: answer.shell_file_id,
  })
})

test('a key is of one account and one profile', async (t) => {
  const { db } = await testDatabase(t)
  const [ann, bob] = [await signUp(db), await signUp(db)]
  await giveAccess(db, ann, bob, ann.profileId, { level: 'read_write' })
  t.match(await begin(db, ann, 'k', randomUUID()), { state: 'started' })
  t.match(await begin(db, bob, 'k', randomUUID()), { state: 'started' })
  const shared = sql`select public.begin_idempotent_request(${ann.profileId}, 'k', ${randomUUID()}) as value`
  t.match(await askOne(db, bob.actor, shared), { state: 'started' }, 'the same profile, another account')
})

test('an attempt that died holds its key no longer than its lock', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [dead, next] = [randomUUID(), randomUUID()]
  await begin(db, person, 'k', dead, 0)
  t.match(await begin(db, person, 'k', next), { state: 'started' })

  const late = upload(db, person, { key: { key: 'k', token: dead } })
  t.equal(await refusal(late), 'EX409', 'the dead one cannot come back')
  const abandon = (token: string) =>
    ask(db, person.actor, sql`select public.abandon_idempotent_request(${person.profileId}, 'k', ${token})`)
  await abandon(dead)
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'in_progress' }, 'nor give away what is not its own')
  await abandon(next)
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'started' })
})

test('an answer is kept for a day at least, then its key is free', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const token = randomUUID()
  await owner`update system_configuration set config_value = '1' where config_key = 'idempotency.keep_hours'`
  await begin(db, person, 'k', token)
  await upload(db, person, { key: { key: 'k', token } })
  const [kept] = await owner`select expires_at >= now() + interval '23 hours 59 minutes' as long from idempotency_keys`
  t.equal(kept?.['long'], true, 'whatever the configuration says')
  await owner`update idempotency_keys set expires_at = now()`
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'started' })
})

test('the status of a file is what its stages say', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  const status = async () => (await fileState(db, id))?.status

  await beginStage(db, id, 'security_scan')
  t.equal(await status(), 'processing')
  await finishStage(db, id, 'security_scan')
  t.equal(await status(), 'processing')
  await beginStage(db, id, 'ocr')
  await serve(
    db,
    sql`select public.finish_stage(${id}, 'ocr', 'failed', '{"code": "ocr_timeout", "message": "Too slow.", "stack": "x"}')`,
  )
  t.match(await fileState(db, id), {
    status: 'failed',
    processing_error: { code: 'ocr_timeout', message: 'Too slow.', stage: 'ocr' },
  })
  t.notOk(JSON.stringify(await fileState(db, id)).includes('stack'), 'only what may be shown')

  await completeStages(db, id, ['ocr'])
  t.match(await fileState(db, id), { status: 'processing', processing_error: null }, 'a retry clears the failure')
  await completeStages(db, id, ['spatial_mapping', 'pass1_find', 'pass2_code'])
  await beginStage(db, id, 'pass3_narrate')
  await finishStage(db, id, 'pass3_narrate', 'skipped')
  t.equal(await status(), 'completed')
})

test('stages go only along the arrows', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  t.equal(await refusal(beginStage(db, id, 'ocr')), wrongState, 'before the scan')
  t.equal(await refusal(finishStage(db, id, 'security_scan')), wrongState, 'never begun')
  t.equal(await refusal(finishStage(db, id, 'security_scan', 'held')), wrongState)
  await completeStages(db, id, ['security_scan'])
  t.equal(await refusal(beginStage(db, id, 'security_scan')), wrongState, 'a committed stage is not repeated')
  t.equal(await refusal(finishStage(db, id, 'security_scan')), 'allowed', 'saying it twice changes nothing')
  t.equal(await refusal(finishStage(db, id, 'security_scan', 'failed')), wrongState)
  t.equal(await refusal(beginStage(db, randomUUID(), 'ocr')), 'P0002')
  const direct = sql`update shell_file_stages set status = 'completed' where shell_file_id = ${id}`
  t.equal(await refusal(serve(db, direct)), '42501', 'nor around the functions')
  const status = sql`update shell_files set status = 'completed' where id = ${id}`
  t.equal(await refusal(serve(db, status)), '42501', 'nor the status by hand')
})

test('a stage that begins again after a crash keeps its progress', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await completeStages(db, id, ['security_scan'])
  await beginStage(db, id, 'ocr')
  await serve(db, sql`select public.report_stage_progress(${id}, 'ocr', 2, 5)`)
  await beginStage(db, id, 'ocr')
  const [ocr] = await serve(
    db,
    sql`select pages_done, pages_total, status from shell_file_stages where shell_file_id = ${id} and stage = 'ocr'`,
  )
  t.same(ocr, { pages_done: 2, pages_total: 5, status: 'running' })
  t.equal(await refusal(serve(db, sql`select public.report_stage_progress(${id}, 'pass1_find', 1, 1)`)), wrongState)
})

test('every change is told once, in order, with ids alone', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const told: string[] = []
  const allTold = Promise.withResolvers<void>()
  const subscription = await db.listen('exora_shell_file_events', (payload) => {
    told.push(payload)
    if (told.length === 4) allTold.resolve()
  })
  t.teardown(() => subscription.stop())

  const { shell_file_id: id } = await upload(db, person)
  await completeStages(db, id, ['security_scan'])
  await beginStage(db, id, 'ocr')
  await allTold.promise
  const events = await ask<{ id: string; stage: string | null; stage_status: string | null }>(
    db,
    person.actor,
    sql`select id, stage, stage_status from shell_file_events where shell_file_id = ${id} order by id`,
  )
  t.same(
    events.map(({ stage, stage_status: status }) => [stage, status]),
    [
      [null, null],
      ['security_scan', 'running'],
      ['security_scan', 'completed'],
      ['ocr', 'running'],
    ],
  )
  t.same(
    told.map((payload) => JSON.parse(payload)),
    events.map((event) => ({ id: Number(event.id), shell_file_id: id, patient_id: person.profileId })),
  )
})

test('a job that gives up fails its stage with what may be shown', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  await endJobs(db, id, 'dead_letter')
  t.match(await fileState(db, id), {
    status: 'failed',
    processing_error: { code: 'ocr_timeout', message: 'The page could not be read.', stage: 'security_scan' },
  })
  t.notOk(JSON.stringify(await fileState(db, id)).includes('secret'))
})

test('a cancelled job leaves no file waiting for ever', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  await endJobs(db, id, 'cancelled')
  t.match(await fileState(db, id), { status: 'failed', processing_error: { code: 'cancelled' } })
})

test('a job that gives up late does not undo a stage that has committed', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  await completeStages(db, id, ['security_scan'])
  await endJobs(db, id, 'dead_letter')
  t.equal((await stageStates(db, id))['security_scan'], 'completed')
})

const reprocess = (db: Database, by: Account, id: string, from: Stage | 'nonsense') =>
  ask(db, by.actor, sql`select public.reprocess_shell_file(${id}, ${from})`)

test('a file is processed again from a stage on, by those who may write', async (t) => {
  const { db } = await testDatabase(t)
  const [person, carer] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, carer, person.profileId, { level: 'read_write' })
  const { shell_file_id: id } = await upload(db, person)
  t.equal(await refusal(reprocess(db, person, id, 'security_scan')), wrongState, 'while its job waits')
  await endJobs(db, id, 'completed')
  t.equal(await refusal(reprocess(db, person, id, 'ocr')), wrongState, 'before the stage ahead of it is done')
  await completeStages(db, id, stages)
  t.equal((await fileState(db, id))?.status, 'completed')

  t.equal(await refusal(reprocess(db, person, id, 'nonsense')), '22023')
  await reprocess(db, carer, id, 'spatial_mapping')
  t.same(await stageStates(db, id), {
    security_scan: 'completed',
    ocr: 'completed',
    spatial_mapping: 'pending',
    pass1_find: 'pending',
    pass2_code: 'pending',
    pass3_narrate: 'pending',
  })
  t.same(await jobsOf(db, id), ['spatial_mapping'])
  const [job] = await serve(
    db,
    sql`select initiated_by from job_queue where shell_file_id = ${id} and status = 'pending'`,
  )
  t.equal(job?.['initiated_by'], carer.accountId, 'in the name of who asked')
  t.equal((await fileState(db, id))?.status, 'processing')
})

test('nothing of a file in review reaches the record before a person says so', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await endJobs(db, id, 'completed')
  const review = await holdForReview(db, id, person.profileId)
  t.match(await fileState(db, id), { status: 'needs_review', review_state: 'pending' })
  t.equal(await refusal(beginStage(db, id, 'pass2_code')), wrongState)
  t.equal(await refusal(reprocess(db, person, id, 'pass2_code')), wrongState)

  await ask(db, person.actor, sql`select public.decide_identity_review(${review}, 'accepted')`)
  t.match(await fileState(db, id), { status: 'processing', review_state: 'accepted' })
  t.same(await jobsOf(db, id), ['pass2_code'])
  t.equal(
    await refusal(ask(db, person.actor, sql`select public.decide_identity_review(${review}, 'accepted')`)),
    'allowed',
  )
  t.same(await jobsOf(db, id), ['pass2_code'], 'saying yes twice is saying it once')
  const rejection = sql`select public.decide_identity_review(${review}, 'rejected')`
  t.equal(await refusal(ask(db, person.actor, rejection)), wrongState)
  await completeStages(db, id, ['pass2_code', 'pass3_narrate'])
  t.equal((await fileState(db, id))?.status, 'completed')
  const [decided] = await serve(db, sql`select decided_by, status from manual_review_queue`)
  t.same(decided, { decided_by: person.accountId, status: 'accepted' })
})

test('no order of stages leads around an open review', async (t) => {
  const { db } = await testDatabase(t)
  const { shell_file_id: id } = await upload(db, await signUp(db))
  await completeStages(db, id, ['security_scan', 'ocr', 'spatial_mapping', 'pass1_find'])
  for (const state of ['pending', 'rejected']) {
    await serve(db, sql`update shell_files set review_state = ${state} where id = ${id}`)
    t.equal(await refusal(beginStage(db, id, 'pass2_code')), wrongState, state)
  }
  await serve(db, sql`update shell_files set review_state = 'accepted' where id = ${id}`)
  t.equal(await refusal(beginStage(db, id, 'pass2_code')), 'allowed')
})

test('a file that a person rejects stays out of the record', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await endJobs(db, id, 'completed')
  const review = await holdForReview(db, id, person.profileId)
  const decide = (decision: string) =>
    ask(db, person.actor, sql`select public.decide_identity_review(${review}, ${decision})`)
  t.equal(await refusal(decide('perhaps')), '22023')
  await decide('rejected')
  t.match(await fileState(db, id), { status: 'completed', review_state: 'rejected' })
  t.match(await stageStates(db, id), { pass1_find: 'completed', pass2_code: 'skipped', pass3_narrate: 'skipped' })
  t.same(await jobsOf(db, id), [])
  t.equal(await refusal(reprocess(db, person, id, 'pass2_code')), wrongState)

  await reprocess(db, person, id, 'ocr')
  t.match(await fileState(db, id), { review_state: 'none' }, 'read again, it is asked about again')
})

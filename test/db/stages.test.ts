import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, refusal, serve, signUp } from '../support/actors.ts'
import { beginStage, completeStages, finishStage, upload } from '../support/factories.ts'
import { endJobs, fileState, stageStates, wrongState } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

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

import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, refusal, serve, signUp } from '../support/actors.ts'
import { beginStage, completeStages, holdForReview, upload } from '../support/factories.ts'
import { endJobs, fileState, jobsOf, reprocess, stageStates, wrongState } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

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

import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import {
  liftProcessingRestriction,
  processingAllowed,
  profilesToStop,
  restrictProcessing,
  stopUnallowedProcessing,
} from '../../db/queries/processing.ts'
import { actorOf, ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { decide, grantThatRanOut, makeClinician, makeGuardian } from '../support/consents.ts'
import { beginStage, completeStages, fillRecord, holdForReview, upload } from '../support/factories.ts'
import { endJobs, fileState, jobsOf, reprocess, stageStates, wrongState } from '../support/files.ts'
import { testDatabase } from '../support/postgres.ts'

const isAllowed = (db: Database, profileId: string) => asService(db, {}, (tx) => processingAllowed(tx, profileId))
const stopped = { status: 'failed', processing_error: { code: 'processing_stopped' } }

test('withdrawing consent cancels what waits and what runs, and the audit proves it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, other] = [await signUp(db), await signUp(db)]
  const { shell_file_id: waiting } = await upload(db, person)
  const { shell_file_id: running } = await upload(db, person)
  const { shell_file_id: ofOther } = await upload(db, other)
  await serve(
    db,
    sql`update job_queue set status = 'processing', worker_id = 'w1', attempt_token = gen_random_uuid(),
          lease_expires_at = now() + interval '1 minute' where shell_file_id = ${running}`,
  )
  await beginStage(db, running, 'security_scan')

  const withdrawing = { ...person, actor: actorOf(person.accountId, 'withdrawal-7') }
  const consentId = await decide(db, withdrawing, 'withdrawn')

  for (const id of [waiting, running]) {
    t.same(await jobsOf(db, id, 'cancelled'), ['security_scan'])
    t.match(await fileState(db, id), stopped)
  }
  t.same(await jobsOf(db, ofOther), ['security_scan'], 'nobody else is touched')

  const rows = await owner<{ what: string; changed_by: string; transaction: string; patient_id: string }[]>`
    select concat_ws(' ', table_name, new_values ->> 'decision', new_values ->> 'status', reason) as what,
      changed_by, patient_id, xmin::text as transaction
    from audit_log where correlation_id = 'withdrawal-7' order by id`
  t.same(
    rows.map((row) => row.what),
    [
      'patient_consents withdrawn',
      ...[1, 2].flatMap(() => ['shell_file_stages failed', 'job_queue cancelled processing stopped']),
    ],
  )
  t.equal(new Set(rows.map((row) => row.transaction)).size, 1, 'in one transaction')
  t.ok(rows.every((row) => row.changed_by === person.accountId && row.patient_id === person.profileId))
  const decided = await owner`select record_id from audit_log where table_name = 'patient_consents'`
  t.same([...decided], [{ record_id: String(consentId) }])
})

test('what is uploaded while processing is stopped is kept, and processed once when it may be', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: before } = await upload(db, person)
  await decide(db, person, 'withdrawn')

  const key = { key: 'k', token: randomUUID(), hash: 'h' }
  await ask(db, person.actor, sql`select public.begin_idempotent_request(${person.profileId}, 'k', ${key.token})`)
  const answer = await upload(db, person, { key, content: 'letter' })
  const { shell_file_id: meanwhile } = answer
  t.match(answer, { outcome: 'created', job_id: null, response_status: 201, response_body: { status: 'uploaded' } })
  t.match(await fileState(db, meanwhile), { status: 'uploaded', processing_error: null })
  t.equal((await stageStates(db, meanwhile))['security_scan'], 'pending')
  t.same(await jobsOf(db, meanwhile), [])
  t.match(await upload(db, person, { content: 'letter' }), { outcome: 'duplicate', job_id: null })

  const { shell_file_id: binned } = await upload(db, person)
  await ownerSql(t, ownerUrl)`update shell_files set deleted_at = now() where id = ${binned}`
  await decide(db, person, 'granted')
  await decide(db, person, 'granted', { policyVersion: 'v2' })
  for (const id of [before, meanwhile]) t.same(await jobsOf(db, id), ['security_scan'], 'exactly one job')
  t.same(await jobsOf(db, binned), [], 'what lies in the bin stays there')
  t.match(await fileState(db, before), { status: 'uploaded', processing_error: null }, 'no trace of the stop')
})

test('between two stages a file waits, and goes on where it was', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await endJobs(db, id, 'completed')
  await completeStages(db, id, ['security_scan', 'ocr'])
  const { shell_file_id: spoilt } = await upload(db, person)
  await endJobs(db, spoilt, 'dead_letter')
  await decide(db, person, 'denied')

  const next = sql`select public.enqueue_job_v3('spatial_mapping', 'x', ${JSON.stringify({ shell_file_id: id })}::jsonb)`
  t.equal(await refusal(serve(db, next)), wrongState, 'no job')
  t.equal(await refusal(beginStage(db, id, 'spatial_mapping')), wrongState, 'no beginning')
  t.equal(await refusal(reprocess(db, person, id, 'ocr')), wrongState, 'nor again')
  const requeue = sql`select public.requeue_dead_letter(id) from job_queue where shell_file_id = ${spoilt}`
  t.equal(await refusal(serve(db, requeue)), wrongState, 'nor by an operator')

  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), ['spatial_mapping'])
  t.match(await stageStates(db, id), { ocr: 'completed', spatial_mapping: 'pending' })
  t.same(await jobsOf(db, spoilt), [], 'what failed for a reason of its own stays failed')
  t.equal(await refusal(serve(db, requeue)), 'allowed')
})

test('what a person decides about a document while processing is stopped takes effect when it goes on', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await endJobs(db, id, 'completed')
  const review = await holdForReview(db, id, person.profileId)
  await decide(db, person, 'withdrawn')
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), [], 'what waits for a person does not go on by itself')

  await decide(db, person, 'withdrawn')
  await ask(db, person.actor, sql`select public.decide_identity_review(${review}, 'accepted')`)
  t.match(await fileState(db, id), { review_state: 'accepted' })
  t.same(await jobsOf(db, id), [])
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), ['pass2_code'])
})

test('a restriction stops everything but keeping and reading, until it is lifted', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await fillRecord(db, { id, patientId: person.profileId })
  const restrict = () => asActor(db, person.actor, (tx) => restrictProcessing(tx, person.profileId))
  const lift = () => asActor(db, person.actor, (tx) => liftProcessingRestriction(tx, person.profileId))
  const audited = async () =>
    (await owner`select 1 from audit_log where table_name = 'user_profiles' and operation = 'UPDATE'`).length

  await restrict()
  await restrict()
  t.equal(await audited(), 1, 'one change, one row')
  t.match(await fileState(db, id), stopped)
  t.equal(await askOne(db, person.actor, sql`select count(*)::int as value from patient_record`), 2, 'it is all read')
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), [], 'consent alone does not lift a restriction')

  await decide(db, person, 'withdrawn')
  await lift()
  t.same(await jobsOf(db, id), [], 'nor does lifting it stand for consent')
  await decide(db, person, 'granted')
  t.same(await jobsOf(db, id), ['security_scan'])
  await lift()
  t.equal(await audited(), 2)

  const direct = sql`update user_profiles set processing_restricted_at = null where id = ${person.profileId}`
  t.equal(await refusal(ask(db, person.actor, direct)), '42501')
})

test('only who decides for a person restricts processing or lifts it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { guardian, childId, delegates, stranger } = await castOf(db, owner)
  const [second, clinician] = [await signUp(db), await signUp(db)]
  await makeGuardian(owner, second, childId)
  await makeClinician(owner, clinician, childId)
  const tried = (by: Account) => [
    refusal(asActor(db, by.actor, (tx) => restrictProcessing(tx, childId))),
    refusal(asActor(db, by.actor, (tx) => liftProcessingRestriction(tx, childId))),
  ]
  for (const other of [clinician, stranger, ...Object.values(delegates)])
    t.same(await Promise.all(tried(other)), ['42501', '42501'])
  for (const decider of [guardian, second]) t.same(await Promise.all(tried(decider)), ['allowed', 'allowed'])
})

test('nothing is processed of somebody whose account is being closed, or of nobody', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  t.equal(await isAllowed(db, person.profileId), true)
  t.equal(await isAllowed(db, randomUUID()), false)
  for (const [status, expected] of [
    ['requested', false],
    ['purging', false],
    ['cancelled', true],
  ] as const) {
    await owner`delete from account_closures`
    await owner`insert into account_closures (account_id, status, due_at) values (${person.accountId}, ${status}, now())`
    t.equal(await isAllowed(db, person.profileId), expected, status)
  }
  await owner`update user_profiles set erased_at = now(), account_owner_id = null where id = ${person.profileId}`
  t.equal(await isAllowed(db, person.profileId), false, 'erased')
})

test('a consent that runs out is noticed without anybody doing anything', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, other] = [await signUp(db), await signUp(db)]
  const { shell_file_id: id } = await upload(db, person)
  await upload(db, other)
  await grantThatRanOut(owner, person)
  t.same(await asService(db, {}, (tx) => profilesToStop(tx, 10)), [person.profileId])
  t.equal(await refusal(beginStage(db, id, 'security_scan')), wrongState)

  for (const { profileId } of [person, other]) await asService(db, {}, (tx) => stopUnallowedProcessing(tx, profileId))
  t.match(await fileState(db, id), stopped)
  t.same(await asService(db, {}, (tx) => profilesToStop(tx, 10)), [])
  t.equal((await owner`select 1 from job_queue where status = 'pending'`).length, 1, 'who may be processed still is')
})

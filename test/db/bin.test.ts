import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, refusalDetail, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { beginStage, completeStages, giveAccess, holdForReview, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

const megabyte = 1_048_576
const remove = (db: Database, by: Account, id: string) =>
  askOne(db, by.actor, sql`select public.delete_shell_file(${id}) as value`)
const restore = (db: Database, by: Account, id: string) =>
  askOne(db, by.actor, sql`select public.restore_shell_file(${id}) as value`)
const jobsOf = (db: Database, id: string) =>
  serve(db, sql`select job_type, status from job_queue where shell_file_id = ${id} order by created_at, id`)

test('a deleted document gives its storage back, a restored one takes it again, however often', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person, { sizeBytes: 5 * megabyte, pages: 7 })
  const used = async () => {
    const { shell_files: files, pages, storage } = (await usageOf(db, person)).usage
    return [files.used, pages.used, storage.used_mb]
  }
  for (const round of ['once', 'twice']) {
    t.equal(await remove(db, person, id), true, `deleted ${round}`)
    t.same(await used(), [1, 7, 0], 'what was read this month stays read')
    t.equal(await remove(db, person, id), false, 'it lies there already')
    t.same(await used(), [1, 7, 0])
    t.equal(await restore(db, person, id), true, `restored ${round}`)
    t.equal(await restore(db, person, id), false, 'it is in use already')
    t.same(await used(), [1, 7, 5])
  }
  // Within one transaction too, where `now()` stands still.
  await ask(
    db,
    person.actor,
    sql`select public.delete_shell_file(${id}), public.restore_shell_file(${id}), public.delete_shell_file(${id})`,
  )
  t.same(await used(), [1, 7, 0])
  t.same(await counterDifferences(db), [])
  const [audited] = await ownerSql(t, ownerUrl)`
    select count(*)::int as rows from audit_log
    where table_name = 'shell_files' and operation = 'UPDATE' and record_id = ${id} and changed_by = ${person.accountId}
      and new_values ? 'deleted_at'`
  t.equal(audited?.['rows'], 7, 'each is audited, once, with who did it')
})

test('who may write may delete, but no clinician; nobody else learns that there is anything', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, reader, writer, clinician, stranger] = await Promise.all([1, 2, 3, 4, 5].map(() => signUp(db)))
  if (!person || !reader || !writer || !clinician || !stranger) throw new Error('somebody is missing')
  await giveAccess(db, person, reader, person.profileId, { level: 'read_only' })
  await giveAccess(db, person, writer, person.profileId, { level: 'read_write' })
  await letIn(owner, clinician, person)
  const { shell_file_id: id } = await upload(db, clinician, { patientId: person.profileId })
  for (const refused of [reader, clinician, stranger]) {
    t.equal(await refusal(remove(db, refused, id)), 'P0002')
    t.equal(await refusal(restore(db, refused, id)), 'P0002')
  }
  t.equal(await remove(db, writer, id), true)
  for (const refused of [reader, clinician, stranger]) t.equal(await refusal(restore(db, refused, id)), 'P0002')
  t.equal(await restore(db, person, id), true)
  t.equal(await refusal(serve(db, sql`select public.delete_shell_file(${id})`)), '42501', 'nor does a service')
})

test('nothing in the bin is processed, and a restored document goes on where it stood', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await completeStages(db, id, ['security_scan'])
  await serve(db, sql`select public.claim_next_job_v3(worker_id => 'w1')`)
  await beginStage(db, id, 'ocr')
  await remove(db, person, id)
  t.same(
    await jobsOf(db, id),
    [{ job_type: 'security_scan', status: 'cancelled' }],
    'the running job has lost its lease',
  )
  for (const call of [
    sql`select public.begin_stage(${id}, 'ocr', '1')`,
    sql`select public.finish_stage(${id}, 'ocr')`,
    sql`select public.report_stage_progress(${id}, 'ocr', 1, 2)`,
    sql`select public.reprocess_shell_file(${id}, 'ocr')`,
  ])
    t.equal(await refusal(serve(db, call)), 'P0002')
  const [ocr] = await serve(db, sql`select status from shell_file_stages where shell_file_id = ${id} and stage = 'ocr'`)
  t.same(ocr, { status: 'running' }, 'stages stay as they are')

  await restore(db, person, id)
  t.same((await jobsOf(db, id)).at(-1), { job_type: 'ocr', status: 'pending' })
  await remove(db, person, id)
  await serve(db, sql`update job_queue set status = 'pending', completed_at = null where job_type = 'ocr'`)
  await restore(db, person, id)
  t.equal((await jobsOf(db, id)).length, 2, 'a job that is there already is enough')
})

test('what waits for a person, or has ended, starts nothing when it is restored', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [held, failed] = [await upload(db, person), await upload(db, person)]
  await holdForReview(db, held.shell_file_id, person.profileId)
  await beginStage(db, failed.shell_file_id, 'security_scan')
  await serve(db, sql`select public.finish_stage(${failed.shell_file_id}, 'security_scan', 'failed')`)
  for (const { shell_file_id: id } of [held, failed]) {
    await remove(db, person, id)
    await restore(db, person, id)
    t.same(await jobsOf(db, id), [{ job_type: 'security_scan', status: 'cancelled' }])
  }
})

test('a document that is restored while processing is stopped waits with the others, and goes on with them', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [running, stopped] = [await upload(db, person), await upload(db, person)]
  await beginStage(db, running.shell_file_id, 'security_scan')
  await remove(db, person, running.shell_file_id)
  const call = (name: string) => ask(db, person.actor, sql.raw(`select public.${name}('${person.profileId}')`))
  await call('restrict_processing')
  await remove(db, person, stopped.shell_file_id)
  for (const { shell_file_id: id } of [running, stopped]) {
    t.equal(await restore(db, person, id), true)
    t.same(await jobsOf(db, id), [{ job_type: 'security_scan', status: 'cancelled' }])
  }
  await call('lift_processing_restriction')
  for (const { shell_file_id: id } of [running, stopped])
    t.same((await jobsOf(db, id)).at(-1), { job_type: 'security_scan', status: 'pending' })

  await call('restrict_processing')
  await remove(db, person, stopped.shell_file_id)
  await call('lift_processing_restriction')
  t.equal((await jobsOf(db, stopped.shell_file_id)).at(-1)?.['status'], 'cancelled', 'nothing in the bin is resumed')
  await restore(db, person, stopped.shell_file_id)
  t.equal(
    (await jobsOf(db, stopped.shell_file_id)).at(-1)?.['status'],
    'pending',
    'but what was stopped goes on with it',
  )
})

test('a stage that is being committed is waited for, and neither stands in the way of the other', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  const [job] = await serve<{ id: string; attempt_token: string }>(
    db,
    sql`select id, attempt_token from public.claim_next_job_v3(worker_id => 'w1')`,
  )
  await beginStage(db, id, 'security_scan')
  const { deleting } = await asService(db, {}, async (tx) => {
    await tx.execute(sql`select public.hold_lease(${job?.id ?? ''}, ${job?.attempt_token ?? ''})`)
    // Not awaited here: it waits for this transaction.
    const deletion = { deleting: remove(db, person, id) }
    await eventually(async () => {
      const waiting = await owner`select 1 from pg_locks where not granted`
      if (waiting.length === 0) throw new Error('nobody waits')
    })
    await tx.execute(sql`select public.finish_stage(${id}, 'security_scan')`)
    await tx.execute(sql`select public.complete_job(${job?.id ?? ''}, 'w1')`)
    await tx.execute(sql`select public.enqueue_job_v3('ocr', 'ocr', jsonb_build_object('shell_file_id', ${id}::text))`)
    return deletion
  })
  t.equal(await deleting, true)
  t.same(await jobsOf(db, id), [
    { job_type: 'security_scan', status: 'completed' },
    { job_type: 'ocr', status: 'cancelled' },
  ])
})

test('bytes that were uploaded again meanwhile stay one document', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const first = await upload(db, person, { content: 'letter' })
  await remove(db, person, first.shell_file_id)
  const second = await upload(db, person, { content: 'letter' })
  t.equal(second.outcome, 'created', 'what lies in the bin is no duplicate')
  t.equal(await refusal(restore(db, person, first.shell_file_id)), '23505')
  await remove(db, person, second.shell_file_id)
  t.equal(await restore(db, person, first.shell_file_id), true)
  t.same(await counterDifferences(db), [])

  const rounds = await Promise.all(
    Array.from({ length: 12 }, (_, turn) =>
      turn % 3 === 0
        ? refusal(remove(db, person, first.shell_file_id))
        : refusal(upload(db, person, { content: 'letter' })),
    ),
  )
  t.ok(
    rounds.every((state) => state === 'allowed'),
    'an upload whose original is deleted at that moment is a new document',
  )
  const live = await serve(db, sql`select 1 from shell_files where deleted_at is null`)
  t.equal(live.length, 1)
})

test('past an enforced limit of storage a document stays in the bin; other limits do not hold it there', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person, { sizeBytes: 60 * megabyte, pages: 100 })
  await remove(db, person, id)
  t.equal(await restore(db, person, id), true, 'its pages were counted when it came')
  await remove(db, person, id)
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'basic')`)
  const { shell_file_id: other } = await upload(db, person, { sizeBytes: 60 * megabyte })
  await serve(db, sql`select public.set_account_plan(${person.accountId}, 'free')`)
  t.match(await refusalDetail(restore(db, person, id)), {
    limit_name: 'storage',
    used: 60 * megabyte,
    limit: 100 * megabyte,
    requested: 60 * megabyte,
    resets_at: null,
  })
  await remove(db, person, other)
  t.equal(await restore(db, person, id), true)
  t.same(await counterDifferences(db), [])
})

test('what was counted is given back, and nothing else, whatever the switch of tracking says', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const track = (on: boolean) =>
    owner`update feature_flags set enabled = ${on} where feature_name = 'usage_tracking_enabled'`
  const person = await signUp(db)
  const stored = async () => (await usageOf(db, person)).usage.storage.used_mb
  const counted = await upload(db, person, { sizeBytes: 5 * megabyte })
  await track(false)
  const uncounted = await upload(db, person, { sizeBytes: 7 * megabyte })
  await remove(db, person, counted.shell_file_id)
  t.equal(await stored(), 0)
  await restore(db, person, counted.shell_file_id)
  t.equal(await stored(), 5)
  await track(true)
  await remove(db, person, uncounted.shell_file_id)
  t.equal(await stored(), 5)
  await restore(db, person, uncounted.shell_file_id)
  t.equal(await stored(), 5)
  await serve(db, sql`update shell_files set page_count = 9 where id = ${uncounted.shell_file_id}`)
  t.equal((await usageOf(db, person)).usage.pages.used, 1, 'nor are pages corrected that were never counted')
  t.same(await counterDifferences(db), [])
})

/** A clinician who may read and write this person's documents. */
async function letIn(owner: postgres.Sql, clinician: Account, patient: Account): Promise<void> {
  const [provider] = await owner<{ id: string }[]>`
    insert into provider_registry
      (account_id, display_name, profession, registration_authority, registration_number, verification_status, verified_at)
    values (${clinician.accountId}, 'Doctor', 'doctor', 'board', '1', 'verified', now()) returning id`
  await owner`
    insert into patient_consents (patient_id, purpose, decision, decided_by, capacity, policy_version)
    values (${patient.profileId}, 'provider_access', 'granted', ${patient.accountId}, 'self', '1')`
  await owner`
    insert into patient_provider_access
      (provider_id, patient_id, status, purpose, permission_level, resource_types, starts_at, ends_at, decided_by, decided_at)
    values (${provider?.id ?? ''}, ${patient.profileId}, 'approved', 'treatment', 'read_write', '{document,clinical}',
      now(), now() + interval '1 day', ${patient.accountId}, now())`
}

import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { actorOf, ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { completeStages, fillRecord, giveAccess, holdForReview, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

type Entry = { table_name: string; operation: string; record_id: string }

/** What the log gained while some work was done, as "table operation", sorted. */
async function gained(owner: postgres.Sql, work: () => Promise<unknown>): Promise<string[]> {
  const [before] = await owner<{ ids: string[] }[]>`select coalesce(array_agg(id::text), '{}') as ids from audit_log`
  await work()
  const rows = await owner<Entry[]>`
    select table_name, operation, record_id from audit_log where id <> all (${before?.ids ?? []}::uuid[])`
  return rows.map((row) => `${row.table_name} ${row.operation}`).toSorted()
}

test('every change of state leaves one row, and what is derived from it none', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, friend] = [await signUp(db), await signUp(db)]
  let fileId = ''
  let permissionId = ''
  const service = (query: SQL) => () => serve(db, query)
  const own = (query: SQL) => () => ask(db, person.actor, query)
  const steps: readonly (readonly [string, () => Promise<unknown>, readonly string[]])[] = [
    ['signing up', () => signUp(db), ['user_profiles INSERT']],
    [
      'renaming a profile',
      own(sql`update user_profiles set display_name = 'Other' where id = ${person.profileId}`),
      ['user_profiles UPDATE'],
    ],
    [
      'writing what stood there',
      own(sql`update user_profiles set display_name = 'Other' where id = ${person.profileId}`),
      [],
    ],
    [
      'an upload',
      async () => {
        fileId = (await upload(db, person)).shell_file_id
      },
      ['shell_files INSERT'],
    ],
    [
      'a stage begins',
      () => serve(db, sql`select public.begin_stage(${fileId}, 'security_scan', '1')`),
      ['shell_file_stages UPDATE'],
    ],
    [
      'a stage goes on',
      () => serve(db, sql`select public.report_stage_progress(${fileId}, 'security_scan', 1, 2)`),
      [],
    ],
    [
      'a stage ends',
      () => serve(db, sql`select public.finish_stage(${fileId}, 'security_scan')`),
      ['shell_file_stages UPDATE'],
    ],
    [
      'what reading learned of a file',
      () => serve(db, sql`update shell_files set page_count = 2, quality_grade = 'good' where id = ${fileId}`),
      ['shell_files UPDATE'],
    ],
    [
      'giving access',
      async () => {
        permissionId = await giveAccess(db, person, friend, person.profileId)
      },
      ['profile_access_permissions INSERT', 'profile_access_permissions UPDATE'],
    ],
    [
      'taking access away',
      () => ask(db, person.actor, sql`select public.revoke_profile_access(${permissionId})`),
      ['profile_access_permissions UPDATE'],
    ],
    [
      'a plan',
      service(sql`select public.set_account_plan(${person.accountId}, 'basic')`),
      ['account_subscriptions INSERT'],
    ],
    [
      'a switch',
      service(sql`update feature_flags set enabled = true where feature_name = 'billing_enabled'`),
      ['feature_flags UPDATE'],
    ],
    [
      'a limit of an outside service',
      service(sql`update api_rate_limits set requests_per_minute = 7 where provider_name = 'openai'`),
      ['api_rate_limits UPDATE'],
    ],
    ['another upload', () => upload(db, person, { content: 'x' }), ['shell_files INSERT']],
    ['the same again', () => upload(db, person, { content: 'x' }), []],
    ['looking', own(sql`select * from shell_files`), []],
  ]
  for (const [name, work, expected] of steps) t.same(await gained(owner, work), expected, name)
})

test('facts are audited by their event, and edits of spokes by themselves', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  const made = await gained(owner, () => fillRecord(db, { id, patientId: person.profileId }))
  t.same(made, [
    'clinical_narratives INSERT',
    'fact_review_decisions INSERT',
    'healthcare_encounters INSERT',
    'manual_review_queue INSERT',
    'patient_clinical_events INSERT',
    'patient_clinical_events INSERT',
  ])
  const edit = () => serve(db, sql`update patient_medications set dose = 'secret dose'`)
  t.same(await gained(owner, edit), ['patient_medications UPDATE'])
  const part = () => serve(db, sql`update patient_observation_components set value_numeric = 2`)
  t.same(await gained(owner, part), ['patient_observation_components UPDATE'])
  const reviewed = () => serve(db, sql`update entity_processing_audit_v2 set review = 'accepted'`)
  t.same(await gained(owner, reviewed), ['entity_processing_audit_v2 UPDATE'])
  const [row] = await owner`
    select new_values, patient_id, compliance_category from audit_log where table_name = 'patient_medications'`
  t.same(row, { new_values: { changed: ['dose'] }, patient_id: person.profileId, compliance_category: 'clinical_data' })
})

test('a row names the actor, the patient, the job and the request', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, carer] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, carer, person.profileId, { level: 'read_write' })
  const byCarer = { ...carer, actor: actorOf(carer.accountId, 'request-7') }
  const { shell_file_id: id, job_id: jobId } = await upload(db, byCarer, { patientId: person.profileId })
  const context = { initiatedBy: carer.accountId, jobId, correlationId: 'request-7' }
  await serve(db, sql`select public.begin_stage(${id}, 'security_scan', '1')`, context)
  const rows = await owner`
    select table_name, record_id, patient_id, changed_by, actor_role, job_id, correlation_id, compliance_category
    from audit_log where correlation_id = 'request-7' order by id`
  t.same(
    [...rows],
    [
      {
        table_name: 'shell_files',
        record_id: id,
        patient_id: person.profileId,
        changed_by: carer.accountId,
        actor_role: 'authenticated',
        job_id: null,
        correlation_id: 'request-7',
        compliance_category: 'document',
      },
      {
        table_name: 'shell_file_stages',
        record_id: `${id}/security_scan`,
        patient_id: person.profileId,
        changed_by: carer.accountId,
        actor_role: 'service_role',
        job_id: jobId,
        correlation_id: 'request-7',
        compliance_category: 'document',
      },
    ],
  )
})

test('the log holds nothing that people or documents say', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db, 'Zebedee Quill')
  await ask(
    db,
    person.actor,
    sql`update user_profiles set full_name = 'Zebedee Quill', date_of_birth = '1961-02-03' where id = ${person.profileId}`,
  )
  const { shell_file_id: id } = await upload(db, person)
  await fillRecord(db, { id, patientId: person.profileId })
  await serve(db, sql`update patient_clinical_events set event_date = '1961-02-03', review = 'edited'`)
  await serve(db, sql`update patient_conditions set name = 'Zebedee Quill', severity = 'Zebedee Quill'`)
  await serve(db, sql`update healthcare_encounters set name = 'Zebedee Quill', provider = 'Zebedee Quill'`)
  const [log] = await owner<{ text: string; rows: string }[]>`
    select string_agg(log::text, ' ') as text, count(*) as rows from audit_log as log`
  t.ok(Number(log?.rows) > 8)
  for (const word of ['Zebedee', '1961', 'letter.pdf', 'words'])
    t.notOk(log?.text.includes(word), `${word} is not in the log`)
})

test('a change that cannot be audited does not happen', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await owner`alter table audit_log add constraint full_disk check (table_name <> 'shell_files') not valid`
  t.equal(await refusal(upload(db, person)), '23514')
  t.equal((await owner`select 1 from shell_files`).length, 0)
  const unknown = sql`select public.log_audit_event('x', '1', 'UPDATE', p_compliance_category => 'system')`
  t.equal(await refusal(serve(db, unknown)), '23514', 'a category that is none is an error, not silence')
  t.equal(await refusal(ask(db, person.actor, sql`select public.log_audit_event('x', '1', 'UPDATE')`)), '42501')
})

test('the owner of a profile reads who decided about a document', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await serve(db, sql`update job_queue set status = 'completed' where shell_file_id = ${id}`)
  const review = await holdForReview(db, id, person.profileId)
  await ask(db, person.actor, sql`select public.decide_identity_review(${review}, 'accepted')`)
  await completeStages(db, id, ['pass2_code'])
  const [row] = await ask(
    db,
    person.actor,
    sql`select changed_by, old_values, new_values - 'decided_at' as new_values from audit_log
        where table_name = 'manual_review_queue' and operation = 'UPDATE'`,
  )
  t.same(row, {
    changed_by: person.accountId,
    old_values: { status: 'pending', decided_at: null, decided_by: null },
    new_values: { status: 'accepted', decided_by: person.accountId },
  })
})

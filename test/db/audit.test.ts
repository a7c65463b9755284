import { randomUUID } from 'node:crypto'
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
    'healthcare_encounters INSERT',
    'manual_review_queue INSERT',
    'patient_clinical_events INSERT',
    'patient_clinical_events INSERT',
  ])
  const edit = () => serve(db, sql`update patient_medications set dose = 'secret dose'`)
  t.same(await gained(owner, edit), ['patient_medications UPDATE'])
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

test('audit rows are not changed, removed or forged, not even by services or the owner', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await signUp(db)
  const [part] = await owner<{ name: string }[]>`select tableoid::regclass::text as name from audit_log limit 1`
  for (const table of ['audit_log', part?.name ?? '', 'audit_seals']) {
    const column = table === 'audit_seals' ? 'chain' : 'reason'
    for (const verb of [`update ${table} set ${column} = 'x'`, `delete from ${table}`, `truncate ${table}`])
      t.equal(await refusal(serve(db, sql.raw(verb))), '42501', `service: ${verb}`)
  }
  await serve(db, sql`select public.seal_audit_log()`)
  const guarded = [
    `update audit_log set reason = 'x'`,
    `update audit_log set row_hash = null, chain_position = null`,
    `delete from audit_log`,
    `truncate audit_log`,
    `truncate ${part?.name}`,
    `delete from ${part?.name}`,
    `update audit_seals set last_hash = ''`,
    `delete from audit_seals`,
  ]
  for (const verb of guarded) t.equal(await refusal(owner.unsafe(verb)), '42501', `owner: ${verb}`)
  const forged = sql`insert into audit_log (table_name, record_id, operation, actor_role) values ('x', 'x', 'INSERT', 'x')`
  t.equal(await refusal(serve(db, forged)), '42501')
})

const verify = (owner: postgres.ISql) =>
  owner<{ partition: string; rows: number; unsealed: number; first_broken: string | null }[]>`
    select partition, rows::int, unsealed::int, first_broken from verify_audit_log()`

test('tampering is found, whatever was done and whoever did it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  for (let i = 0; i < 6; i += 1) await signUp(db)
  await serve(db, sql`select public.seal_audit_log(4)`)
  await serve(db, sql`select public.seal_audit_log()`)
  const [whole] = await verify(owner)
  t.match(whole, { rows: 6, unsealed: 0, first_broken: null })
  const rows = await owner<{ id: string }[]>`select id from audit_log order by chain_position`
  const part = whole?.partition ?? ''
  const at = (position: number) => rows[position - 1]?.id ?? ''

  const attacks: readonly (readonly [string, string, string | null])[] = [
    ['an altered value', `update ${part} set changed_by = null, reason = 'x' where id = '${at(3)}'`, at(3)],
    ['an altered time', `update ${part} set changed_at = changed_at + interval '1 us' where id = '${at(2)}'`, at(2)],
    ['a removed row', `delete from ${part} where id = '${at(3)}'`, at(4)],
    ['the last row removed', `delete from ${part} where id = '${at(6)}'`, at(6)],
    ['the first row removed', `delete from ${part} where id = '${at(1)}'`, at(2)],
    ['everything removed', `delete from ${part}`, at(6)],
    [
      'two rows exchanged',
      `update ${part} set chain_position = 5 - chain_position where id in ('${at(2)}', '${at(3)}')`,
      at(3),
    ],
    [
      'a row slipped in',
      `insert into ${part} (id, table_name, record_id, operation, actor_role, chain_position, row_hash)
       values ('ffffffff-0000-7000-8000-000000000000', 'x', 'x', 'INSERT', 'x', 4, '\\x00')`,
      'ffffffff-0000-7000-8000-000000000000',
    ],
    ['a hash taken off', `update ${part} set row_hash = null where id = '${at(5)}'`, at(5)],
    ['a place taken off', `update ${part} set row_hash = null, chain_position = null where id = '${at(5)}'`, at(6)],
    ['a forged seal', `update audit_seals set last_hash = '\\x00' where last_position = 6`, at(6)],
  ]
  const undo = new Error('undo')
  for (const [name, attack, broken] of attacks) {
    const attempt = owner.begin(async (tx) => {
      await tx.unsafe(`alter table ${part} disable trigger all; alter table audit_seals disable trigger all`).simple()
      await tx.unsafe(attack)
      t.equal((await verify(tx))[0]?.first_broken, broken, name)
      throw undo
    })
    await t.rejects(attempt, undo)
  }
  t.equal((await verify(owner))[0]?.first_broken, null, 'and nothing else is taken for it')
})

test('writers do not wait for each other or for the sealer, and late rows are sealed late', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const [slow, quick] = [ownerSql(t, ownerUrl), ownerSql(t, ownerUrl)]
  const committed = await slow.begin(async (tx) => {
    await tx`select log_audit_event('x', 'slow', 'UPDATE')`
    await tx`set local lock_timeout = '2s'`
    await quick`select log_audit_event('x', 'quick', 'UPDATE')`
    const [sealed] = await quick`select seal_audit_log() as count`
    return sealed?.['count']
  })
  t.equal(committed, 1, 'the row that is not committed yet is left for the next time')
  await Promise.all([serve(db, sql`select public.seal_audit_log()`), serve(db, sql`select public.seal_audit_log()`)])
  const rows = await quick`select record_id, chain_position::int from audit_log order by chain_position`
  t.same(
    [...rows],
    [
      { record_id: 'quick', chain_position: 1 },
      { record_id: 'slow', chain_position: 2 },
    ],
  )
  t.same(
    (await verify(quick)).map((row) => [row.rows, row.unsealed, row.first_broken]),
    [[2, 0, null]],
  )
})

test('sealers at the same time seal each row once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`select log_audit_event('x', n::text, 'UPDATE') from generate_series(1, 400) as n`
  const rounds = await Promise.all(
    Array.from({ length: 4 }, () => serve<{ count: number }>(db, sql`select public.seal_audit_log() as count`)),
  )
  t.equal(
    rounds.flat().reduce((sum, row) => sum + row.count, 0),
    400,
  )
  t.same(
    (await verify(owner)).map((row) => [row.rows, row.unsealed, row.first_broken]),
    [[400, 0, null]],
  )
})

test('verifying does not depend on the reader’s time zone or formats', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await signUp(db)
  await serve(db, sql`select public.seal_audit_log()`)
  await owner.begin(async (tx) => {
    await tx`select set_config('TimeZone', 'Asia/Kathmandu', true), set_config('DateStyle', 'German', true),
      set_config('extra_float_digits', '-5', true), set_config('bytea_output', 'escape', true)`
    t.equal((await verify(tx))[0]?.first_broken, null)
  })
})

test('a month that nobody made a part for is kept, and gets its part', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const parts = () =>
    owner<{ name: string; rows: number }[]>`
      select tableoid::regclass::text as name, count(*)::int as rows from audit_log group by 1 order by 1`
  const write = (at: string) => owner`
    insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
    values ('x', ${randomUUID()}, 'UPDATE', 'x', ${at}::timestamptz)`
  await write('2031-12-31T23:59:59.999999Z')
  await write('2032-01-01T00:00:00Z')
  await write('2019-05-05T00:00:00Z')
  t.same([...(await parts())], [{ name: 'audit_log_default', rows: 3 }])
  await serve(db, sql`select public.seal_audit_log(2)`)

  const [made] = await serve<{ count: number }>(db, sql`select public.ensure_audit_partitions(3) as count`)
  t.equal(made?.count, 3)
  t.same(
    [...(await parts())],
    [
      { name: 'audit_log_2019_05', rows: 1 },
      { name: 'audit_log_2031_12', rows: 1 },
      { name: 'audit_log_2032_01', rows: 1 },
    ],
  )
  await serve(db, sql`select public.seal_audit_log()`)
  t.same(
    (await verify(owner)).map((row) => [row.partition, row.rows, row.unsealed, row.first_broken]),
    ['2019_05', '2031_12', '2032_01'].map((month) => [`audit_log_${month}`, 1, 0, null]),
    'chains go on through the move',
  )
  const [again] = await serve<{ count: number }>(db, sql`select public.ensure_audit_partitions() as count`)
  t.equal(again?.count, 0)

  const open = await owner`
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
      and not (relrowsecurity and relforcerowsecurity)`
  t.same([...open], [], 'every part is protected by itself')
  t.equal(await refusal(serve(db, sql`select * from audit_log_2019_05`)), '42501', 'and cannot be read around the log')
  t.equal(await refusal(owner`truncate audit_log_2019_05`), '42501')
})

test('parts exist months ahead', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const ahead = async () => {
    const [row] = await owner`
      select count(*)::int as parts from pg_class
      where relname ~ '^audit_log_\\d{4}_\\d{2}$' and relkind = 'r'
        and relname >= 'audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM')`
    return row?.['parts']
  }
  t.equal(await ahead(), 4, 'this month and three more')
  await serve(db, sql`select public.ensure_audit_partitions(14)`)
  t.equal(await ahead(), 15)
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

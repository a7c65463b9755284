import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { completeStages, fillRecord, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const setDays = (owner: postgres.Sql, table: string, days: number | null) =>
  owner`update retention_rules set keep_days = ${days} where table_name = ${table}`

test('every table says how long its rows are kept and why, and no rule is about a table that is not there', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const odd = await owner`
    select coalesce(class.relname, rule.table_name) as table
    from (
      select relname from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    ) as class
    full join retention_rules as rule on rule.table_name = class.relname
    where class.relname is null or rule.table_name is null or length(rule.basis) < 20`
  t.same([...odd], [])
  t.equal(await refusal(setDays(owner, 'workers', 0)), '23514')
})

test('what its days are over for goes, in small batches, and what is not over stays', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const { shell_file_id: id } = await upload(db, person)
  await completeStages(db, id, ['security_scan'])
  await owner`insert into processing_errors (shell_file_id, stage, error_type, error_code, error_message, retry_count, created_at)
    select ${id}, 'ocr', 'transient', 'x', 'x', 0, now() - make_interval(days => days) from unnest(array[170, 179, 181, 400]) as days`
  await owner`insert into system_notifications (account_id, kind, subject_id, read_at, created_at)
    select ${person.accountId}, 'export_ready', ${randomUUID()}, read_at, now() - interval '3 years'
    from unnest(array[null, now() - interval '89 days', now() - interval '91 days']) as read_at`
  await owner`insert into slo_alerts (slo, job_lane, goal, fired_at, resolved_at)
    select 'ai_p95_seconds', 'all', 600, now() - interval '3 years', resolved_at
    from unnest(array[null, now() - interval '89 days', now() - interval '91 days']) as resolved_at`
  await owner`insert into failed_audit_events (audit_payload, occurred_at, failure_code, recovered_at, created_at)
    select '{}', now(), 'x', recovered_at, now() - interval '3 years'
    from unnest(array[null, now() - interval '29 days', now() - interval '31 days']) as recovered_at`
  await owner`insert into page_pictures (shell_file_id, page_number, rotation, width_px, mime_type, storage_key, created_at)
    select id, days, 0, 160, 'image/png', days::text, now() - make_interval(days => days)
    from shell_files cross join unnest(array[1, 29, 31, 32]) as days`
  await owner`insert into model_answers (shell_file_id, question_hash, patient_id, job_id, outcome, model_answered, tokens_in, tokens_out, created_at)
    select id, encode(sha256(days::text::bytea), 'hex'), patient_id, gen_random_uuid(), '{}', 'm', 0, 0, now() - make_interval(days => days)
    from shell_files cross join unnest(array[1, 89, 91, 92]) as days`
  await owner`update shell_file_events set created_at = now() - interval '91 days'`
  const events = await owner`select id from shell_file_events order by id`

  const apply = (limit: number) => serve(db, sql`select * from public.apply_retention(${limit})`)
  t.match(await apply(1), [
    { table_name: 'shell_file_events', deleted: 1 },
    { deleted: 1 },
    { deleted: 1 },
    { deleted: 1 },
    { deleted: 1 },
    { deleted: 1 },
    { deleted: 1 },
  ])
  await apply(100)
  t.ok((await apply(100)).every((row) => row['deleted'] === 0))
  t.same(await serve(db, sql`select id from shell_file_events`), [{ id: events.at(-1)?.['id'] }], 'the newest stays')
  for (const [table, kept] of [
    ['processing_errors', 2],
    ['system_notifications', 2],
    ['page_pictures', 2],
    ['model_answers', 2],
    ['slo_alerts', 2],
    ['failed_audit_events', 2],
  ] as const)
    t.equal((await serve(db, sql`select 1 from ${sql.identifier(table)}`)).length, kept, table)

  await setDays(owner, 'processing_errors', null)
  await owner`update processing_errors set created_at = now() - interval '50 years'`
  await apply(100)
  t.equal((await owner`select 1 from processing_errors`).length, 2, 'without a number of days nothing is deleted')
  await setDays(owner, 'processing_errors', 10)
  await apply(100)
  t.equal((await owner`select 1 from processing_errors`).length, 0, 'operators say how many')
})

test('finished jobs and silent workers leave by the same rules', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const ended = await Promise.all(['completed', 'completed', 'dead_letter'].map(() => upload(db, person)))
  for (const [turn, { job_id: id }] of ended.entries())
    await owner`update job_queue
      set status = ${['completed', 'completed', 'dead_letter'][turn] ?? ''}, completed_at = now() - make_interval(days => ${[29, 31, 400][turn] ?? 0})
      where id = ${id}`
  t.same(await serve(db, sql`select public.delete_finished_jobs() as n`), [{ n: 1 }])
  await setDays(owner, 'job_queue', 7)
  t.same(await serve(db, sql`select public.delete_finished_jobs() as n`), [{ n: 1 }])
  t.same(await serve(db, sql`select status from job_queue`), [{ status: 'dead_letter' }])
  await owner`insert into workers (id, host, pid, lanes, concurrency, version, last_seen_at)
    select 'w' || hours, 'h', 1, '{ocr}', 1, '1', now() - make_interval(hours => hours) from unnest(array[23, 25]) as hours`
  t.same(await serve(db, sql`select public.forget_silent_workers() as n`), [{ n: 1 }])
})

test('sessions and proofs of signing in end when nobody can use them any more', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [user] = await owner`insert into login.users (name, email) values ('Robin', 'robin@example.org') returning id`
  await owner`insert into login.sessions (user_id, token, expires_at)
    select ${user?.['id']}, hours || ' h', now() + make_interval(hours => hours) from unnest(array[-48, -2, -1, 1]) as hours`
  await owner`insert into login.verifications (identifier, value, expires_at)
    select 'robin@example.org', hours || ' h', now() + make_interval(hours => hours) from unnest(array[-1, 1]) as hours`
  const end = () => serve(db, sql`select public.delete_expired_logins(2) as n`)
  t.same([await end(), await end(), await end()], [[{ n: 2 }], [{ n: 1 }], [{ n: 0 }]])
  t.same([...(await owner`select token from login.sessions`)], [{ token: '1 h' }])
  t.same([...(await owner`select value from login.verifications`)], [{ value: '1 h' }])
})

test('a document is erased when its days in the bin are over, not before, and not when it was restored', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const ids = await Promise.all([1, 2, 3, 4].map(async () => (await upload(db, person)).shell_file_id))
  const [old = '', older = '', recent = '', inUse = ''] = ids
  for (const id of ids) await fillRecord(db, { id, patientId: person.profileId })
  for (const id of [old, older, recent]) await ask(db, person.actor, sql`select public.delete_shell_file(${id})`)
  for (const [id, days] of [
    [old, 31],
    [older, 90],
    [recent, 29],
  ] as const)
    await owner`update shell_files set deleted_at = now() - make_interval(days => ${days}) where id = ${id}`
  const purge = () => serve(db, sql`select public.purge_deleted_files(1) as n`)
  const left = async () => (await owner`select id from shell_files`).map((row) => String(row['id'])).toSorted()

  t.same(await purge(), [{ n: 1 }])
  t.same(await left(), [old, recent, inUse].toSorted(), 'the oldest first')
  t.same(await purge(), [{ n: 1 }])
  t.same(await purge(), [{ n: 0 }])
  t.same(await left(), [recent, inUse].toSorted())
  t.equal((await owner`select 1 from erased_objects`).length, 2)
  t.equal(await refusal(serve(db, sql`delete from erased_objects`)), '42501', 'a service forgets only by function')
  await setDays(owner, 'shell_files', 7)
  t.same(await purge(), [{ n: 1 }])
  await setDays(owner, 'shell_files', null)
  await ask(db, person.actor, sql`select public.delete_shell_file(${inUse})`)
  t.same(await purge(), [{ n: 0 }])
})

test('whoever restores a document at the moment of its erasure either has it back whole or finds nothing', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const wide = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 10 })
  t.teardown(() => wide.close())
  const person = await signUp(db)
  const ids = await Promise.all(Array.from({ length: 10 }, async () => (await upload(db, person)).shell_file_id))
  for (const id of ids) {
    await fillRecord(db, { id, patientId: person.profileId })
    await ask(db, person.actor, sql`select public.delete_shell_file(${id})`)
  }
  await owner`update shell_files set deleted_at = now() - interval '31 days'`
  const states = await Promise.all([
    ...ids.map((id) => refusal(ask(wide, person.actor, sql`select public.restore_shell_file(${id})`))),
    ...[1, 2, 3].map(() => refusal(serve(wide, sql`select public.purge_deleted_files(4)`))),
  ])
  t.same(
    states.filter((state) => !['allowed', 'P0002'].includes(state)),
    [],
  )
  const torn = await owner`
    select file.id from shell_files as file
    where file.deleted_at is not null
      or not exists (select from patient_clinical_events as event where event.shell_file_id = file.id)
      or exists (select from erased_objects as object where object.storage_key = file.storage_key)`
  const [count] = await owner`
    select (select count(*)::int from shell_files where deleted_at is null) as restored,
      (select count(*)::int from erased_objects) as erased, (select count(*)::int from shell_files where deleted_at is not null) as waiting`
  t.equal(Number(count?.['restored']) + Number(count?.['erased']) + Number(count?.['waiting']), 10)
  t.equal(torn.length, Number(count?.['waiting']))
})

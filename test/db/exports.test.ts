import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const request = (db: Database, by: Account, profileId = by.profileId) =>
  askOne(db, by.actor, sql`select public.request_data_export(${profileId}) as value`)

const begin = (db: Database, id: unknown, key: string) =>
  serve(db, sql`select * from public.begin_data_export(${id}::uuid, ${key})`)
const finish = (db: Database, id: unknown, key: string) =>
  serve(db, sql`select public.finish_data_export(${id}::uuid, ${key}, 12, ${'a'.repeat(64)})`)
const open = (db: Database, by: Account, id: unknown) =>
  ask(db, by.actor, sql`select * from public.open_data_export(${id}::uuid)`)

test('the person and guardians may ask for everything, and nobody else', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const parent = await signUp(db)
  const childId = await makeProfile(db, parent)
  const [guardian, delegate, operator, stranger] = [
    await signUp(db),
    await signUp(db),
    await signUp(db),
    await signUp(db),
  ]
  await giveAccess(db, parent, delegate, childId, { level: 'owner' })
  await giveAccess(db, parent, guardian, childId, { level: 'owner' })
  await owner`update profile_access_permissions set capacity = 'guardian' where account_id = ${guardian.accountId}`
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`

  for (const nobody of [delegate, operator, stranger]) t.equal(await refusal(request(db, nobody, childId)), '42501')
  t.equal(await refusal(request(db, parent, randomUUID())), '42501', 'nor is it said who exists')
  const id = await request(db, guardian, childId)
  t.equal(await request(db, parent, childId), id, 'one is made at a time')

  await begin(db, id, 'key')
  await finish(db, id, 'key')
  for (const nobody of [delegate, operator, stranger]) t.equal(await refusal(open(db, nobody, id)), 'P0002')
  t.match(await open(db, parent, id), [{ status: 'ready', storage_key: 'key' }])
})

test('a hundred requests at once make one export and one job', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const ids = await Promise.all(Array.from({ length: 100 }, () => request(db, person)))
  t.equal(new Set(ids).size, 1)
  t.match(await owner`select job_type, job_lane, job_payload, patient_id, initiated_by from job_queue`, [
    {
      job_type: 'export_record',
      job_lane: 'background',
      job_payload: { export_id: ids[0] },
      patient_id: person.profileId,
      initiated_by: person.accountId,
    },
  ])
})

test('nothing keeps people from what is theirs: no limit, no consent, no restriction', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await upload(db, person, { pages: 1_000 })
  await owner`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  await owner`
    insert into patient_consents (patient_id, purpose, decision, decided_by, capacity)
    values (${person.profileId}, 'data_processing', 'withdrawn', ${person.accountId}, 'self')`
  await owner`update user_profiles set processing_restricted_at = now()`
  t.equal(await refusal(request(db, person)), 'allowed')
})

test('a finished export is told, kept for its days, and audited whenever it is fetched', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await owner`update system_configuration set config_value = '3' where config_key = 'export.keep_days'`
  const id = await request(db, person)
  t.match(await open(db, person, id), [{ status: 'requested' }])
  t.equal(await refusal(finish(db, id, 'key')), '55000', 'what was not begun cannot end')
  t.match(await begin(db, id, 'first'), [{ patient_id: person.profileId, earlier_storage_key: null }])
  t.match(await begin(db, id, 'second'), [{ earlier_storage_key: 'first' }])
  t.equal(await refusal(finish(db, id, 'first')), '55000', 'an attempt that was overtaken ends nothing')
  await finish(db, id, 'second')

  t.match(await owner`select status, expires_at - ready_at = interval '3 days' as kept from data_exports`, [
    { status: 'ready', kept: true },
  ])
  t.match(await ask(db, person.actor, sql`select kind, subject_id from system_notifications`), [
    { kind: 'export_ready', subject_id: id },
  ])
  const fetched = () => owner`
    select changed_by, patient_id from audit_log where table_name = 'data_exports' and operation = 'SELECT'`
  t.same(await fetched(), [], 'looking at how it stands is not fetching')
  await open(db, person, id)
  t.match(await fetched(), [{ changed_by: person.accountId, patient_id: person.profileId }])

  await owner`update data_exports set expires_at = now()`
  t.match(await open(db, person, id), [{ status: 'expired' }])
  t.equal((await fetched()).length, 1)
  t.same(await begin(db, id, 'third'), [], 'and it is not made again')
  t.not(await request(db, person), id, 'but a new one is')
})

test('a new archive takes the place of the one before', async (t) => {
  const { db } = await testDatabase(t)
  const [person, other] = [await signUp(db), await signUp(db)]
  const made = async (by: Account) => {
    const id = await request(db, by)
    await begin(db, id, String(id))
    await finish(db, id, String(id))
    return id
  }
  const [first, others, second] = [await made(person), await made(other), await made(person)]
  t.match(await open(db, person, first), [{ status: 'expired' }])
  t.match(await open(db, person, second), [{ status: 'ready' }])
  t.match(await open(db, other, others), [{ status: 'ready' }])
})

test('an export whose job gave up has failed, and another can be asked for', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const id = await request(db, person)
  const error = JSON.stringify({ code: 'storage_refused', message: 'no' })
  await serve(db, sql`select public.claim_next_job_v3(worker_id => 'w', job_lanes => '{background}')`)
  await serve(db, sql`select public.fail_job(id, 'w', ${error}::text::jsonb, false) from job_queue`)
  t.match(await owner`select status from data_exports`, [{ status: 'failed' }])

  const second = await request(db, person)
  t.not(second, id)
  await serve(db, sql`select public.cancel_job(id) from job_queue where status = 'pending'`)
  t.match(await owner`select status from data_exports where id = ${String(second)}`, [{ status: 'failed' }])
})

test('services make exports by their functions alone', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const id = await request(db, person)
  t.equal(await refusal(serve(db, sql`update data_exports set status = 'ready'`)), '42501')
  t.equal(await refusal(serve(db, sql`select public.request_data_export(${person.profileId})`)), '42501')
  t.equal(await refusal(begin(db, id, 'key')), 'allowed')
  t.equal(await refusal(ask(db, person.actor, sql`select public.begin_data_export(${id}::uuid, 'key')`)), '42501')
  t.equal(await refusal(ask(db, person.actor, sql`select public.account_of_export(${id}::uuid)`)), '42501')
})

import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, offerAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { letClinicianIn, requestClosure } from '../support/purge.ts'

const callOff = (db: Database, by: Account) =>
  askOne(db, by.actor, sql`select public.cancel_account_closure() as value`)

test('asking to close an account shuts others out and stops processing, at once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, delegate, offered, bystander] = [
    await signUp(db),
    await signUp(db),
    await signUp(db),
    await signUp(db),
  ]
  const childId = await makeProfile(db, person)
  await giveAccess(db, person, delegate, person.profileId, { level: 'owner' })
  await offerAccess(db, person, offered, childId)
  await letClinicianIn(owner, await signUp(db), person)
  await upload(db, person)
  await upload(db, bystander)
  await askOne(db, person.actor, sql`select public.request_data_export(${childId}) as value`)

  const closureId = await requestClosure({ db }, person)

  t.match(await ask(db, person.actor, sql`select status, due_at - requested_at as waits from account_closures`), [
    { status: 'requested', waits: '30 days' },
  ])
  t.match(await owner`select revoked_at from profile_access_permissions`, [{ revoked_at: Date }, { revoked_at: Date }])
  t.equal(await askOne(db, delegate.actor, sql`select count(*)::int as value from shell_files`), 0)
  t.match(await owner`select status, revoked_at from patient_provider_access`, [
    { status: 'revoked', revoked_at: Date },
  ])
  t.match(
    await owner`select job_type, status from job_queue where patient_id <> ${bystander.profileId} order by job_type`,
    [
      { job_type: 'export_record', status: 'pending' },
      { job_type: 'security_scan', status: 'cancelled' },
    ],
  )
  t.match(await owner`select status from job_queue where patient_id = ${bystander.profileId}`, [{ status: 'pending' }])
  t.match(await ask(db, person.actor, sql`select processing_restricted_at is not null as is_so from user_profiles`), [
    { is_so: true },
    { is_so: true },
  ])
  t.match(await ask(db, person.actor, sql`select kind, subject_id from system_notifications`), [
    { kind: 'account_closure_requested', subject_id: closureId },
  ])
  t.equal(await askOne(db, person.actor, sql`select count(*)::int as value from shell_files`), 1, 'reading goes on')
  t.equal(
    await refusal(ask(db, person.actor, sql`select public.request_data_export(${person.profileId})`)),
    'allowed',
    'and so does exporting',
  )
})

test('calling it off lets processing go on and gives nobody their access back', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, delegate] = [await signUp(db), await signUp(db)]
  const restrictedId = await makeProfile(db, person)
  await owner`update user_profiles set processing_restricted_at = '2026-01-01' where id = ${restrictedId}`
  await giveAccess(db, person, delegate, person.profileId)
  await upload(db, person)
  t.equal(await callOff(db, person), false, 'there is nothing to call off')
  const closureId = await requestClosure({ db }, person)
  t.equal(await requestClosure({ db }, person), closureId, 'asking again is asking once')
  t.equal(await askOne(db, delegate.actor, sql`select public.cancel_account_closure() as value`), false)
  t.equal(await callOff(db, person), true)
  t.equal(await callOff(db, person), false)

  t.match(await owner`select status, cancelled_at from account_closures`, [{ status: 'cancelled', cancelled_at: Date }])
  t.match(await owner`select revoked_at from profile_access_permissions`, [{ revoked_at: Date }])
  t.match(await owner`select status from job_queue order by created_at`, [
    { status: 'cancelled' },
    { status: 'pending' },
  ])
  t.same(
    [...(await owner`select id from user_profiles where processing_restricted_at is not null`)],
    [{ id: restrictedId }],
    'who had restricted processing before keeps that',
  )
  t.not(await requestClosure({ db }, person), closureId, 'and it can be closed later')
})

test('a hundred requests and cancellations at once leave one state, whole', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, delegate] = [await signUp(db), await signUp(db)]
  await giveAccess(db, person, delegate, person.profileId)
  const calls = Array.from({ length: 100 }, (_, index) =>
    index % 2 === 0 ? requestClosure({ db }, person) : callOff(db, person),
  )
  await Promise.all(calls)

  const closures = await owner`select status, cancelled_at is not null as cancelled from account_closures`
  const open = closures.filter(({ status }) => status === 'requested')
  t.ok(open.length <= 1)
  t.ok(closures.every(({ status, cancelled }) => (status === 'cancelled') === cancelled))
  const [profile] = await owner`select processing_restricted_at from user_profiles where id = ${person.profileId}`
  const [standing] = await owner`select requested_at from account_closures where status = 'requested'`
  t.same(profile?.['processing_restricted_at'] ?? null, standing?.['requested_at'] ?? null)
  t.equal((await owner`select from profile_access_permissions where revoked_at is null`).length, 0)
})

test('closing, calling off, consenting, granting and uploading at once stand in nobody’s way', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, delegate] = [await signUp(db), await signUp(db)]
  const ways: readonly ((turn: number) => Promise<unknown>)[] = [
    () => requestClosure({ db }, person),
    () => callOff(db, person),
    (turn) =>
      askOne(
        db,
        person.actor,
        sql`select public.record_consent(${person.profileId}, 'data_processing', ${turn % 2 === 0 ? 'granted' : 'withdrawn'}) as value`,
      ),
    () => offerAccess(db, person, delegate, person.profileId),
    () => upload(db, person),
  ]
  const calls = Array.from({ length: 100 }, (_, index) => ways[index % ways.length]?.(Math.floor(index / ways.length)))
  const outcomes = await Promise.all(calls.map((call) => refusal(Promise.resolve(call))))
  // Of two offers in the same moment one may find the other there.
  const others = outcomes.filter((_, index) => index % ways.length !== 3)
  t.same([...new Set(others)], ['allowed'])
  t.notOk(outcomes.includes('40P01'), 'and nobody is caught in a circle')

  await requestClosure({ db }, person)
  const jobs = await owner`select from job_queue where status in ('pending', 'processing')`
  t.equal(jobs.length, 0, 'whatever came before, nothing is processed now')
  t.equal((await owner`select from profile_access_permissions where revoked_at is null`).length <= 1, true)
  t.equal((await owner`select from shell_files`).length, 20)
})

test('two closures of one account cannot be open, whoever writes them', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const person = await signUp(db)
  await requestClosure({ db }, person)
  const second = ownerSql(t, ownerUrl)`
    insert into account_closures (account_id, due_at) values (${person.accountId}, now())`
  t.equal(await refusal(second), '23505')
})

test('the waiting period is a setting', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  await owner`update system_configuration set config_value = '14' where config_key = 'closure.waiting_days'`
  await requestClosure({ db }, person)
  t.match(await owner`select due_at - requested_at = interval '14 days' as is_so from account_closures`, [
    { is_so: true },
  ])
})

test('somebody added while the account waits is not processed either', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  await requestClosure({ db }, person)
  const id = await makeProfile(db, person)
  t.equal(
    await askOne(
      db,
      person.actor,
      sql`select processing_restricted_at is not null as value from user_profiles where id = ${id}`,
    ),
    true,
  )
})

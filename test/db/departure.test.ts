import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { ask, askOne, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, upload } from '../support/factories.ts'
import { openHouse } from '../support/house.ts'
import { letClinicianIn, purge, requestClosure } from '../support/purge.ts'
import { usageOf } from '../support/usage.ts'

const makeGuardian = (owner: postgres.Sql, account: Account) =>
  owner`update profile_access_permissions set capacity = 'guardian' where account_id = ${account.accountId}`

test('a child with another guardian goes on with that guardian', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const [parent, guardian, aunt] = [await signUp(db), await signUp(db), await signUp(db)]
  const childId = await makeProfile(db, parent, { displayName: 'Ottilie' })
  const lonelyId = await makeProfile(db, parent, { displayName: 'Without another' })
  await upload(db, parent, { patientId: childId, sizeBytes: 5_000_000 })
  await giveAccess(db, parent, guardian, childId, { level: 'owner' })
  await makeGuardian(owner, guardian)
  await giveAccess(db, guardian, aunt, childId, { level: 'read_only' })
  await giveAccess(db, parent, aunt, lonelyId, { level: 'read_only' })

  const closureId = await requestClosure(house, parent)
  t.match(
    await ask(
      db,
      guardian.actor,
      sql`select kind, patient_id, subject_id from system_notifications where kind = 'account_closure_requested'`,
    ),
    [{ kind: 'account_closure_requested', patient_id: childId, subject_id: closureId }],
  )
  const jobsOfChild = () => owner`select status from job_queue where patient_id = ${childId} order by created_at`
  t.match(await jobsOfChild(), [{ status: 'cancelled' }], 'nothing of it is processed meanwhile')
  t.match(await ask(db, aunt.actor, sql`select id from user_profiles where profile_type = 'child'`), [{ id: childId }])

  await owner`update account_closures set due_at = now()`
  await purge(house, closureId)

  const [child] = await ask(
    db,
    guardian.actor,
    sql`
    select account_owner_id, display_name, erased_at, processing_restricted_at from user_profiles where id = ${childId}`,
  )
  t.match(child, {
    account_owner_id: guardian.accountId,
    display_name: 'Ottilie',
    erased_at: null,
    processing_restricted_at: null,
  })
  t.equal(await askOne(db, guardian.actor, sql`select count(*)::int as value from shell_files`), 1)
  t.match(await jobsOfChild(), [{ status: 'cancelled' }, { status: 'pending' }], 'and what waited goes on')
  t.match(await ask(db, aunt.actor, sql`select id from user_profiles where profile_type = 'child'`), [{ id: childId }])
  t.match(await owner`select display_name from user_profiles where id = ${lonelyId}`, [{ display_name: 'Erased' }])
  t.match(await owner`select evidence -> 'profiles_handed_over' as count from account_closures`, [{ count: 1 }])
  const { usage } = await usageOf(db, guardian)
  t.equal(usage.shell_files.used, 0, 'what was uploaded before is not the guardian’s to pay')
  t.equal(await refusal(ask(db, guardian.actor, sql`select public.request_data_export(${childId})`)), 'allowed')
})

test('when both guardians close their accounts, the child goes with the second', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const [first, second] = [await signUp(db), await signUp(db)]
  const childId = await makeProfile(db, first)
  await giveAccess(db, first, second, childId, { level: 'owner' })
  await makeGuardian(owner, second)
  const [firstClosure, secondClosure] = [await requestClosure(house, first), await requestClosure(house, second)]
  await owner`update account_closures set due_at = now()`

  await purge(house, firstClosure)
  t.match(await owner`select account_owner_id, processing_restricted_at from user_profiles where id = ${childId}`, [
    { account_owner_id: second.accountId, processing_restricted_at: Date },
  ])
  await purge(house, secondClosure)
  t.match(await owner`select account_owner_id, display_name from user_profiles where id = ${childId}`, [
    { account_owner_id: null, display_name: 'Erased' },
  ])
})

test('a clinician whom a patient let in leaves the name in the registry, another leaves nothing', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const [patient, known, unknown] = [await signUp(db), await signUp(db), await signUp(db)]
  await letClinicianIn(owner, known, patient)
  await owner`
    insert into provider_registry (account_id, display_name, profession, registration_authority, registration_number)
    values (${unknown.accountId}, 'Dr Unseen', 'nurse', 'AHPRA', 'MED7')`
  for (const clinician of [known, unknown]) {
    const closureId = await requestClosure(house, clinician)
    await owner`update account_closures set due_at = now()`
    await purge(house, closureId)
  }
  t.match(
    await owner`select display_name, registration_number, account_id, verification_status from provider_registry order by 1`,
    [
      { display_name: 'Dr Known', registration_number: 'MED1', account_id: null, verification_status: 'suspended' },
      { display_name: 'Erased', registration_number: 'Erased', account_id: null, verification_status: 'suspended' },
    ],
  )
  t.match(await owner`select status from patient_provider_access`, [{ status: 'revoked' }])
})

test('an erased account is not made again, by whatever token', async (t) => {
  const house = await openHouse(t)
  const { db, owner } = house
  const person = await signUp(db)
  const closureId = await requestClosure(house, person)
  await owner`update account_closures set due_at = now()`
  await serve(db, sql`select public.begin_account_purge(${closureId})`)
  t.equal(await refusal(requestClosure(house, person)), 'EX410', 'nor while it is being erased')
  t.equal(await refusal(ask(db, person.actor, sql`select public.cancel_account_closure()`)), 'EX410')
  t.equal(await refusal(makeProfile(db, person)), 'EX410')
  await purge(house, closureId)

  const again = serve(db, sql`select public.provision_account(${person.accountId}, 'x@example.test', 'Back')`)
  t.equal(await refusal(again), 'EX410')
  t.equal(await refusal(makeProfile(db, person)), 'EX410')
  t.equal(await refusal(requestClosure(house, person)), 'EX410')
  t.equal((await owner`select from user_profiles where account_owner_id is not null`).length, 0)
  t.equal((await owner`select from auth.users`).length, 0)
})

import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { wideCastOf } from '../support/cast.ts'
import { accessOf, approveAccess, breakGlass, clinicianOf, requestAccess } from '../support/clinicians.ts'
import { giveAccess, makeProfile, offerAccess } from '../support/factories.ts'
import type { GrantFields } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const asGuardian: GrantFields = { level: 'owner', capacity: 'guardian' }
const end = (db: Database, by: Account, permissionId: string) =>
  refusal(ask(db, by.actor, sql`select public.revoke_profile_access(${permissionId})`))
const mayRead = (db: Database, account: Account, profileId: string) =>
  askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${profileId}) as value`)

test('guardians are made by those who decide for a child or a dependent, and by nobody else', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, secondGuardian, delegates, stranger, clinicians, operators } = await wideCastOf(
    db,
    ownerSql(t, ownerUrl),
  )
  const aunt = await signUp(db, 'Aunt')
  const make = (by: Account, profileId = childId, fields: GrantFields = {}) =>
    refusal(offerAccess(db, by, aunt, profileId, { ...asGuardian, ...fields }))

  for (const by of [delegates.owner, delegates.full_access, delegates.read_only, stranger])
    t.equal(await make(by), '42501', 'a delegate of any level')
  for (const by of [clinicians.approved_writing, operators.broken_glass]) t.equal(await make(by), '42501')
  t.equal(await make(guardian, childId, { level: 'full_access' }), '22023', 'a guardian is never half of one')
  t.equal(await make(guardian, guardian.profileId), '22023', 'nobody is the guardian of a grown-up with an account')
  t.equal(await make(guardian, await makeProfile(db, guardian, { profileType: 'pet' })), '22023')
  t.equal(await make(guardian, childId, { capacity: 'king' }), '22023')
  t.equal(await make(guardian, await makeProfile(db, guardian, { profileType: 'dependent' })), 'allowed')
  t.equal(await make(secondGuardian), 'allowed', 'guardians make guardians')
  t.equal(await make(secondGuardian, childId, { level: 'read_only', capacity: 'delegate' }), 'allowed')
})

test('a delegate, of whatever level, neither ends nor replaces a guardian', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const { childId, guardian, secondGuardian, delegates } = await wideCastOf(db, owner)
  const grandmother = await signUp(db, 'Grandmother')
  const hers = await giveAccess(db, secondGuardian, grandmother, childId, asGuardian)
  const [row] = await owner`
    select id from profile_access_permissions where account_id = ${secondGuardian.accountId} and revoked_at is null`
  const theirs = String(row?.['id'])

  for (const delegate of [delegates.owner, delegates.full_access]) {
    t.equal(await end(db, delegate, theirs), '42501')
    for (const level of ['read_only', 'full_access', 'owner'])
      t.equal(await refusal(offerAccess(db, delegate, secondGuardian, childId, { level })), '42501')
  }
  t.equal(await end(db, delegates.read_write, theirs), 'P0002', 'who manages nothing does not learn of it')
  t.equal(await end(db, grandmother, theirs), '42501', 'nor does a guardian whom they made')
  t.equal(await refusal(offerAccess(db, grandmother, secondGuardian, childId, { level: 'read_only' })), '42501')
  t.equal(await mayRead(db, secondGuardian, childId), true)

  t.equal(await end(db, secondGuardian, hers), 'allowed', 'who made a guardian ends it')
  t.equal(await end(db, guardian, theirs), 'allowed', 'the account that owns the profile ends any')
  t.equal(await mayRead(db, secondGuardian, childId), false)
})

test('a guardian leaves, and takes along what the guardian gave', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const [father, nurse] = [await signUp(db, 'Father'), await signUp(db, 'Nurse')]
  const his = await giveAccess(db, guardian, father, childId, asGuardian)
  await giveAccess(db, father, nurse, childId)
  t.equal(await mayRead(db, nurse, childId), true)
  t.equal(await end(db, father, his), 'allowed')
  t.equal(await mayRead(db, nurse, childId), false)
})

test('guardians let clinicians in, delegates may not, and nobody for longer than they are guardian', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, secondGuardian, delegates } = await wideCastOf(db, ownerSql(t, ownerUrl))
  const clinician = await clinicianOf(db, guardian)
  await requestAccess(db, clinician, childId)
  const request = await accessOf(db, clinician, childId)
  const offered = await signUp(db, 'Asked to be a guardian')
  await offerAccess(db, guardian, offered, childId, asGuardian)
  const foster = await signUp(db, 'Foster parent')
  await giveAccess(db, guardian, foster, childId, { ...asGuardian, endsAt: 'tomorrow' })

  t.equal(await refusal(approveAccess(db, delegates.owner, request)), '42501', 'an owner by delegation')
  t.equal(await refusal(approveAccess(db, offered, request)), 'P0002', 'an offer is not guardianship')
  const nextWeek = new Date(Date.now() + 7 * 86_400_000).toISOString()
  t.equal(await refusal(approveAccess(db, foster, request, { endsAt: nextWeek })), '42501')
  t.equal(await refusal(approveAccess(db, secondGuardian, request, { endsAt: nextWeek })), 'allowed')
  t.equal(await mayRead(db, clinician, childId), true)
  const [consent] = await serve(
    db,
    sql`select decision, capacity, decided_by from patient_consents
        where patient_id = ${childId} and purpose = 'provider_access' order by id limit 1`,
  )
  t.same(consent, { decision: 'granted', capacity: 'guardian', decided_by: guardian.accountId })
})

test('guardians are told what concerns the child, delegates are not', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, secondGuardian, delegates, operators, clinicians } = await wideCastOf(
    db,
    ownerSql(t, ownerUrl),
  )
  const told = async (account: Account) =>
    await ask(
      db,
      account.actor,
      sql`select kind, count(*)::int as times from system_notifications
          where patient_id = ${childId} and kind <> 'access_offered' group by kind order by kind`,
    )
  await breakGlass(db, operators.without_glass, childId)
  await requestAccess(db, clinicians.expired, childId)
  const both = await told(guardian)
  t.match(both, [{ kind: 'break_glass_used', times: 2 }, { kind: 'provider_access_requested' }])
  t.same(await told(secondGuardian), both, 'both parents alike')
  for (const other of [delegates.owner, delegates.full_access, operators.without_glass, clinicians.approved_all])
    t.same(await told(other), [])
})

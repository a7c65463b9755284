import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { anonymous, ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { giveAccess, makeProfile, offerAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

test('access is given by managers, never more than they hold, and never to oneself', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const friend = await signUp(db, 'Friend')
  const grant = (by: Account, to: Account, level: string, endsAt: string | null = null) =>
    refusal(offerAccess(db, by, to, childId, { level, endsAt }))

  t.equal(await grant(stranger, stranger, 'owner'), '42501', 'a stranger to itself')
  t.equal(await grant(delegates.read_only, delegates.read_only, 'owner'), '42501', 'a delegate to itself')
  t.equal(await grant(delegates.read_write, friend, 'read_only'), '42501', 'write access is not managing')
  t.equal(await grant(delegates.offered, friend, 'read_only'), '42501', 'an offer is not access')
  t.equal(await grant(delegates.expired, friend, 'read_only'), '42501')
  t.equal(await grant(delegates.full_access, friend, 'owner'), '42501', 'more than it holds')
  t.equal(await grant(delegates.full_access, delegates.owner, 'read_only'), '42501', 'pushing down an owner')
  t.equal(await grant(delegates.full_access, friend, 'everything'), '42501', 'a level that is none')
  t.equal(await grant(guardian, guardian, 'owner'), '22023')
  t.equal(await grant(delegates.full_access, friend, 'full_access'), 'allowed')

  const carer = await signUp(db, 'Carer')
  await giveAccess(db, guardian, carer, childId, { level: 'full_access', endsAt: 'tomorrow' })
  t.equal(await grant(carer, friend, 'read_only'), '42501', 'longer than it holds')
  t.equal(await grant(carer, friend, 'read_only', 'tomorrow'), 'allowed', 'as long as it holds')
})

test('an offer is accepted by its grantee alone, and left at will', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const mayRead = (account: Account) =>
    askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${childId}) as value`)
  const offer = await offerAccess(db, guardian, stranger, childId)
  const accept = sql`select public.accept_profile_access(${offer})`
  t.equal(await refusal(ask(db, delegates.owner.actor, accept)), 'P0002')
  t.equal(await mayRead(stranger), false)
  await ask(db, stranger.actor, accept)
  t.equal(await mayRead(stranger), true)

  const end = sql`select public.revoke_profile_access(${offer})`
  t.equal(await refusal(ask(db, delegates.read_write.actor, end)), 'P0002', 'not a manager')
  await ask(db, stranger.actor, end)
  t.equal(await mayRead(stranger), false)
  t.equal(await refusal(ask(db, stranger.actor, accept)), 'P0002', 'what is revoked stays revoked')
})

test('questions about somebody else are answered with no', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { childId, guardian, delegates, stranger } = await castOf(db, ownerSql(t, ownerUrl))
  const questions = (accountId: string) => [
    sql`select public.has_profile_access(${accountId}, ${childId}) as value`,
    sql`select public.has_profile_access_level(${accountId}, ${childId}, 'read_only') as value`,
    sql`select public.has_semantic_data_access(${accountId}, ${childId}, 'clinical') as value`,
  ]
  for (const question of questions(guardian.accountId)) {
    t.equal(await askOne(db, guardian.actor, question), true)
    t.equal(await askOne(db, stranger.actor, question), false, 'no oracle for strangers')
    t.equal(await askOne(db, delegates.owner.actor, question), false, 'nor for delegates')
    t.equal(await refusal(ask(db, anonymous, question)), '42501', 'nor for nobody')
    t.same(await serve(db, question), [{ value: true }])
  }
  for (const question of questions(stranger.accountId)) t.equal(await askOne(db, stranger.actor, question), false)
  const level = (account: Account, required: string | null) =>
    askOne(
      db,
      account.actor,
      sql`select public.has_profile_access_level(${account.accountId}, ${childId}, ${required}) as value`,
    )
  t.equal(await level(delegates.read_write, 'read_write'), true)
  t.equal(await level(delegates.read_write, 'full_access'), false)
  t.equal(await level(guardian, 'everything'), false)
  t.equal(await level(guardian, null), false)
  const kind = sql`select public.has_semantic_data_access(${guardian.accountId}, ${childId}, 'unheard_of') as value`
  t.equal(await askOne(db, guardian.actor, kind), false)
})

test('access runs between its dates, and dates that cannot be are refused', async (t) => {
  const { db } = await testDatabase(t)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  const childId = await makeProfile(db, mother)
  const give = (startsAt: string, endsAt: string | null) =>
    refusal(giveAccess(db, mother, carer, childId, { startsAt, endsAt }))
  const mayRead = () =>
    askOne(db, carer.actor, sql`select public.has_profile_access(${carer.accountId}, ${childId}) as value`)

  t.equal(await give('2000-01-02', '2000-01-03'), '23514', 'over before it was given')
  t.equal(await give('now', 'yesterday'), '23514')
  t.equal(await give('tomorrow', 'today'), '23514', 'an end before the beginning')
  t.equal(await give('tomorrow', null), 'allowed')
  t.equal(await mayRead(), false, 'accepted, but not begun')
  t.equal(await refusal(offerAccess(db, carer, await signUp(db), childId)), '42501')
  t.equal(await give('2000-01-02', 'tomorrow'), 'allowed')
  t.equal(await mayRead(), true)
  const [live] = await serve(
    db,
    sql`select starts_at >= granted_at as begun_when_given from profile_access_permissions where revoked_at is null`,
  )
  t.same(live, { begun_when_given: true }, 'nobody is made to have had access before')
})

test('offers are told to whom they are made, and to nobody who does not exist', async (t) => {
  const { db } = await testDatabase(t)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  const offer = await offerAccess(db, mother, carer, mother.profileId)
  const told = sql`select kind, patient_id, subject_id from system_notifications`
  t.same(await ask(db, carer.actor, told), [
    { kind: 'access_offered', patient_id: mother.profileId, subject_id: offer },
  ])
  t.same(await ask(db, mother.actor, told), [])
  const nobody = { ...carer, accountId: randomUUID() }
  t.equal(await refusal(offerAccess(db, mother, nobody, mother.profileId)), '22023', 'as for oneself')
})

test('what somebody gave ends with what they held', async (t) => {
  const { db } = await testDatabase(t)
  const [mother, manager] = [await signUp(db, 'Mother'), await signUp(db, 'Manager')]
  const [helper, friend, cousin] = [await signUp(db, 'Helper'), await signUp(db, 'Friend'), await signUp(db, 'Cousin')]
  const childId = await makeProfile(db, mother)
  const readers = async () => {
    const may = (account: Account) =>
      askOne(db, account.actor, sql`select public.has_profile_access(${account.accountId}, ${childId}) as value`)
    return { helper: await may(helper), friend: await may(friend) }
  }
  const setUp = async () => {
    const managing = await giveAccess(db, mother, manager, childId, { level: 'full_access' })
    await giveAccess(db, manager, helper, childId, { level: 'full_access' })
    await giveAccess(db, helper, friend, childId)
    return { managing, offer: await offerAccess(db, manager, cousin, childId) }
  }
  const accept = (offer: string) => refusal(ask(db, cousin.actor, sql`select public.accept_profile_access(${offer})`))
  const leave = (permissionId: string) =>
    ask(db, manager.actor, sql`select public.revoke_profile_access(${permissionId})`)

  const first = await setUp()
  t.same(await readers(), { helper: true, friend: true })
  await ask(db, mother.actor, sql`select public.revoke_profile_access(${first.managing})`)
  t.same(await readers(), { helper: false, friend: false }, 'down to the last')
  t.equal(await accept(first.offer), 'P0002', 'an offer of somebody who has lost the right does not open')

  const second = await setUp()
  await giveAccess(db, mother, manager, childId, { level: 'owner' })
  t.same(await readers(), { helper: true, friend: true }, 'raised, they could give it still')
  t.equal(await accept(second.offer), 'allowed')
  await giveAccess(db, mother, manager, childId, { level: 'read_write' })
  t.same(await readers(), { helper: false, friend: false }, 'lowered, they could not')

  const third = await setUp()
  await giveAccess(db, mother, manager, childId, { level: 'full_access', endsAt: 'tomorrow' })
  t.same(await readers(), { helper: false, friend: false }, 'nor for longer than they hold it')
  t.equal(await accept(third.offer), 'P0002')

  const fourth = await setUp()
  await leave(fourth.managing)
  t.same(await readers(), { helper: false, friend: false }, 'leaving is losing')
})

test('delegates do what their level says, whatever they were called', async (t) => {
  const { db } = await testDatabase(t)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  const attempts = async () => ({
    read: await askOne(
      db,
      carer.actor,
      sql`select public.has_profile_access(${carer.accountId}, ${mother.profileId}) as value`,
    ),
    upload: await refusal(upload(db, carer, { patientId: mother.profileId })),
    manage: await refusal(offerAccess(db, carer, await signUp(db), mother.profileId)),
  })
  t.same(await attempts(), { read: false, upload: '42501', manage: '42501' })
  await giveAccess(db, mother, carer, mother.profileId, { level: 'read_only' })
  t.same(await attempts(), { read: true, upload: '42501', manage: '42501' })
  await giveAccess(db, mother, carer, mother.profileId, { level: 'read_write' })
  t.same(await attempts(), { read: true, upload: 'allowed', manage: '42501' })
  await giveAccess(db, mother, carer, mother.profileId, { level: 'full_access' })
  t.same(await attempts(), { read: true, upload: 'allowed', manage: 'allowed' })
  await giveAccess(db, mother, carer, mother.profileId, { level: 'full_access', startsAt: 'tomorrow' })
  t.same(await attempts(), { read: false, upload: '42501', manage: '42501' }, 'not before it begins')
})

import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { anonymous, ask, askOne, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { castOf } from '../support/cast.ts'
import { giveAccess, offerAccess } from '../support/factories.ts'
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

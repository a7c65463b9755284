import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, makeProfile, offerAccess } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'

/** Enough connections that what is asked at once runs at once. */
function wideDatabase(t: Teardown, appUrl: string): Database {
  const db = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 20 })
  t.teardown(() => db.close())
  return db
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index)

test('many offers to one person at once leave one', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const db = wideDatabase(t, appUrl)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  const childId = await makeProfile(db, mother)
  const states = await Promise.all(times(20).map(() => refusal(offerAccess(db, mother, carer, childId))))
  t.same(new Set(states), new Set(['allowed']), 'nobody is told of an index')
  const [left] = await ownerSql(t, ownerUrl)`
    select count(*)::int as rows, count(*) filter (where revoked_at is null)::int as live from profile_access_permissions`
  t.same(left, { rows: 20, live: 1 })
})

test('an offer that is accepted and withdrawn at once is open or withdrawn, never both', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const db = wideDatabase(t, appUrl)
  const [mother, carer] = [await signUp(db, 'Mother'), await signUp(db, 'Carer')]
  for (const _ of times(10)) {
    const childId = await makeProfile(db, mother)
    const offer = await offerAccess(db, mother, carer, childId)
    const [accepted, withdrawn] = await Promise.all([
      refusal(ask(db, carer.actor, sql`select public.accept_profile_access(${offer})`)),
      refusal(ask(db, mother.actor, sql`select public.revoke_profile_access(${offer})`)),
    ])
    t.equal(withdrawn, 'allowed')
    t.ok(['allowed', 'P0002'].includes(accepted), accepted)
    const mayRead = sql`select public.has_profile_access(${carer.accountId}, ${childId}) as value`
    t.equal(await askOne(db, carer.actor, mayRead), false)
  }
  const [left] = await ownerSql(t, ownerUrl)`
    select count(*)::int as live from profile_access_permissions where revoked_at is null`
  t.same(left, { live: 0 })
})

test('what a manager gives while being dismissed ends with the dismissal', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const db = wideDatabase(t, appUrl)
  const [mother, manager, friend] = [await signUp(db), await signUp(db), await signUp(db)]
  for (const _ of times(10)) {
    const childId = await makeProfile(db, mother)
    const managing = await giveAccess(db, mother, manager, childId, { level: 'full_access' })
    const [given] = await Promise.all([
      refusal(offerAccess(db, manager, friend, childId)),
      ask(db, mother.actor, sql`select public.revoke_profile_access(${managing})`),
    ])
    t.ok(['allowed', '42501'].includes(given), given)
  }
  const [left] = await ownerSql(t, ownerUrl)`
    select count(*)::int as live from profile_access_permissions where revoked_at is null`
  t.same(left, { live: 0 })
})

test('a hundred people giving, taking and leaving at once tear nothing', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const db = wideDatabase(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  const mother = await signUp(db, 'Mother')
  const childId = await makeProfile(db, mother)
  const managers = await Promise.all(times(4).map(() => signUp(db)))
  const grantees = await Promise.all(times(5).map(() => signUp(db)))
  for (const manager of managers) await giveAccess(db, mother, manager, childId, { level: 'full_access' })
  const pick = <T>(from: readonly T[], index: number): T => from[index % from.length] as T
  const newestOf = (account: Account) => sql`
    select id from profile_access_permissions
    where account_id = ${account.accountId} order by granted_at desc, id desc limit 1`

  const attempt = (index: number) => {
    const round = Math.floor(index / 5)
    const grantee = pick(grantees, round)
    const manager = pick([mother, mother, ...managers], round)
    const level = pick(['read_only', 'read_write', 'full_access'], index)
    switch (index % 5) {
      case 0:
      case 1:
        return offerAccess(db, manager, grantee, childId, { level })
      case 2:
        return ask(db, grantee.actor, sql`select public.accept_profile_access((${newestOf(grantee)}))`)
      case 3:
        return ask(db, manager.actor, sql`select public.revoke_profile_access((${newestOf(grantee)}))`)
      default:
        // Managers come and go meanwhile, and with them what they gave.
        return round % 3 === 0
          ? ask(db, mother.actor, sql`select public.revoke_profile_access((${newestOf(pick(managers, round))}))`)
          : giveAccess(db, mother, pick(managers, round), childId, { level: 'full_access' })
    }
  }
  const states = await Promise.all(times(100).map((index) => refusal(attempt(index))))
  t.same(
    [...new Set(states)].filter((state) => !['allowed', 'P0002', '42501'].includes(state)),
    [],
  )
  t.ok(states.filter((state) => state === 'allowed').length > 20, 'much of it was done')
  t.ok(states.includes('P0002') || states.includes('42501'), 'and some of it came too late')

  const torn = await owner`
    select account_id from profile_access_permissions where revoked_at is null group by account_id having count(*) > 1`
  t.same(torn, [], 'one live row per person')
  const orphans = await owner`
    select given.id from profile_access_permissions as given
    where given.revoked_at is null
      and given.granted_by <> ${mother.accountId}
      and not exists (
        select from profile_access_permissions as held
        where held.account_id = given.granted_by and held.revoked_at is null
          and held.permission_level in ('full_access', 'owner'))`
  t.same(orphans, [], 'nobody holds what was given by somebody who has lost it')
  const [changes] = await owner`
    select count(*) + count(accepted_at) + count(revoked_at) as value from profile_access_permissions`
  const [audited] = await owner`
    select count(*) as value from audit_log where table_name = 'profile_access_permissions'`
  t.equal(audited?.['value'], changes?.['value'], 'as many rows of the audit as changes')
})

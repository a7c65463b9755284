import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { ask, ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

test('an account gets one self profile with an id of its own, however often it is provisioned', async (t) => {
  const { db } = await testDatabase(t)
  const accountId = randomUUID()
  const provision = sql`select public.provision_account(${accountId}, 'ann@example.test', 'Ann') as id`
  const rows = await Promise.all(Array.from({ length: 10 }, () => serve<{ id: string }>(db, provision)))
  const ids = new Set(rows.flat().map((row) => row.id))
  t.equal(ids.size, 1)
  t.notOk(ids.has(accountId))
  const profiles = await serve(db, sql`select profile_type, relationship, display_name from user_profiles`)
  t.same(profiles, [{ profile_type: 'self', relationship: 'self', display_name: 'Ann' }])
})

test('a name that is no name does not keep anybody out', async (t) => {
  const { db } = await testDatabase(t)
  for (const name of ['', '   ', null, 'x'.repeat(500)]) {
    await serve(db, sql`select public.provision_account(${randomUUID()}, null, ${name})`)
  }
  const names = await serve(db, sql`select display_name, length(display_name) as length from user_profiles order by 2`)
  t.match(names, [{ display_name: 'Me' }, { display_name: 'Me' }, { display_name: 'Me' }, { length: 200 }])
})

test('signing up with an embedded account makes the profile in the same transaction', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const login = postgres(appUrl, { max: 1 })
  t.teardown(() => login.end())
  const [user] = await login<{ id: string }[]>`
    insert into login.users (name, email) values ('Ann', 'ann@example.test') returning id`
  const [profile] = await owner`
    select account_owner_id, display_name from user_profiles where account_owner_id = ${user?.id ?? ''}`
  t.match(profile, { display_name: 'Ann' })
  t.equal((await owner`select 1 from auth.users where id = ${user?.id ?? ''}`).length, 1)

  const failing = login.begin(async (tx) => {
    await tx`insert into login.users (name, email) values ('Bob', 'bob@example.test')`
    throw new Error('the request broke off')
  })
  await t.rejects(failing)
  t.equal((await owner`select 1 from user_profiles where display_name = 'Bob'`).length, 0)
})

test('an account and a profile can never have one id', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const { accountId } = await signUp(db)
  const insert = ownerSql(t, ownerUrl)`
    insert into user_profiles (id, account_owner_id, profile_type, display_name)
    values (${accountId}, ${accountId}, 'child', 'X')`
  t.equal(await refusal(insert), '23514')
})

test('a profile lives in a time zone that exists', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const move = (zone: string) =>
    refusal(ask(db, person.actor, sql`update user_profiles set time_zone = ${zone} where id = ${person.profileId}`))
  for (const zone of ['Australia/Perth', 'America/Argentina/Buenos_Aires', 'UTC', 'Etc/GMT+10'])
    t.equal(await move(zone), 'allowed', zone)
  for (const zone of ['Mars/Olympus', '', '+10:00', 'Australia/Sydney; drop table x', '<+10>-10'])
    t.equal(await move(zone), '23514', zone)
})

import { test } from 'tap'
import { ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { policies, shortRule } from './policies.ts'
import { tables } from './tables.ts'

test('each policy of the database is in the list, word for word, and the list has no other', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const found = await ownerSql(t, ownerUrl)<
    { name: string; verb: string; roles: string; qual: string | null; check: string | null }[]
  >`
    select tablename::text as name, lower(cmd) as verb, roles::text, qual, with_check as check
    from pg_policies where schemaname = 'public' and policyname <> 'service'`
  for (const { name, verb, roles, qual, check } of found) {
    t.equal(roles, '{authenticated}', `${verb} ${name} is for accounts`)
    if (verb === 'update') t.equal(qual, check, `${name}: what was there and what is written are asked alike`)
  }
  const listed = policies.flatMap(({ verb, rule, on }) => on.map((name) => `${verb} ${name}: ${rule}`))
  t.same(
    found.map(({ name, verb, qual, check }) => `${verb} ${name}: ${shortRule(check ?? qual ?? '')}`).toSorted(),
    listed.toSorted(),
    'test/db/matrix/policies.ts',
  )
})

test('besides, services and the owner are let through everywhere, and only they', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = new URL(ownerUrl).username
  const found = await ownerSql(t, ownerUrl)<{ name: string; cmd: string; roles: string[] }[]>`
    select tablename::text as name, cmd, roles::text[] as roles from pg_policies
    where schemaname = 'public' and policyname = 'service'`
  for (const { name, cmd, roles } of found)
    t.same([cmd, roles.toSorted()], ['ALL', [owner, 'service_role'].toSorted()], name)
  const names = new Set(found.map(({ name }) => name))
  t.same(
    Object.keys(tables).filter((name) => !name.startsWith('login.') && !names.has(name)),
    [],
  )
})

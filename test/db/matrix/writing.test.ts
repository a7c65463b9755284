import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { anonymous, ask, ownerSql, refusal } from '../../support/actors.ts'
import type { Account } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { actorsOf, matrixCast } from './cast.ts'
import { probe } from './probe.ts'
import type { Answers } from './probe.ts'
import { tables } from './tables.ts'

const verbs = ['insert', 'update', 'delete', 'truncate'] as const
type Verb = (typeof verbs)[number]

/** Statements that touch no row and still need the right: what is asked is whether the verb is open at all. */
async function attempts(owner: postgres.Sql) {
  const columns = await owner<{ name: string; columns: string[] }[]>`
    select case when table_schema = 'login' then 'login.' else '' end || table_name as name,
      array_agg(column_name::text order by ordinal_position) as columns
    from information_schema.columns where table_schema in ('public', 'login') group by 1`
  const columnsOf = new Map(columns.map((row) => [row.name, row.columns]))
  const statements = (name: string): Record<Verb, string> => ({
    insert: `insert into ${name} overriding system value select (null::${name}).* where false`,
    update: `update ${name} set ${(columnsOf.get(name) ?? []).map((column) => `"${column}" = default`).join(', ')} where false`,
    delete: `delete from ${name} where false`,
    truncate: `truncate ${name}`,
  })
  return Object.keys(tables).flatMap((table) =>
    verbs.map((verb) => ({ table, verb, name: `${verb} ${table}`, statement: statements(table)[verb] })),
  )
}

const opened = (answers: Answers) =>
  Object.entries(answers)
    // 428C9: a generated column was named, which is checked after the right to write.
    .filter(([, { state }]) => state !== '42501')
    .map(([name]) => name)
    .toSorted()

test('no client writes a table, whoever they are, but for profiles of their own', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const probes = await attempts(owner)
  for (const [name, actor] of [...actorsOf(cast), ['anon', anonymous] as const])
    t.same(opened(await asActor(db, actor, (tx) => probe(tx, probes))), [], name)

  const granted = await owner`
    select table_name || ' ' || privilege_type || ' ' || column_name as value
    from information_schema.column_privileges
    where grantee = 'authenticated' and table_schema = 'public' and privilege_type <> 'SELECT'
    order by 1`
  t.same(
    granted.map((row) => row['value']),
    [
      ...[
        'account_owner_id',
        'date_of_birth',
        'display_name',
        'full_name',
        'locale',
        'profile_type',
        'relationship',
        'time_zone',
      ].map((column) => `user_profiles INSERT ${column}`),
      ...['date_of_birth', 'display_name', 'full_name', 'locale', 'relationship', 'time_zone'].map(
        (column) => `user_profiles UPDATE ${column}`,
      ),
    ],
    'columns that clients may name',
  )
})

test('of a profile only the account that owns it changes anything', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const cast = await matrixCast(db, ownerSql(t, ownerUrl))
  const { childId } = cast
  for (const [name, actor] of actorsOf(cast)) {
    const renamed = await ask(
      db,
      actor,
      sql`update user_profiles set display_name = 'Named' where id = ${childId} returning id`,
    )
    t.equal(renamed.length, name === 'guardian' ? 1 : 0, `${name} renames the child`)
    const removed = ask(db, actor, sql`delete from user_profiles where id = ${childId}`)
    t.equal(await refusal(removed), '42501', `${name} removes the child`)
  }
  const { stranger, guardian } = cast.accounts
  t.equal(await addProfile(db, stranger, guardian.accountId, 'child'), '42501', 'a profile for somebody else')
  t.equal(await addProfile(db, stranger, stranger.accountId, 'self'), '42501', 'a second self')
  t.equal(await addProfile(db, stranger, stranger.accountId, 'pet'), 'allowed')
})

const addProfile = (db: Database, by: Account, owner: string, type: string) =>
  refusal(
    ask(
      db,
      by.actor,
      sql`insert into user_profiles (account_owner_id, profile_type, display_name) values (${owner}, ${type}, 'X')`,
    ),
  )

test('services write what stages produce, and neither evidence nor what is derived', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const probes = await attempts(owner)
  const answers = await asService(db, {}, (tx) => probe(tx, probes))
  const expected = Object.entries(tables).flatMap(([table, { service }]) =>
    service === 'closed'
      ? []
      : service.filter((verb) => verb !== 'update of columns').map((verb) => `${verb} ${table}`),
  )
  t.same(opened(answers), expected.toSorted())
  const [some] = await owner`
    select array_agg(column_name::text order by column_name) as columns from information_schema.column_privileges
    where grantee = 'service_role' and table_name = 'shell_files' and privilege_type = 'UPDATE'`
  t.same(some?.['columns'], [
    'document_class',
    'document_date',
    'locale',
    'page_count',
    'quality_grade',
    'review_state',
    'updated_at',
  ])

  const reads = Object.keys(tables).map((name) => ({ name, statement: `select 'x' from ${name}` }))
  const read = await asService(db, {}, (tx) => probe(tx, reads))
  const closed = Object.entries(tables).filter(([, { service }]) => service === 'closed')
  t.same(
    Object.keys(tables)
      .filter((name) => read[name]?.state === '42501')
      .toSorted(),
    closed.map(([name]) => name).toSorted(),
    'and read everything else',
  )
})

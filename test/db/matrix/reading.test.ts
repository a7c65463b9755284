import type postgres from 'postgres'
import { test } from 'tap'
import { asActor } from '../../../db/actor.ts'
import { anonymous, ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { actors } from './actors.ts'
import { actorsOf, matrixCast } from './cast.ts'
import { probe } from './probe.ts'
import { tables, views } from './tables.ts'

type Row = { readonly key: string; readonly patient: string | null; readonly account: string | null }

test('every table and view is decided about', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const relations = await ownerSql(t, ownerUrl)<{ name: string; is_view: boolean }[]>`
    select
      case when relnamespace = 'login'::regnamespace then 'login.' else '' end || relname as name,
      relkind in ('v', 'm') as is_view
    from pg_class
    where relnamespace in ('public'::regnamespace, 'login'::regnamespace)
      and relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition`
  const names = (kind: boolean) => relations.filter((row) => row.is_view === kind).map((row) => row.name)
  t.same(names(false).toSorted(), Object.keys(tables).toSorted(), 'test/db/matrix/tables.ts has a line for each table')
  t.same(names(true).toSorted(), Object.keys(views).toSorted(), 'and for each view')
})

test('everybody sees of a child exactly what the matrix says, and of anybody else nothing', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const readable = Object.entries({ ...tables, ...views }).filter(
    ([, { kind }]) => kind !== 'internal' && kind !== 'login',
  )
  const all = new Map(await Promise.all(readable.map(async ([name]) => [name, await rowsOf(owner, name)] as const)))
  for (const [name, { kind }] of readable)
    t.ok(
      kind === 'everybody' ||
        kind === 'registry' ||
        kind === 'account' ||
        all.get(name)?.some((row) => row.patient === cast.childId),
      `${name} has something of the child, or nothing would be tried`,
    )

  const column = async (query: postgres.PendingQuery<postgres.Row[]>) =>
    new Set((await query).map((row) => String(row['value'])))
  const verified = await column(owner`select id as value from provider_registry where verification_status = 'verified'`)
  const operators = await column(owner`select account_id as value from account_roles where role = 'operator'`)
  const probes = readable.map(([name]) => ({ name, statement: `select ${keyOf(name)} from ${name}` }))
  for (const [actorName, actor] of actorsOf(cast)) {
    const { sees } = actors[actorName]
    const { accountId } = cast.accounts[actorName]
    const own = cast.ownProfiles(actorName)
    const answers = await asActor(db, actor, (tx) => probe(tx, probes))
    for (const [name, { kind }] of readable) {
      const isVisible = (row: Row) => {
        if (kind === 'everybody') return true
        if (row.account === accountId) return true
        if (kind === 'registry' && (verified.has(row.key) || operators.has(accountId))) return true
        if (row.patient === null) return false
        const needed = kind === 'registry' ? 'clinician access' : kind
        return own.includes(row.patient) || (row.patient === cast.childId && sees.some((seen) => seen === needed))
      }
      const expected = new Set((all.get(name) ?? []).filter(isVisible).map((row) => row.key))
      const { state, rows } = answers[name] ?? { state: 'not tried' }
      t.same([state, ...sorted(rows ?? [])], ['00000', ...sorted(expected)], `${actorName}: ${name}`)
    }
  }
})

const sorted = (keys: Iterable<string | null>) => [...keys].map(String).toSorted()

async function rowsOf(owner: postgres.Sql, name: string): Promise<Row[]> {
  // A clinician has dealings with many patients: a row for each.
  if (name === 'provider_registry')
    return await owner<Row[]>`
    select provider.id::text as key, access.patient_id::text as patient, provider.account_id::text as account
    from provider_registry as provider
    left join patient_provider_access as access on access.provider_id = provider.id`
  const spec = tables[name] ?? { ...views[name], account: null }
  const rows = await owner.unsafe<Row[]>(
    `select ${keyOf(name)} as key, (${spec.patient ?? 'null'})::text as patient, (${spec.account ?? 'null'})::text as account from ${name}`,
  )
  return [...rows]
}

/** What tells the rows of a table apart, among the columns that clients may read. */
function keyOf(name: string): string {
  if (name === 'provider_registry' || name in views) return 'id::text'
  return `tableoid::regclass::text || ctid::text`
}

test('who has no token, and the bare login, may name nothing', async (t) => {
  const { db } = await testDatabase(t)
  const probes = [...Object.keys(tables), ...Object.keys(views)].map((name) => ({
    name,
    statement: `select 'x' from ${name}`,
  }))
  const asAnon = await asActor(db, anonymous, (tx) => probe(tx, probes))
  const bare = await db.drizzle.transaction((tx) => probe(tx, probes))
  for (const { name } of probes) {
    t.equal(asAnon[name]?.state, '42501', `anon on ${name}`)
    const isLogin = tables[name]?.kind === 'login'
    t.equal(bare[name]?.state, isLogin ? '00000' : '42501', `the bare login on ${name}`)
  }
})

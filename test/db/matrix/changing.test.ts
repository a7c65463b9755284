import type postgres from 'postgres'
import { test } from 'tap'
import { asActor, asService } from '../../../db/actor.ts'
import { anonymous, ownerSql } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { actorsOf, matrixCast } from './cast.ts'
import type { MatrixCast } from './cast.ts'
import { probe } from './probe.ts'
import type { Answers, Probe } from './probe.ts'
import { tables } from './tables.ts'

// Rows of the child that are really there: each is inserted once more, changed and removed, by everybody.

const verbs = ['insert', 'update', 'delete'] as const
type Verb = (typeof verbs)[number]
type Target = {
  readonly name: string
  readonly where: string
  readonly columns: readonly string[]
  readonly row: string
}

/** Where clients may name some columns, a row is written with those alone. */
const clientColumns = {
  insert: ['account_owner_id', 'profile_type', 'display_name', 'full_name', 'date_of_birth', 'time_zone', 'locale'],
  update: ['display_name'],
} as const

async function targets(owner: postgres.Sql, { childId, accounts }: MatrixCast): Promise<Target[]> {
  const columns = await owner<{ name: string; columns: string[] }[]>`
    select case when nspname = 'login' then 'login.' else '' end || relname as name,
      array_agg(attname::text order by attnum) as columns
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('public', 'login') and attnum > 0 and not attisdropped and attidentity <> 'a' and attgenerated = ''
    group by 1`
  const columnsOf = new Map(columns.map((row) => [row.name, row.columns]))
  return await Promise.all(
    Object.entries(tables).map(async ([name, { patient, account }]) => {
      const whose = patient ?? account
      const id = patient === null ? accounts.guardian.accountId : childId
      const where = whose === null ? '' : `where ${whose} = '${id}'`
      const [found] = await owner.unsafe<{ row: string }[]>(
        `select to_jsonb(copied)::text as row from ${name} as copied ${where} limit 1`,
      )
      return { name, where, columns: columnsOf.get(name) ?? [], row: found?.row ?? '{}' }
    }),
  )
}

function statementsOn(
  { name, where, columns, row }: Target,
  who: 'client' | 'service',
): Readonly<Record<Verb, string>> {
  const isProfile = who === 'client' && name === 'user_profiles'
  const inserted = (isProfile ? clientColumns.insert : columns).map((column) => `"${column}"`).join(', ')
  // Services may change some columns of a file; this is one of them.
  const changed = isProfile ? clientColumns.update[0] : name === 'shell_files' ? 'review_state' : (columns.at(-1) ?? '')
  return {
    insert: `insert into ${name} (${inserted}) select ${inserted}
      from jsonb_populate_record(null::${name}, '${row.replaceAll("'", "''")}')`,
    update: `update ${name} set "${changed}" = "${changed}" ${where}`,
    delete: `delete from ${name} ${where}`,
  }
}

const probesOn = (found: readonly Target[], who: 'client' | 'service'): Probe[] =>
  found.flatMap((target) =>
    verbs.map((verb) => ({ name: `${verb} ${target.name}`, statement: statementsOn(target, who)[verb] })),
  )

/** A row was touched, or would have been but for its key or what hangs off it: nothing of access stood in the way. */
const changed = (answers: Answers) =>
  Object.entries(answers)
    .filter(([, { state, rows }]) => (state === '00000' && rows?.[0] !== '0') || state.startsWith('23'))
    .map(([name]) => name)
    .toSorted()

/** Neither touched nor refused for want of the right: of this there should be nothing to tell. */
const odd = (answers: Answers) =>
  Object.entries(answers)
    .filter(([, { state }]) => !['00000', '42501'].includes(state) && !state.startsWith('23'))
    .map(([name, { state, message }]) => `${name}: ${state} ${message}`)

test('no row of a child is added, changed or removed by any client, but its profile by the account it belongs to', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const found = await targets(owner, cast)
  const empty = found.filter(({ name, row }) => row === '{}' && tables[name]?.patient !== null)
  t.same(
    empty.map(({ name }) => name),
    [],
    'of each table there is a row of the child to try',
  )

  const probes = probesOn(found, 'client')
  for (const [name, actor] of [...actorsOf(cast), ['anon', anonymous] as const]) {
    const answers = await asActor(db, actor, (tx) => probe(tx, probes))
    const expected = name === 'guardian' ? ['insert user_profiles', 'update user_profiles'] : []
    t.same([changed(answers), odd(answers)], [expected, []], name)
  }
  const bare = await db.drizzle.transaction((tx) => probe(tx, probes))
  t.same(
    changed(bare).filter((name) => !name.includes('login.')),
    [],
    'the bare login',
  )
})

test('services change of a child what stages produce, and nothing else', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const cast = await matrixCast(db, owner)
  const found = (await targets(owner, cast)).filter(({ row }) => row !== '{}')
  const answers = await asService(db, {}, (tx) => probe(tx, probesOn(found, 'service')))
  const expected = found.flatMap(({ name }) => {
    const service = tables[name]?.service ?? 'closed'
    return service === 'closed' ? [] : service.map((verb) => `${verb.replace(' of columns', '')} ${name}`)
  })
  t.same([changed(answers), odd(answers)], [expected.toSorted(), []])
})

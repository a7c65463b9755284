import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { z } from 'zod'
import { ownerSql } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { migrationTags } from '../support/released-states.ts'

const repository = join(import.meta.dirname, '../..')
const migrations = join(repository, 'db/migrations')

test('the tables in TypeScript have their migrations: drizzle-kit would write no other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'exora-generate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const copy = join(folder, 'migrations')
  cpSync(migrations, copy, { recursive: true })
  const config = join(folder, 'drizzle.config.ts')
  const real = JSON.stringify(join(repository, 'drizzle.config.ts'))
  // It takes `out` for a path below the folder that it runs in.
  const out = JSON.stringify(relative(repository, copy))
  writeFileSync(config, `import real from ${real}\nexport default { ...real, out: ${out} }\n`)

  const kit = join(repository, 'node_modules/.bin/drizzle-kit')
  // Where it cannot tell a new column from a renamed one it asks; here nobody answers, and the time runs out.
  const { stdout } = await promisify(execFile)(kit, ['generate', `--config=${config}`], {
    cwd: repository,
    timeout: 30_000,
  })
  t.match(stdout, /No schema changes/)
  t.same(readdirSync(copy).toSorted(), readdirSync(migrations).toSorted())
})

const named = z.record(z.string(), z.object({ name: z.string() }))
const model = z.object({
  tables: z.record(
    z.string(),
    z.object({
      name: z.string(),
      schema: z.string(),
      columns: z.record(
        z.string(),
        z.object({ name: z.string(), type: z.string(), notNull: z.boolean(), default: z.unknown().optional() }),
      ),
      indexes: named,
      foreignKeys: named,
      uniqueConstraints: named,
      checkConstraints: named,
    }),
  ),
})

test('the migrations make what drizzle-kit believes that they make, also where they were edited by hand', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const newest = migrationTags.at(-1)?.slice(0, 4) ?? ''
  const { tables } = model.parse(JSON.parse(readFileSync(join(migrations, `meta/${newest}_snapshot.json`), 'utf8')))
  const believed = Object.values(tables).flatMap((table) => {
    const name = `${table.schema || 'public'}.${table.name}`
    const rules = [table.indexes, table.foreignKeys, table.uniqueConstraints, table.checkConstraints]
    return [
      ...Object.values(table.columns).map(
        (column) =>
          `${name}.${column.name} ${plain(column.type)}${column.notNull ? ' not null' : ''}${column.default === undefined ? '' : ' default'}`,
      ),
      // PostgreSQL cuts longer names.
      ...rules.flatMap((rule) => Object.values(rule).map((entry) => `${name}: ${entry.name.slice(0, 63)}`)),
    ]
  })

  const columns = await owner<{ line: string }[]>`
    select format('%s.%s.%s %s%s%s', nspname, relname, attname,
      replace(format_type(atttypid, atttypmod), 'time without time zone', 'time'),
      case when attnotnull then ' not null' end, case when atthasdef then ' default' end) as line
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('public', 'login') and relkind in ('r', 'p') and not relispartition and attnum > 0 and not attisdropped`
  const rules = await owner<{ line: string }[]>`
    select format('%s.%s: %s', schemaname, tablename, indexname) as line from pg_indexes
    where schemaname in ('public', 'login') and indexname !~ '_pkey$'
      and not exists (
        select from pg_class where relname = tablename and relnamespace = schemaname::regnamespace and relispartition
      )
    union
    select format('%s.%s: %s', nspname, relname, conname)
    from pg_constraint
    join pg_class on pg_class.oid = conrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('public', 'login') and contype in ('f', 'u', 'c') and not relispartition`
  t.ok(believed.length > 500)
  t.same([...columns, ...rules].map(({ line }) => line).toSorted(), believed.toSorted())
})

/** `timestamp (6) with time zone` and `numeric(12, 6)` as PostgreSQL writes them. */
function plain(type: string): string {
  return type.replace(' (', '(').replace(', ', ',')
}

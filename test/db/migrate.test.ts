import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { test } from 'tap'
import { migrate } from '../../db/migrate.ts'
import { emptyDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'

const repository = join(import.meta.dirname, '../..')

test('an empty database is brought up once, also by three who start together', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const results = await Promise.all([migrate(ownerUrl), migrate(ownerUrl), migrate(ownerUrl)])
  t.equal(results.filter((result) => result.migrations > 0).length, 1)
  t.equal(results.filter((result) => result.sqlFiles.length > 0).length, 1)
  t.same(await migrate(ownerUrl), { migrations: 0, sqlFiles: [] }, 'and then there is nothing left to do')
})

test('what a host has set for its logins neither moves the tables nor ends a long migration', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const folders = copyOf(t, { '20-long.sql': 'select pg_sleep(0.2);' })
  await query(ownerUrl, (sql) =>
    sql.unsafe(`
      do $$ begin execute format('create schema %I', current_user); end $$;
      alter database ${new URL(ownerUrl).pathname.slice(1)} set statement_timeout = '100ms';`),
  )
  await migrate(ownerUrl, folders)
  const made = await query(
    ownerUrl,
    (sql) => sql`select count(*)::int as tables from pg_tables where schemaname = current_user`,
  )
  t.same([...made], [{ tables: 0 }])
})

test('what a dump brought of another cluster is visible like everything else, once the migration ran', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  await migrate(ownerUrl)
  const future = await query(
    ownerUrl,
    (sql) => sql`
      with account as (insert into auth.users (id) values (gen_random_uuid()) returning id)
      insert into system_notifications (account_id, kind, subject_id, written_by)
      select id, 'export_ready', id, written_by::xid8 from account, unnest(array['3', '900000000000']) as written_by
      returning written_by::text`,
  )
  t.equal(future.length, 2)
  await migrate(ownerUrl)
  const seen = await query(
    ownerUrl,
    (sql) => sql`
      select pg_visible_in_snapshot(written_by, pg_current_snapshot()) as is_visible, written_by::text = '3' as is_old
      from system_notifications order by is_old`,
  )
  t.same(
    [...seen],
    [
      { is_visible: true, is_old: false },
      { is_visible: true, is_old: true },
    ],
  )
})

test('ids sort in the order of their making, on servers before 18 as well', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  await migrate(ownerUrl)
  const source = readFileSync(join(repository, 'db/sql/00-roles.sql'), 'utf8')
  const older = /select encode\([\s\S]*?\)::uuid/.exec(source)?.[0] ?? ''
  const made = await query(ownerUrl, (sql) =>
    sql.unsafe<{ id: string }[]>(`select public.uuid_v7()::text as id union all select (${older})::text`),
  )
  t.equal(made.length, 2)
  for (const { id } of made) {
    t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const ageMs = Date.now() - Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    t.ok(Math.abs(ageMs) < 60_000, 'begins with the time')
  }
})

test('when a SQL file changes, it and all after it run again, and none before', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const folders = copyOf(t, { '20-a.sql': 'select 1;', '30-b.sql': 'select 2;', '40-c.sql': 'select 3;' })
  await migrate(ownerUrl, folders)
  writeFileSync(join(folders.sqlFolder, '30-b.sql'), 'select 22;')
  t.same(await migrate(ownerUrl, folders), { migrations: 0, sqlFiles: ['30-b.sql', '40-c.sql'] })
})

test('while a long transaction holds a table, a migration lets the others through and gets its turn in the end', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  await migrate(ownerUrl)
  const folders = copyOf(t, { '99-late.sql': 'lock table public.job_queue in access exclusive mode;' })
  const release = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const report = query(ownerUrl, (sql) =>
    sql.begin(async (tx) => {
      await tx`select count(*) from public.job_queue`
      held.resolve()
      await release.promise
    }),
  )
  await held.promise
  let isMigrated = false
  const migrating = migrate(ownerUrl, { ...folders, lockTimeoutMs: 50 }).then((result) => {
    isMigrated = true
    return result
  })
  await query(ownerUrl, async (sql) => {
    await eventually(async () => {
      const waiting = await sql`
        select from pg_stat_activity
        where application_name = 'exora-migrate' and datname = current_database() and wait_event_type = 'Lock'`
      if (waiting.length === 0) throw new Error('the migration does not wait yet')
    })
    await sql`insert into public.job_queue (job_type, job_lane, job_name, job_payload) values ('ocr', 'fast_queue', 'ocr', '{}')`
  })
  t.notOk(isMigrated, 'the report still runs')
  release.resolve()
  await report
  t.match(await migrating, { sqlFiles: ['99-late.sql'] })
})

test('a file that fails is named with its line, and nothing of the run remains', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const folders = copyOf(t, { '20-a.sql': 'create table half (n int);\n\nselect nonsense;' })
  await t.rejects(migrate(ownerUrl, folders), { message: /^20-a\.sql, line 3: column "nonsense" does not exist/ })
  const [left] = await query(
    ownerUrl,
    (sql) => sql`select to_regclass('public.half') as half, to_regclass('public.user_profiles') as tables`,
  )
  t.same(left, { half: null, tables: null })
})

test('a migration that was edited after it had run is refused', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const folders = copyOf(t, {})
  await migrate(ownerUrl, folders)
  const first = join(folders.migrationsFolder, `${journalOf(folders.migrationsFolder)[0]}.sql`)
  writeFileSync(first, `${readFileSync(first, 'utf8')}\n-- later`)
  await t.rejects(migrate(ownerUrl, folders), { message: /was edited after it had been applied here/ })
})

/** The real foundations and migrations with other SQL files after them. */
function copyOf(t: { teardown(work: () => unknown): unknown }, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'exora-migrate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [migrationsFolder, sqlFolder] = [join(folder, 'migrations'), join(folder, 'sql')]
  cpSync(join(repository, 'db/migrations'), migrationsFolder, { recursive: true })
  mkdirSync(sqlFolder)
  cpSync(join(repository, 'db/sql/00-roles.sql'), join(sqlFolder, '00-roles.sql'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(sqlFolder, name), text)
  return { migrationsFolder, sqlFolder }
}

function journalOf(folder: string): string[] {
  const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))
  return journal.entries.map((entry) => entry.tag)
}

async function query<T>(url: string, work: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

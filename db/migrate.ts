import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import postgres from 'postgres'
import { backoffMs } from '../platform/backoff.ts'
import { wait } from '../platform/wait.ts'

export type MigrateOptions = {
  /** Tests give folders of their own. */
  readonly migrationsFolder?: string
  readonly sqlFolder?: string
  readonly lockTimeoutMs?: number
}

export type MigrateResult = { readonly migrations: number; readonly sqlFiles: readonly string[] }

type SqlFile = { readonly name: string; readonly text: string; readonly checksum: string }

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const migrateLock = 7_306_003

/**
 * Brings a database to the current state, as its owner. Everything happens in one transaction under one lock: any
 * number of starters may call this at once, and one that is interrupted leaves nothing behind.
 *
 * Order: SQL files numbered below 10 (what tables stand on), the generated migrations, the other SQL files.
 * A SQL file runs again when it has changed, and so do all after it, since functions lean on each other; all run again
 * when the login of server and workers has been made since.
 *
 * Server and workers go on meanwhile. Whatever waits for a lock that a long transaction holds keeps everybody behind
 * it waiting, so a migration that does not get one within seconds gives up what it has and begins again a little later.
 */
export async function migrate(ownerUrl: string, options: MigrateOptions = {}): Promise<MigrateResult> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await migrateOnce(ownerUrl, options)
    } catch (error) {
      if (tries === maxTries || !isLockTimeout(error)) throw error
      await wait(backoffMs(tries, { baseMs: 500, maxMs: 10_000 }))
    }
  }
}

// Some minutes in all.
const maxTries = 30
const defaultLockTimeoutMs = 5_000

const isLockTimeout = (error: unknown): boolean =>
  (error instanceof postgres.PostgresError && error.code === '55P03') ||
  (error instanceof Error && error.cause !== undefined && isLockTimeout(error.cause))

async function migrateOnce(ownerUrl: string, options: MigrateOptions): Promise<MigrateResult> {
  const files = await readSqlFiles(options.sqlFolder ?? here('./sql'))
  const migrations = readMigrationFiles({ migrationsFolder: options.migrationsFolder ?? here('./migrations') })
  const sql = postgres(ownerUrl, {
    max: 1,
    prepare: false,
    onnotice: () => {},
    connection: { application_name: 'exora-migrate' },
  })
  try {
    return await sql.begin(async (tx) => {
      await tx.unsafe(ownSession)
      // Another migration is waited for, however long it takes; nobody waits behind us for that.
      await tx`select pg_advisory_xact_lock(${migrateLock})`
      await tx`select set_config('lock_timeout', ${String(options.lockTimeoutMs ?? defaultLockTimeoutMs)}, true)`
      await tx.unsafe(ledgers)
      const due = await dueSqlFiles(tx, files)
      const before = due.filter((file) => isFoundation(file))
      await applySqlFiles(tx, before)
      const applied = await applyMigrations(tx, migrations)
      // A changed table may be what a function was checked against.
      const after = (applied > 0 ? files : due).filter((file) => !isFoundation(file))
      await applySqlFiles(tx, after)
      await tx.unsafe(adoptRestored).simple()
      return { migrations: applied, sqlFiles: [...before, ...after].map((file) => file.name) }
    })
  } finally {
    await sql.end({ timeout: 5 })
  }
}

// Whatever the host has set for this login: limits that are meant for requests would end a long migration, and the
// generated statements name no schema, so that one called like the login would get the tables.
const ownSession = `
  set local search_path = public;
  set local statement_timeout = 0;
  set local lock_timeout = 0;
  set local idle_in_transaction_session_timeout = 0;
`

// The second is drizzle's own ledger, in its own shape, so that its tools agree with us.
const ledgers = `
  create schema if not exists exora_internal;
  create table if not exists exora_internal.sql_files (
    name text constraint sql_files_pkey primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  );
  create schema if not exists drizzle;
  create table if not exists drizzle.__drizzle_migrations (
    id serial primary key,
    hash text not null,
    created_at bigint
  );
`

// Always: a dump brings the ledgers with it, so nothing else need be due where it was restored (39-realtime.sql).
const adoptRestored = `
  do $$
  begin
    if to_regprocedure('public.adopt_restored_events()') is not null then
      perform public.adopt_restored_events();
    end if;
  end
  $$
`

const isFoundation = (file: SqlFile) => Number.parseInt(file.name, 10) < 10

async function readSqlFiles(folder: string): Promise<SqlFile[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+-.*\.sql$/.test(name)).toSorted()
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

async function dueSqlFiles(tx: postgres.TransactionSql, files: readonly SqlFile[]): Promise<readonly SqlFile[]> {
  const rows = await tx<{ name: string; checksum: string }[]>`select name, checksum from exora_internal.sql_files`
  const known = new Map(rows.map((row) => [row.name, row.checksum]))
  if (await hasUngrantedLogin(tx)) return files
  const firstChanged = files.findIndex((file) => known.get(file.name) !== file.checksum)
  return firstChanged === -1 ? [] : files.slice(firstChanged)
}

/** A login that was made after the last migration: it lacks what the first file grants to it, and the rest. */
async function hasUngrantedLogin(tx: postgres.TransactionSql): Promise<boolean> {
  const found = await tx`
    select from pg_roles
    where rolname = 'exora_app' and has_function_privilege(oid, to_regprocedure('public.uuid_v7()'), 'execute') is not true`
  return found.length > 0
}

async function applySqlFiles(tx: postgres.TransactionSql, files: readonly SqlFile[]): Promise<void> {
  for (const file of files) {
    await tx.unsafe(file.text).simple().catch(inFile(file.name))
    await tx`
      insert into exora_internal.sql_files (name, checksum)
      values (${file.name}, ${file.checksum})
      on conflict (name) do update set checksum = excluded.checksum, applied_at = now()`
  }
}

async function applyMigrations(
  tx: postgres.TransactionSql,
  migrations: ReturnType<typeof readMigrationFiles>,
): Promise<number> {
  const rows = await tx<{ hash: string; createdAt: string }[]>`
    select hash, created_at as "createdAt" from drizzle.__drizzle_migrations`
  const known = new Map(rows.map((row) => [Number(row.createdAt), row.hash]))
  let applied = 0
  for (const migration of migrations) {
    const hash = known.get(migration.folderMillis)
    if (hash === migration.hash) continue
    const name = `migration of ${new Date(migration.folderMillis).toISOString()}`
    if (hash !== undefined) throw new Error(`The ${name} was edited after it had been applied here.`)
    await tx.unsafe(migration.sql.join('\n')).simple().catch(inFile(name))
    await tx`
      insert into drizzle.__drizzle_migrations (hash, created_at)
      values (${migration.hash}, ${migration.folderMillis})`
    applied += 1
  }
  return applied
}

/** Says where: the server's own message names neither the file nor the line. */
function inFile(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof postgres.PostgresError)) throw error
    const before = error.position ? error.query?.slice(0, Number(error.position)) : undefined
    const line = before === undefined ? '' : `, line ${before.split('\n').length}`
    throw new Error(`${name}${line}: ${error.message}`, { cause: error })
  }
}

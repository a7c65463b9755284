import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { embeddedHome, readConnectionFile } from '../db/embedded/connection-file.ts'
import { startEmbedded } from '../db/embedded/start.ts'

/** Where something that is measured keeps what it has. */
export type Place = {
  /** Of its own database, or of the Redis server; `app` is the login that may only use it. */
  readonly owner: string
  readonly app: string
  /** Null where no PostgreSQL is behind it. */
  readonly database: string | null
}

/** The product's own PostgreSQL, durable as shipped, for all contenders; each gets a database. */
export type Server = {
  readonly superuser: postgres.Sql
  readonly settings: Readonly<Record<string, string>>
  createPlace(name: string): Promise<Place>
  /** As above row level security, in a database of `createPlace`. */
  superuserIn(place: Place, connections: number): postgres.Sql
  /** Dirty pages of what was before are not written during what is measured next. */
  settle(place: Place, tables: readonly string[]): Promise<void>
  close(): Promise<void>
}

export async function startServer(): Promise<Server> {
  const dataDir = await mkdtemp(join(tmpdir(), 'exora-bench-'))
  const embedded = await startEmbedded({ dataDir })
  const connection = readConnectionFile(embeddedHome(dataDir))
  if (connection === null) throw new Error('the embedded database has left no connection file')
  const superuserUrl = onPortOf(embedded.urls.owner, connection.superuser)
  const superuser = connect(inDatabase(superuserUrl, 'postgres'))
  const admin = connect(inDatabase(embedded.urls.owner, 'postgres'))
  return {
    superuser,
    settings: await settingsOf(superuser),
    async createPlace(name) {
      await admin.unsafe(`create database ${name}`)
      return { owner: inDatabase(embedded.urls.owner, name), app: inDatabase(embedded.urls.app, name), database: name }
    },
    superuserIn: ({ database }, connections) => connect(inDatabase(superuserUrl, database ?? 'postgres'), connections),
    async settle({ database }, tables) {
      if (database !== null) {
        const sql = connect(inDatabase(superuserUrl, database))
        for (const table of tables) await sql.unsafe(`vacuum (analyze) ${table}`)
        await sql.end()
      }
      await superuser`checkpoint`
    },
    async close() {
      await Promise.all([superuser.end(), admin.end()])
      await embedded.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const connect = (url: string, max = 1) => postgres(url, { max, onnotice: () => {} })

async function settingsOf(sql: postgres.Sql): Promise<Record<string, string>> {
  const rows = await sql<{ name: string; setting: string }[]>`
    select name, current_setting(name) as setting from pg_settings
    where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers')`
  const settings = Object.fromEntries(rows.map((row) => [row.name, row.setting]))
  if (settings['fsync'] !== 'on' || settings['synchronous_commit'] !== 'on')
    throw new Error('commits must reach the disk')
  return settings
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function onPortOf(url: string, other: string): string {
  const changed = new URL(other)
  changed.port = new URL(url).port
  return changed.href
}

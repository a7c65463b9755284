import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { embeddedHome, readConnectionFile } from '../../db/embedded/connection-file.ts'
import { readPidFile } from '../../db/embedded/process-of.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { databaseError, databaseUnavailable } from '../../db/errors.ts'
import { migrate } from '../../db/migrate.ts'
import { wait } from '../../platform/wait.ts'

/** A PostgreSQL of the soak's own, with its ledger, which can be stopped and comes back by itself. */
export type Place = {
  readonly appUrl: string
  /** As the service, for what the soak itself sends and asks. */
  readonly db: Database
  /** As the owner, for single statements. */
  readonly owner: postgres.Sql
  /** Returns when it answers again; how long it did not. */
  restart(mode: 'fast' | 'immediate'): Promise<number>
  /** Everything that the server wrote down, over all its starts. */
  readLog(): Promise<readonly string[]>
  close(): Promise<void>
}

export async function openPlace(folder: string): Promise<Place> {
  const embedded = await startEmbedded({ dataDir: folder })
  const home = embeddedHome(folder)
  const cluster = join(home, 'cluster')
  await migrate(embedded.urls.owner)
  await writeLogs(home)

  const db = openDatabase({ url: embedded.urls.app, applicationName: 'soak', max: 6 })
  // Types are not asked for: to lose a connection while they are would end this process.
  const owner = postgres(embedded.urls.owner, {
    max: 2,
    fetch_types: false,
    onnotice: () => {},
    backoff: () => 0.2,
    connection: { application_name: 'soak-owner' },
  })

  async function restart(mode: 'fast' | 'immediate'): Promise<number> {
    const startedAt = performance.now()
    const before = await readPidFile(cluster)
    if (before === null) throw new Error('the server has no process')
    process.kill(before.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    for (;;) {
      const now = await readPidFile(cluster)
      if (now !== null && now.pid !== before.pid && (await answers(owner))) return performance.now() - startedAt
      await wait(20)
    }
  }

  await restart('fast')
  await owner.unsafe(await readFile(join(import.meta.dirname, 'ledger.sql'), 'utf8')).simple()
  return {
    appUrl: embedded.urls.app,
    db,
    owner,
    restart,
    readLog: () => readLogs(join(cluster, 'log')),
    async close() {
      await Promise.all([db.close(), owner.end({ timeout: 5 })])
      await embedded.close()
    },
  }
}

const answers = (sql: postgres.Sql) =>
  sql`select 1`.then(
    () => true,
    () => false,
  )

// The server's own log is begun anew at each of its starts, and holds only the end of it: here everything is kept, and
// waits for locks too. In force from the next start on.
async function writeLogs(home: string): Promise<void> {
  const connection = readConnectionFile(home)
  if (connection === null) throw new Error('the embedded database has left no connection file')
  const superuser = postgres(connection.superuser, { max: 1, onnotice: () => {} })
  const database = new URL(connection.owner).pathname.slice(1)
  try {
    await superuser`alter system set logging_collector = on`
    await superuser`alter system set log_filename = 'soak-%Y%m%d%H%M%S.log'`
    await superuser`alter system set log_line_prefix = '%m [%p] %a %e '`
    for (const setting of ["log_min_messages = 'error'", "log_min_error_statement = 'error'", 'log_lock_waits = on'])
      await superuser.unsafe(`alter database ${database} set ${setting}`)
    await superuser.unsafe(`alter database ${database} set log_error_verbosity = 'default'`)
  } finally {
    await superuser.end()
  }
}

async function readLogs(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => text.split('\n'))
}

/** The database is stopped and cut off on purpose: whoever can ask again does. */
export async function untilAnswered<T>(ask: () => Promise<T>, patienceMs = 60_000): Promise<T> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isOutage(error) || performance.now() > giveUpAt) throw error
    }
    await wait(100)
  }
}

export const isOutage = (error: unknown) => databaseUnavailable.matches(databaseError(error)) || isRefused(error)

// A plain client says it as the system does.
const isRefused = (error: unknown) =>
  error instanceof Error && 'code' in error && /^(ECONN|EPIPE|57P0)/.test(String(error.code))

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import tap from 'tap'
import { embeddedHome } from '../../db/embedded/connection-file.ts'
import { isServerOf, readPidFile } from '../../db/embedded/process-of.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { packagedTerminology } from '../../clinical/terminology/code-systems.ts'
import { migrate } from '../../db/migrate.ts'
import { loadTerminology } from '../../db/terminology.ts'
import { scratchRoot } from './scratch.ts'
import { eventually } from './signals.ts'

type Test = { teardown(work: () => unknown): unknown }
type Urls = { owner: string; app: string }

const holder = join(import.meta.dirname, 'hold-embedded.ts')

/** An empty data directory; whatever still runs in it at the end is stopped, so that a failed test leaves nothing. */
export function emptyFolder(t: Test): string {
  const path = mkdtempSync(join(scratchRoot(), 'exora-embedded-'))
  t.teardown(async () => {
    const left = await serverOf(path)
    if (left !== null) process.kill(left, 'SIGQUIT')
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  })
  return path
}

let installed: Promise<string> | null = null

/** A data directory in which the database has run before; copying one is several times quicker than installing it. */
export async function usedFolder(t: Test): Promise<string> {
  installed ??= installOnce()
  const path = emptyFolder(t)
  cpSync(await installed, path, { recursive: true, preserveTimestamps: true })
  return path
}

async function installOnce(): Promise<string> {
  const path = emptyFolder(tap)
  const database = await startEmbedded({ dataDir: path, durability: 'disposable' })
  await database.close()
  return path
}

let migrated: Promise<string> | null = null

/** The same with our schema in it, and the code systems, which a worker would load. */
export async function migratedFolder(t: Test): Promise<string> {
  migrated ??= migrateOnce()
  const path = emptyFolder(t)
  cpSync(await migrated, path, { recursive: true, preserveTimestamps: true })
  return path
}

async function migrateOnce(): Promise<string> {
  const path = await usedFolder(tap)
  const database = await startEmbedded({ dataDir: path, durability: 'disposable' })
  await migrate(database.urls.owner)
  await loadTerminology(database.urls.owner, packagedTerminology)
  await database.close()
  return path
}

/** Another process that uses the database until it is let go. */
export async function hold(t: Test, dataDir: string, who: 'as_nobody' | 'as_we_are' = 'as_we_are') {
  const nobody = who === 'as_nobody' ? { uid: 65534, gid: 65534 } : {}
  // Without the runner's hooks, which write into the checkout as whoever the process is.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, holder, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    env: { PATH: process.env['PATH'] ?? '' },
    ...nobody,
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  const urls: Urls = JSON.parse(String(first.value))
  return { child, urls, lines }
}

export async function letGo(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.stdin?.end()
  await exit
}

export async function killHard(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

export async function serverOf(dataDir: string): Promise<number | null> {
  const cluster = join(embeddedHome(dataDir), 'cluster')
  const found = await readPidFile(cluster)
  return found !== null && (await isServerOf(found.pid, cluster)) ? found.pid : null
}

export async function killServer(dataDir: string): Promise<void> {
  const server = await serverOf(dataDir)
  if (server === null) throw new Error('no server runs there')
  process.kill(server, 'SIGKILL')
}

/** All its processes stand still until the test ends: connections stay open, and nobody answers. */
export async function freezeServer(t: Test, dataDir: string, ownerUrl: string): Promise<void> {
  const sessions = await query(ownerUrl, (sql) => sql<{ pid: number }[]>`select pid from pg_stat_activity`)
  const pids = [await serverOf(dataDir), ...sessions.map(({ pid }) => pid)].filter((pid) => pid !== null)
  const signalAll = (signal: NodeJS.Signals) => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal)
      } catch {
        // That of the query has gone since.
      }
    }
  }
  signalAll('SIGSTOP')
  t.teardown(() => signalAll('SIGKILL'))
}

export async function startedAt(url: string): Promise<string> {
  const [row] = await query(url, (sql) => sql<{ at: string }[]>`select pg_postmaster_start_time()::text as at`)
  return row?.at ?? ''
}

export async function query<T>(url: string, work: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

export type OwnServer = {
  readonly ownerUrl: string
  readonly appUrl: string
  /** Resolves when it is back. `fast` ends the sessions and writes everything; `immediate` is a crash, followed by recovery. */
  readonly restart: (how: 'fast' | 'immediate') => Promise<void>
}

/** A migrated database on a server that no other test uses: for restarts and for settings of a whole server. */
export async function ownServer(t: Test, settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const dataDir = await usedFolder(t)
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  appendFileSync(join(embeddedHome(dataDir), 'cluster', 'postgresql.conf'), lines.join(''))
  // What is committed has to outlive a crash.
  const database = await startEmbedded({ dataDir, durability: 'durable' })
  t.teardown(() => database.close())
  await migrate(database.urls.owner)
  const { owner: ownerUrl, app: appUrl } = database.urls
  return {
    ownerUrl,
    appUrl,
    restart: async (how) => {
      const before = await startedAt(ownerUrl)
      const server = await serverOf(dataDir)
      if (server === null) throw new Error('no server runs there')
      process.kill(server, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
      // Whoever holds a seat at it, as we do, starts it again on the same port.
      await eventually(async () => {
        if ((await startedAt(ownerUrl)) === before) throw new Error('not yet down')
      })
    },
  }
}

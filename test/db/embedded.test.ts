import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { test } from 'tap'
import { findBinaries } from '../../db/embedded/binaries.ts'
import {
  connectionFilePath,
  embeddedHome,
  readConnectionFile,
  studioDatabaseUrl,
} from '../../db/embedded/connection-file.ts'
import { isServerOf, pidFilePath, readPidFile } from '../../db/embedded/process-of.ts'
import { chooseRunAs, waysToLeaveRoot } from '../../db/embedded/run-as.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { eventually } from '../support/signals.ts'

type Test = { teardown(work: () => unknown): unknown }
type Urls = { owner: string; app: string }

const isRoot = process.getuid?.() === 0
const holder = join(import.meta.dirname, '../support/hold-embedded.ts')

test('owner and app are ordinary roles, and text is compared by Unicode', async (t) => {
  const database = await startEmbedded({ dataDir: folder(t), durability: 'disposable' })
  t.teardown(() => database.close())
  const roles = await query(
    database.urls.owner,
    (sql) => sql`
    select rolname, rolsuper, rolbypassrls from pg_roles where rolname like 'exora%' order by 1`,
  )
  t.same(roles, [
    { rolname: 'exora_app', rolsuper: false, rolbypassrls: false },
    { rolname: 'exora_owner', rolsuper: false, rolbypassrls: false },
  ])
  const [who] = await query(
    database.urls.app,
    (sql) => sql`select current_user as role, lower('É') as lower, 'É' ilike 'é' as like`,
  )
  t.same(who, { role: 'exora_app', lower: 'é', like: true })
})

test('what was stored is there after a restart, and only its user can read the passwords', async (t) => {
  const dataDir = folder(t)
  const first = await startEmbedded({ dataDir })
  await query(first.urls.owner, (sql) => sql`create table kept as select 7 as n`)
  await first.close()
  t.equal(await serverOf(dataDir), null, 'nothing runs after the last one has left')

  const second = await startEmbedded({ dataDir })
  t.teardown(() => second.close())
  t.same(await query(second.urls.owner, (sql) => sql`select n from kept`), [{ n: 7 }])
  t.equal(second.urls.owner, first.urls.owner, 'the same port and password')
  t.equal(statSync(connectionFilePath(embeddedHome(dataDir))).mode & 0o777, 0o600)
  t.equal(statSync(embeddedHome(dataDir)).mode & 0o777, 0o700)
})

test('studio finds the running database, or what the environment names', async (t) => {
  const dataDir = folder(t)
  t.match(studioDatabaseUrl({ DATA_DIR: dataDir }), /^postgres:\/\/nobody@127\.0\.0\.1:1\//)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  t.equal(studioDatabaseUrl({ DATA_DIR: dataDir }), database.urls.owner)
  t.equal(studioDatabaseUrl({ DATA_DIR: dataDir, DATABASE_URL: 'postgres://a/b' }), 'postgres://a/b')
  t.equal(
    studioDatabaseUrl({ DATABASE_DIRECT_URL: 'postgres://c/d', DATABASE_URL: 'postgres://a/b' }),
    'postgres://c/d',
  )
})

test('a server whose starter was killed is joined by the next start, and stopped by it', async (t) => {
  const dataDir = folder(t)
  const { child, urls } = await hold(t, dataDir)
  const before = await startedAt(urls.owner)
  await killHard(child)

  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.equal(await startedAt(database.urls.owner), before, 'the same server')
  await database.close()
  t.equal(await serverOf(dataDir), null)
})

test('after everything was killed in the middle of work, what was committed is there', async (t) => {
  const dataDir = folder(t)
  const { child, urls } = await hold(t, dataDir)
  await query(urls.owner, (sql) => sql`create table kept as select 7 as n`)
  const server = await serverOf(dataDir)
  process.kill(server ?? 0, 'SIGKILL')
  await killHard(child)

  const database = await startEmbedded({ dataDir })
  t.teardown(() => database.close())
  t.same(await query(database.urls.owner, (sql) => sql`select n from kept`), [{ n: 7 }])
})

test('a server that dies under its users comes back at the same address', async (t) => {
  const dataDir = folder(t)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  const before = await startedAt(database.urls.owner)
  process.kill((await serverOf(dataDir)) ?? 0, 'SIGKILL')
  await eventually(async () => t.not(await startedAt(database.urls.owner), before), { timeoutMs: 20_000 })
})

test('several who start at once share one server, which the last of them stops', async (t) => {
  const dataDir = folder(t)
  const holders = await Promise.all([hold(t, dataDir), hold(t, dataDir), hold(t, dataDir)])
  const starts = await Promise.all(holders.map((one) => startedAt(one.urls.owner)))
  t.equal(new Set(starts).size, 1)

  for (const [index, one] of holders.entries()) {
    t.ok(await startedAt(one.urls.app), `still there for number ${index + 1}`)
    await letGo(one.child)
  }
  t.equal(await serverOf(dataDir), null)
})

test('Ctrl-C in the terminal reaches us and not the server', async (t) => {
  const dataDir = folder(t)
  const { child, urls, lines } = await hold(t, dataDir)
  const before = await startedAt(urls.owner)
  const interrupted = lines.next()
  process.kill(-(child.pid ?? 0), 'SIGINT')
  t.equal((await interrupted).value, 'interrupted')
  t.equal(await startedAt(urls.owner), before)
  await letGo(child)
})

test('a port that someone else has taken is given up for another', async (t) => {
  const dataDir = folder(t)
  const first = await startEmbedded({ dataDir, durability: 'disposable' })
  await first.close()
  const squatter = createServer().listen(Number(new URL(first.urls.owner).port), '127.0.0.1')
  await once(squatter, 'listening')
  t.teardown(() => squatter.close())

  const second = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => second.close())
  t.not(second.urls.owner, first.urls.owner)
  t.equal(readConnectionFile(embeddedHome(dataDir))?.owner, second.urls.owner)
  t.ok(await startedAt(second.urls.owner))
})

test('a left-over lock file whose number now belongs to another program does not stop the start', async (t) => {
  const dataDir = folder(t)
  const { child } = await hold(t, dataDir)
  const cluster = join(embeddedHome(dataDir), 'cluster')
  const lock = readFileSync(pidFilePath(cluster), 'utf8')
  process.kill((await serverOf(dataDir)) ?? 0, 'SIGKILL')
  await killHard(child)
  const stranger = spawn('sleep', ['60'])
  t.teardown(() => stranger.kill())
  writeFileSync(pidFilePath(cluster), lock.replace(/^\d+/, String(stranger.pid)))

  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  t.ok(await startedAt(database.urls.owner))
})

test('an installation that was interrupted is cleared away', async (t) => {
  const dataDir = folder(t)
  const dead = spawn('true')
  await once(dead, 'exit')
  mkdirSync(`${embeddedHome(dataDir)}.new-${dead.pid}-x`)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  t.same(readdirSync(dataDir), ['postgres'])
})

test('it runs below a folder that only its user may enter', async (t) => {
  const closed = folder(t)
  chmodSync(closed, 0o700)
  const database = await startEmbedded({ dataDir: join(closed, 'deeper', 'data'), durability: 'disposable' })
  t.teardown(() => database.close())
  t.ok(await startedAt(database.urls.owner))
})

test('it runs as root by each way to leave root, also one after the other on the same data', async (t) => {
  if (!isRoot) return t.pass('an ordinary user has nothing to leave')
  const dataDir = folder(t)
  const binaries = await findBinaries(dataDir)
  for (const way of [...waysToLeaveRoot, ...waysToLeaveRoot]) {
    const works = await chooseRunAs(binaries, [way]).then(
      () => true,
      () => false,
    )
    if (!works) {
      t.comment(`not allowed on this machine: ${way.prefix.join(' ')}`)
      continue
    }
    const database = await startEmbedded({ dataDir, durability: 'disposable', runAs: way })
    t.ok(await startedAt(database.urls.app), way.prefix.join(' '))
    await database.close()
  }
})

test('it runs as an ordinary user', async (t) => {
  const dataDir = folder(t)
  if (isRoot) chownSync(dataDir, 65534, 65534)
  const { child, urls } = await hold(t, dataDir, isRoot ? 'as_nobody' : 'as_we_are')
  t.ok(await startedAt(urls.app))
  t.equal(statSync(embeddedHome(dataDir)).uid, isRoot ? 65534 : process.getuid?.())
  await letGo(child)
  t.equal(await serverOf(dataDir), null)
})

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'exora-embedded-'))
  t.teardown(async () => {
    const left = await serverOf(path)
    if (left !== null) process.kill(left, 'SIGQUIT')
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  })
  return path
}

async function hold(t: Test, dataDir: string, who: 'as_nobody' | 'as_we_are' = 'as_we_are') {
  const nobody = who === 'as_nobody' ? { uid: 65534, gid: 65534 } : {}
  const child = spawn(process.execPath, [holder, dataDir], {
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

async function letGo(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.stdin?.end()
  await exit
}

async function killHard(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function serverOf(dataDir: string): Promise<number | null> {
  const cluster = join(embeddedHome(dataDir), 'cluster')
  const found = await readPidFile(cluster)
  return found !== null && (await isServerOf(found.pid, cluster)) ? found.pid : null
}

async function startedAt(url: string): Promise<string> {
  const [row] = await query(url, (sql) => sql<{ at: string }[]>`select pg_postmaster_start_time()::text as at`)
  return row?.at ?? ''
}

async function query<T>(url: string, work: (sql: postgres.Sql) => PromiseLike<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

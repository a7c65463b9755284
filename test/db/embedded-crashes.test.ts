import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { embeddedHome } from '../../db/embedded/connection-file.ts'
import { pidFilePath } from '../../db/embedded/process-of.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import {
  emptyFolder,
  hold,
  killHard,
  killServer,
  letGo,
  query,
  serverOf,
  startedAt,
  usedFolder,
} from '../support/embedded.ts'
import { eventually } from '../support/signals.ts'

test('a server whose starter was killed is joined by the next start, and stopped by it', async (t) => {
  const dataDir = await usedFolder(t)
  const { child, urls } = await hold(t, dataDir)
  const before = await startedAt(urls.owner)
  await killHard(child)

  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.equal(await startedAt(database.urls.owner), before, 'the same server')
  await database.close()
  t.equal(await serverOf(dataDir), null)
})

test('after everything was killed in the middle of work, what was committed is there', async (t) => {
  const dataDir = await usedFolder(t)
  const { child, urls } = await hold(t, dataDir)
  await query(urls.owner, (sql) => sql`create table kept as select 7 as n`)
  await killServer(dataDir)
  await killHard(child)

  const database = await startEmbedded({ dataDir })
  t.teardown(() => database.close())
  t.same(await query(database.urls.owner, (sql) => sql`select n from kept`), [{ n: 7 }])
})

test('a server that dies under its users comes back at the same address', async (t) => {
  const dataDir = await usedFolder(t)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  const before = await startedAt(database.urls.owner)
  await killServer(dataDir)
  await eventually(async () => t.not(await startedAt(database.urls.owner), before), { timeoutMs: 20_000 })
})

test('several who start at once share one server, which the last of them stops', async (t) => {
  const dataDir = emptyFolder(t)
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
  const dataDir = await usedFolder(t)
  const { child, urls, lines } = await hold(t, dataDir)
  const before = await startedAt(urls.owner)
  const interrupted = lines.next()
  process.kill(-(child.pid ?? 0), 'SIGINT')
  t.equal((await interrupted).value, 'interrupted')
  t.equal(await startedAt(urls.owner), before)
  await letGo(child)
})

test('a left-over lock file whose number now belongs to another program does not stop the start', async (t) => {
  const dataDir = await usedFolder(t)
  const { child } = await hold(t, dataDir)
  const cluster = join(embeddedHome(dataDir), 'cluster')
  const lock = readFileSync(pidFilePath(cluster), 'utf8')
  await killServer(dataDir)
  await killHard(child)
  const stranger = spawn('sleep', ['60'])
  t.teardown(() => stranger.kill())
  writeFileSync(pidFilePath(cluster), lock.replace(/^\d+/, String(stranger.pid)))

  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  t.ok(await startedAt(database.urls.owner))
})

test('an installation that was interrupted is cleared away', async (t) => {
  const dataDir = emptyFolder(t)
  const dead = spawn('true')
  await once(dead, 'exit')
  mkdirSync(`${embeddedHome(dataDir)}.new-${dead.pid}-x`)
  const database = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => database.close())
  t.same(readdirSync(dataDir), ['postgres'])
})

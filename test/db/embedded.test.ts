import { chmodSync, chownSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { findBinaries } from '../../db/embedded/binaries.ts'
import {
  connectionFilePath,
  embeddedHome,
  readConnectionFile,
  studioDatabaseUrl,
} from '../../db/embedded/connection-file.ts'
import { chooseRunAs, waysToLeaveRoot } from '../../db/embedded/run-as.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { emptyFolder, hold, letGo, query, serverOf, startedAt, usedFolder } from '../support/embedded.ts'

const isRoot = process.getuid?.() === 0

test('owner and app are ordinary roles, and text is compared by Unicode', async (t) => {
  const database = await startEmbedded({ dataDir: emptyFolder(t), durability: 'disposable' })
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
  const dataDir = await usedFolder(t)
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
  const dataDir = emptyFolder(t)
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

test('a port that someone else has taken is given up for another', async (t) => {
  const dataDir = await usedFolder(t)
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

test('it runs below a folder that only its user may enter', async (t) => {
  const closed = emptyFolder(t)
  chmodSync(closed, 0o700)
  const database = await startEmbedded({ dataDir: join(closed, 'deeper', 'data'), durability: 'disposable' })
  t.teardown(() => database.close())
  t.ok(await startedAt(database.urls.owner))
})

test('it runs as root by each way to leave root, also one after the other on the same data', async (t) => {
  if (!isRoot) {
    t.pass('an ordinary user has nothing to leave')
    return
  }
  const dataDir = emptyFolder(t)
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
    const database = await startEmbedded({ dataDir, durability: 'disposable', waysToLeaveRoot: [way] })
    t.ok(await startedAt(database.urls.app), way.prefix.join(' '))
    await database.close()
  }
})

test('it runs as an ordinary user', async (t) => {
  const dataDir = emptyFolder(t)
  if (isRoot) chownSync(dataDir, 65534, 65534)
  const { child, urls } = await hold(t, dataDir, isRoot ? 'as_nobody' : 'as_we_are')
  t.ok(await startedAt(urls.app))
  t.equal(statSync(embeddedHome(dataDir)).uid, isRoot ? 65534 : process.getuid?.())
  await letGo(child)
  t.equal(await serverOf(dataDir), null)
})

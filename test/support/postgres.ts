import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import tap from 'tap'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import type { EmbeddedDatabase } from '../../db/embedded/start.ts'
import { packagedTerminology } from '../../clinical/terminology/code-systems.ts'
import { migrate } from '../../db/migrate.ts'
import { loadTerminology } from '../../db/terminology.ts'
import { scratchRoot } from './scratch.ts'

export type TestDatabase = { readonly ownerUrl: string; readonly appUrl: string; readonly db: Database }

/** The part of a tap test that is needed here. */
export type Teardown = { teardown(work: () => unknown): unknown }

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * A database of its own for a test, cloned from a migrated template, dropped when the test ends. All test processes
 * share one server, which the first of them starts and the last of them stops.
 */
export const testDatabase = (t: Teardown): Promise<TestDatabase> => cloneDatabase(t, prepareTemplate)

/** The same with the code systems in it, which make it four times as large: for tests of their search. */
export const testDatabaseWithTerminology = (t: Teardown): Promise<TestDatabase> =>
  cloneDatabase(t, prepareTemplateWithTerminology)

type Template = (admin: postgres.Sql, urls: ServerUrls) => Promise<string>

async function cloneDatabase(t: Teardown, prepare: Template): Promise<TestDatabase> {
  const urls = await shareServer()
  const admin = postgres(inDatabase(urls.owner, 'postgres'), { max: 1, onnotice: () => {} })
  const name = `exora_test_${process.pid}_${randomBytes(4).toString('hex')}`
  try {
    const template = await prepare(admin, urls)
    // Copying the files took a third of the time that writing each page to the log did.
    await admin.unsafe(`create database ${name} template ${template} strategy file_copy`)
  } finally {
    await admin.end()
  }
  const ownerUrl = inDatabase(urls.owner, name)
  const appUrl = inDatabase(urls.app, name)
  const db = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 5 })
  t.teardown(async () => {
    await db.close()
    await dropDatabase(urls.owner, name)
  })
  return { ownerUrl, appUrl, db }
}

/** An empty database, for tests of the migration itself. */
export async function emptyDatabase(t: Teardown): Promise<{ ownerUrl: string; appUrl: string }> {
  const urls = await shareServer()
  const name = `exora_empty_${process.pid}_${randomBytes(4).toString('hex')}`
  await withAdmin(urls.owner, (admin) => admin.unsafe(`create database ${name}`))
  t.teardown(() => dropDatabase(urls.owner, name))
  return { ownerUrl: inDatabase(urls.owner, name), appUrl: inDatabase(urls.app, name) }
}

type ServerUrls = { readonly owner: string; readonly app: string }

let server: Promise<EmbeddedDatabase> | null = null

async function shareServer(): Promise<ServerUrls> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { owner: given, app: await appLoginOf(given) }

  if (server === null) {
    server = startTestServer()
    const started = server
    // Teardowns run last in, first out: the databases of all tests have been dropped by then.
    tap.teardown(async () => await (await started).close())
  }
  return (await server).urls
}

async function startTestServer(): Promise<EmbeddedDatabase> {
  const dataDir = testServerFolder()
  const start = () => startEmbedded({ dataDir, durability: 'disposable' })
  // Nothing here is worth repairing: after a power cut the files may be damaged, as fsync is off.
  const started = await start().catch(async () => {
    await rm(dataDir, { recursive: true, force: true })
    return await start()
  })
  keepUntilRunEnds(dataDir)
  return started
}

/** One per checkout and user, so that neither can trip over the other's files. */
export function testServerFolder(): string {
  const key = createHash('sha256').update(`${checkout}\0${userInfo().uid}`).digest('hex').slice(0, 12)
  return join(scratchRoot(), `exora-test-${key}`)
}

// Read at once: when the runner dies, we are given another parent.
const runner = process.ppid

/**
 * Under tap, files come and go: a keeper holds the server until the runner itself has ended, however that ends. The
 * first file of a run starts it. A file run by hand has no runner and stops the server itself.
 */
function keepUntilRunEnds(dataDir: string): void {
  if (process.env['TAP'] !== '1' || runner === 1) return
  try {
    writeFileSync(join(dataDir, `keeper-${runner}`), '', { flag: 'wx' })
  } catch {
    return
  }
  const keeper = fileURLToPath(new URL('./server-keeper.ts', import.meta.url))
  spawn(process.execPath, [keeper, dataDir, String(runner)], { detached: true, stdio: 'ignore' }).unref()
}

const templateLock = 7_306_004

async function prepareTemplate(admin: postgres.Sql, urls: ServerUrls): Promise<string> {
  const name = `exora_template_${await checksumOfDatabaseCode()}`
  return await makeTemplate(admin, name, async (unfinished) => {
    await admin.unsafe(`create database ${unfinished}`)
    await migrate(inDatabase(urls.owner, unfinished))
  })
}

async function prepareTemplateWithTerminology(admin: postgres.Sql, urls: ServerUrls): Promise<string> {
  const plain = await prepareTemplate(admin, urls)
  const loader = await readFile(join(checkout, 'db/terminology.ts'))
  const key = createHash('sha256').update(packagedTerminology.checksum()).update(loader).digest('hex').slice(0, 12)
  return await makeTemplate(admin, `${plain}_${key}`, async (unfinished) => {
    await admin.unsafe(`create database ${unfinished} template ${plain} strategy file_copy`)
    await loadTerminology(inDatabase(urls.owner, unfinished), packagedTerminology)
  })
}

async function makeTemplate(
  admin: postgres.Sql,
  name: string,
  make: (unfinished: string) => Promise<void>,
): Promise<string> {
  const exists = () => admin`select 1 from pg_database where datname = ${name}`
  if ((await exists()).length > 0) return name

  await admin`select pg_advisory_lock(${templateLock})`
  try {
    if ((await exists()).length > 0) return name
    const unfinished = `${name}_unfinished`
    await admin.unsafe(`drop database if exists ${unfinished} with (force)`)
    await make(unfinished)
    await admin.unsafe(`alter database ${unfinished} rename to ${name}`)
    await dropOldTemplates(admin, name)
    return name
  } finally {
    await admin`select pg_advisory_unlock(${templateLock})`
  }
}

const plainNameLength = 'exora_template_'.length + 12

async function dropOldTemplates(admin: postgres.Sql, current: string): Promise<void> {
  const old = await admin<{ datname: string }[]>`
    select datname from pg_database
    where datname like 'exora\\_template\\_%' and not starts_with(datname, ${current.slice(0, plainNameLength)})`
  for (const { datname } of old) {
    // Another run of an older state may be cloning it just now; it goes next time.
    await admin.unsafe(`drop database if exists ${datname}`).catch(() => {})
  }
}

async function checksumOfDatabaseCode(): Promise<string> {
  const folders = ['db/migrations', 'db/migrations/meta', 'db/sql'].map((folder) => join(checkout, folder))
  const hash = createHash('sha256')
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((entry) => /\.(sql|json)$/.test(entry)).toSorted()) {
      hash.update(name).update(await readFile(join(folder, name)))
    }
  }
  hash.update(await readFile(join(checkout, 'db/migrate.ts')))
  return hash.digest('hex').slice(0, 12)
}

async function dropDatabase(ownerUrl: string, name: string): Promise<void> {
  await withAdmin(ownerUrl, (admin) => admin.unsafe(`drop database if exists ${name} with (force)`))
}

async function withAdmin<T>(ownerUrl: string, work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = postgres(inDatabase(ownerUrl, 'postgres'), { max: 1, onnotice: () => {} })
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

/** On a given server the login of the app is made if it is missing, with a password that this machine can find again. */
async function appLoginOf(ownerUrl: string): Promise<string> {
  const secret = createHash('sha256').update(`exora-test ${ownerUrl}`).digest('hex').slice(0, 32)
  await withAdmin(ownerUrl, async (admin) => {
    const [known] = await admin`select 1 from pg_roles where rolname = 'exora_app'`
    const statement = known ? 'alter role exora_app' : 'create role exora_app login noinherit'
    await admin.unsafe(`${statement} password '${secret}'`)
  })
  const url = new URL(ownerUrl)
  url.username = 'exora_app'
  url.password = secret
  return url.href
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

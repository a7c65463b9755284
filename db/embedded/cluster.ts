import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, chown, mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { connectionFilePath, embeddedHome, readConnectionFile } from './connection-file.ts'
import type { ConnectionFile } from './connection-file.ts'
import { findFreePort } from './port.ts'
import { isAlive } from './process-of.ts'
import type { RunAs } from './run-as.ts'

export type Cluster = {
  /** Holds the data and, beside it, connection file and server log. */
  readonly home: string
  readonly dataFolder: string
  readonly connection: ConnectionFile
}

export type Durability = 'durable' | 'disposable'

const run = promisify(execFile)

// Both kinds of text comparison then agree on é and ü; see the fallback for machines without that locale.
const unicodeLocale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--lc-collate=C', '--lc-ctype=C.UTF-8']
const plainLocale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--lc-collate=C', '--lc-ctype=C']

/**
 * Finds the cluster of a data directory, or makes it. It is built whole in a folder of its own and then renamed, so
 * that an interrupted start leaves nothing half made and of two starters at once one wins and both use the winner's.
 */
export async function prepareCluster(
  place: { dataDir: string; durability: Durability },
  binaries: Binaries,
  runAs: RunAs,
): Promise<Cluster> {
  await mkdir(place.dataDir, { recursive: true, mode: 0o700 })
  const home = embeddedHome(await realpath(place.dataDir))
  await sweepUnfinished(home)
  if (readConnectionFile(home) === null) await createCluster(home, place.durability, { binaries, runAs })

  const connection = readConnectionFile(home)
  if (connection === null) throw new Error('The folder of the embedded database holds no connection file.')
  const dataFolder = join(home, 'cluster')
  await giveTo(runAs, home)
  // Copying and restoring widen these, and the server refuses to start on what others may read.
  await chmod(home, 0o700)
  await chmod(dataFolder, 0o700)
  return { home, dataFolder, connection }
}

export async function writeConnectionFile(home: string, connection: ConnectionFile): Promise<void> {
  const unfinished = `${connectionFilePath(home)}.${randomUUID()}`
  await writeFile(unfinished, `${JSON.stringify(connection, null, 2)}\n`, { mode: 0o600, flush: true })
  await rename(unfinished, connectionFilePath(home))
}

async function createCluster(
  home: string,
  durability: Durability,
  tools: { binaries: Binaries; runAs: RunAs },
): Promise<void> {
  const unfinished = `${home}.new-${process.pid}-${randomUUID()}`
  await mkdir(unfinished, { mode: 0o700 })
  try {
    const passwords = { superuser: password(), owner: password(), app: password() }
    await initialise(unfinished, passwords.superuser, { ...tools, durability })
    await writeConnectionFile(unfinished, connectionOf(await findFreePort(), passwords))
    await rename(unfinished, home)
  } catch (error) {
    if (readConnectionFile(home) === null) throw error
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function initialise(
  folder: string,
  superuserPassword: string,
  tools: { binaries: Binaries; runAs: RunAs; durability: Durability },
): Promise<void> {
  const passwordFile = join(folder, 'initial-password')
  await writeFile(passwordFile, superuserPassword, { mode: 0o600 })
  const fixed = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8']
  const sync = tools.durability === 'durable' ? [] : ['--no-sync']
  await giveTo(tools.runAs, folder)
  const initdb = (locale: readonly string[]) =>
    execute(tools, [tools.binaries.initdb, '-D', join(folder, 'cluster'), ...fixed, ...sync, ...locale], folder)
  await initdb(unicodeLocale).catch(() => initdb(plainLocale))
  await rm(passwordFile)
}

async function execute({ runAs }: { runAs: RunAs }, command: readonly string[], cwd: string): Promise<void> {
  const [program = '', ...args] = [...runAs.prefix, ...command]
  await run(program, args, { cwd, env: serverEnvironment(), timeout: 120_000 })
}

/** Nothing of ours leaks into the server: PGDATA, PGPORT or a locale of the shell would change what it does. */
export function serverEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

function connectionOf(port: number, passwords: { superuser: string; owner: string; app: string }): ConnectionFile {
  const url = (user: string, secret: string, database: string) =>
    `postgres://${user}:${secret}@127.0.0.1:${port}/${database}`
  return {
    port,
    superuser: url('postgres', passwords.superuser, 'postgres'),
    owner: url('exora_owner', passwords.owner, 'exora'),
    app: url('exora_app', passwords.app, 'exora'),
  }
}

const password = () => randomBytes(24).toString('hex')

/** The data must belong to whom the server runs as, who may be another than at the last start. */
async function giveTo(runAs: RunAs, folder: string): Promise<void> {
  const { ownerId } = runAs
  if (ownerId === null || (await stat(folder)).uid === ownerId) return
  const below = await readdir(folder, { recursive: true })
  await Promise.all(below.map((path) => chown(join(folder, path), ownerId, ownerId)))
  await chown(folder, ownerId, ownerId)
}

async function sweepUnfinished(home: string): Promise<void> {
  const parent = dirname(home)
  const started = `${home.slice(parent.length + 1)}.new-`
  for (const name of await readdir(parent)) {
    const pid = Number(name.startsWith(started) ? name.slice(started.length).split('-')[0] : Number.NaN)
    if (Number.isInteger(pid) && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true })
  }
}

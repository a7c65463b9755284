/**
 * Server and workers as they are deployed: `server/main.ts` and `worker/main.ts` in processes of their own, over a
 * database and a store of their own, to be killed, stopped and started again by a test.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { z } from 'zod'
import { audience, issuer, signToken, tokenSecret } from './app.ts'
import { childEnv } from './child-env.ts'
import { personOf } from './person.ts'
import type { Identity, Person } from './person.ts'
import { testDatabase } from './postgres.ts'
import type { Teardown } from './postgres.ts'
import { scratchRoot } from './scratch.ts'

export type LogLine = Readonly<Record<string, unknown>>

/** A process of ours that runs. Its log is heard line by line, so that waiting for what it reports needs no time. */
export type Running = {
  readonly pid: number
  /** Of its HTTP: the API, or a worker's health and metrics. */
  readonly address: string
  readonly lines: readonly LogLine[]
  readonly heard: (fits: (line: LogLine) => boolean, count?: number) => Promise<readonly LogLine[]>
  readonly signal: (name: NodeJS.Signals) => void
  /** As a power cut would: at once, without a last word. */
  readonly kill: () => Promise<void>
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

type Limits = { readonly fileBytes: number }
type Env = Readonly<Record<string, string>>

export type TestSystem = {
  /** The owner of the database: sees and does what an operator with psql would. */
  readonly sql: postgres.Sql
  /** With `fileBytes`, the kernel lets it write no file beyond that, as a disk that is full would not. */
  readonly startServer: (env?: Env, limits?: Limits) => Promise<Running>
  readonly startWorker: (env?: Env) => Promise<Running>
  /** A new account at a server, with a profile of this name and date of birth. */
  readonly introduce: (server: Running, identity: Identity) => Promise<Person>
  readonly storeFolder: string
  /** Objects and unfinished ones, as paths below the store. */
  readonly storedFiles: () => Promise<readonly string[]>
}

export type SystemDatabase = { readonly ownerUrl: string; readonly appUrl: string }

/** Nothing runs yet but the database; all that is started ends with the test. */
export async function openSystem(t: Teardown, database?: SystemDatabase): Promise<TestSystem> {
  const { ownerUrl, appUrl } = database ?? (await testDatabase(t))
  const dataDir = await mkdtemp(join(scratchRoot(), 'exora-system-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const storeFolder = join(dataDir, 'files')
  const common = {
    ...childEnv,
    DATABASE_URL: appUrl,
    DATA_DIR: dataDir,
    STORAGE_URL: `file:${storeFolder}`,
    LOG_LEVEL: 'debug',
  }
  const auth = { AUTH_JWT_SECRET: tokenSecret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience }
  return {
    sql: sqlOf(t, ownerUrl),
    startServer: (env, limits) => start(t, 'server', { ...common, ...auth, PORT: '0', ...env }, limits),
    startWorker: (env) => start(t, 'worker', { ...common, HEALTH_CHECK_PORT: '0', ...env }),
    introduce: async (server, identity) => {
      const accountId = randomUUID()
      return await personOf(server.address, { accountId, token: await signToken(accountId) }, identity)
    },
    storeFolder,
    storedFiles: async () => {
      const found = await readdir(storeFolder, { recursive: true, withFileTypes: true })
      return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    },
  }
}

// Locks that a test holds take connections of their own.
function sqlOf(t: Teardown, url: string): postgres.Sql {
  const sql = postgres(url, { max: 6, onnotice: () => {} })
  t.teardown(() => sql.end({ timeout: 1 }))
  return sql
}

const ready = { server: 'the API listens', worker: 'the worker runs' } as const

async function start(t: Teardown, kind: keyof typeof ready, env: Env, limits?: Limits): Promise<Running> {
  const script = fileURLToPath(new URL(`../../${kind}/main.ts`, import.meta.url))
  // Blocks of 512 bytes, by POSIX.
  const command = limits === undefined ? [] : ['sh', '-c', `ulimit -f ${limits.fileBytes / 512}; exec "$0" "$@"`]
  const [program, ...words] = [...command, process.execPath, script]
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const errors: string[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => ({
    code: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
  }))
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  t.teardown(kill)
  // A test that ran out of time may have been torn down while we were starting.
  const killNow = () => child.kill('SIGKILL')
  process.once('exit', killNow)
  void exited.then(() => process.off('exit', killNow))

  const { lines, heard } = hear(createInterface({ input: child.stdout }))
  const ended = exited.then(({ code }) => Promise.reject(new Error(`${kind} ended with ${code}: ${errors.join('')}`)))
  ended.catch(() => {})
  const [line] = await Promise.race([heard(({ msg }) => msg === ready[kind]), ended])
  const address = z.string().parse(line?.['address'])
  return { pid: child.pid ?? 0, address, lines, heard, signal: (name) => void child.kill(name), kill, exited }
}

const logLine = z.record(z.string(), z.unknown())

function hear(output: ReturnType<typeof createInterface>): Pick<Running, 'lines' | 'heard'> {
  const lines: LogLine[] = []
  const listeners = new Set<() => void>()
  output.on('line', (text) => {
    lines.push(logLine.parse(JSON.parse(text)))
    for (const listen of listeners) listen()
  })
  return {
    lines,
    heard: async (fits, count = 1) => {
      const { promise, resolve } = Promise.withResolvers<readonly LogLine[]>()
      const listen = () => {
        const found = lines.filter(fits)
        if (found.length >= count) resolve(found)
      }
      listeners.add(listen)
      listen()
      return await promise.finally(() => listeners.delete(listen))
    },
  }
}

import { fork, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { z } from 'zod'
import { migrate } from '../../db/migrate.ts'
import { profileListSchema } from '../../server/routes/profiles/schema.ts'
import type { Place } from '../server.ts'

/** Somebody who may upload for a profile. */
export type Uploader = { readonly token: string; readonly accountId: string; readonly profileId: string }

export type HttpProcess = {
  readonly address: string
  readonly pid: number
  stop(): Promise<void>
  kill(): Promise<void>
}

const auth = {
  AUTH_JWT_SECRET: 'a secret of the measurement, long enough',
  AUTH_ISSUER: 'https://issuer.bench',
  AUTH_AUDIENCE: 'authenticated',
}

// A measurement is a few callers who ask for more than any person does. Their limits cost no question of their own.
const noLimits = {
  RATE_LIMIT_ACCOUNT: '0',
  RATE_LIMIT_UPLOADS: '0',
  RATE_LIMIT_STREAMS: '0',
  RATE_LIMIT_ADDRESS: '0',
}

/** Ours as it is deployed: `server/main.ts`, as shipped but for the limits of callers. */
export async function startOurs(place: Place, folder: string, env: Readonly<Record<string, string>> = {}) {
  await mkdir(folder, { recursive: true })
  const script = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: place.app,
      DATA_DIR: folder,
      STORAGE_URL: `file:${join(folder, 'files')}`,
      LOG_LEVEL: 'info',
      PORT: '0',
      ...auth,
      ...noLimits,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const address = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = lineSchema.safeParse(JSON.parse(line))
      if (told.success) resolve(told.data.address)
    })
  })
  return asProcess(child, address)
}

const lineSchema = z.object({ event: z.literal('listening'), address: z.string() })

export async function startBare(place: Place, folder: string): Promise<HttpProcess> {
  await mkdir(folder, { recursive: true })
  const script = fileURLToPath(new URL('./bare-server.ts', import.meta.url))
  const task = JSON.stringify({ databaseUrl: place.app, folder })
  const child = fork(script, [task], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const [message]: unknown[] = await once(child, 'message')
  return asProcess(child, z.object({ address: z.string() }).parse(message).address)
}

function asProcess(child: ChildProcess, address: string): HttpProcess {
  const exited = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await exited
    }
  }
  return { address, pid: child.pid ?? 0, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

/** Tables and functions of the product, and the one table of the bare server. */
export async function prepareDatabases(ours: Place, bare: Place, sqlOf: (place: Place) => Sql): Promise<void> {
  await migrate(ours.owner)
  const sql = sqlOf(bare)
  await sql.unsafe(`
    create table public.bare_uploads (
      id uuid primary key, filename text not null, size_bytes bigint not null, sha256 text not null,
      created_at timestamptz not null default now()
    )`)
  await sql.unsafe('grant insert on public.bare_uploads to public')
  await sql.end()
}

type Sql = { unsafe(text: string): PromiseLike<unknown>; end(): Promise<void> }

/** So many accounts, each with its own profile, as the server itself makes them on their first request. */
export async function signUpMany(address: string, count: number): Promise<readonly Uploader[]> {
  const uploaders: Uploader[] = []
  const atOnce = 20
  while (uploaders.length < count) {
    const some = Array.from({ length: Math.min(atOnce, count - uploaders.length) }, () => signUp(address))
    uploaders.push(...(await Promise.all(some)))
  }
  return uploaders
}

async function signUp(address: string): Promise<Uploader> {
  const accountId = randomUUID()
  const token = await new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(accountId)
    .setIssuer(auth.AUTH_ISSUER)
    .setAudience(auth.AUTH_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('2 h')
    .sign(new TextEncoder().encode(auth.AUTH_JWT_SECRET))
  const answer = await fetch(`${address}/profiles`, { headers: { authorization: `Bearer ${token}` } })
  const [own] = profileListSchema.parse(await answer.json()).profiles
  if (own === undefined) throw new Error('the account has no profile')
  return { token, accountId, profileId: own.id }
}

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Contender, ContenderName } from './contender.ts'
import { startRedis } from './redis.ts'
import type { Redis } from './redis.ts'
import type { Place, Server } from '../server.ts'

/** Loaded when asked for: a peer that is not installed must not keep the others from being measured. */
const files: Readonly<Record<ContenderName, () => Promise<Contender>>> = {
  exora: async () => (await import('./exora.ts')).exora,
  'graphile-worker': async () => (await import('./graphile.ts')).graphile,
  'pg-boss': async () => (await import('./pg-boss.ts')).pgBoss,
  bullmq: async () => (await import('./bullmq.ts')).bullmq,
  floor: async () => (await import('./floor.ts')).floor,
}

export async function loadContender(name: ContenderName): Promise<Contender> {
  return await files[name]()
}

export type Prepared = { readonly contender: Contender; readonly place: Place }
export type Field = {
  readonly prepared: readonly Prepared[]
  /** Who is not measured, and why. */
  readonly missing: Readonly<Partial<Record<ContenderName, string>>>
  close(): Promise<void>
}

type Say = (line: string) => void

/** Everybody who can be measured here, each in a place of its own on the same server. */
export async function prepareField(server: Server, say: Say): Promise<Field> {
  await installPeers(say)
  const prepared: Prepared[] = []
  const missing: Partial<Record<ContenderName, string>> = {}
  const redis = await startRedis()
  const leaveOut = (name: ContenderName, why: string) => {
    missing[name] = `not measured: ${why}`
    say(`${name} is ${missing[name]}`)
  }
  for (const name of ['exora', 'graphile-worker', 'pg-boss', 'bullmq', 'floor'] as const) {
    const contender = await loadContender(name).catch(() => null)
    if (contender === null) leaveOut(name, 'not installed')
    else if (name === 'bullmq' && typeof redis === 'string') leaveOut(name, redis)
    else {
      const place = await placeOf(name, server, redis)
      await contender.prepare(place)
      prepared.push({ contender, place })
    }
  }
  return { prepared, missing, close: async () => (typeof redis === 'string' ? undefined : await redis.stop()) }
}

async function placeOf(name: ContenderName, server: Server, redis: Redis | string): Promise<Place> {
  if (name === 'bullmq' && typeof redis !== 'string') return { owner: redis.url, app: redis.url, database: null }
  return await server.createPlace(`bench_${name.replaceAll('-', '_')}`)
}

const benchFolder = join(import.meta.dirname, '..')

async function installPeers(say: Say): Promise<void> {
  const packages = ['graphile-worker', 'pg-boss', 'bullmq']
  if (packages.every((name) => existsSync(join(benchFolder, 'node_modules', name)))) return
  say('the peers are not installed: npm ci --prefix bench')
  await promisify(execFile)('npm', ['ci', '--prefix', benchFolder, '--no-audit', '--no-fund']).catch((error: unknown) =>
    say(`they could not be installed: ${error instanceof Error ? error.message.split('\n')[0] : 'unknown'}`),
  )
}

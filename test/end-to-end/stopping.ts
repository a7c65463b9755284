import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type postgres from 'postgres'
import { childEnv } from '../support/child-env.ts'
import type { Teardown } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'
import type { Running } from '../support/system.ts'

export const parker = { name: 'Parker Casper', bornOn: '1952-07-31' }

/** From the second signal on, with what a busy machine adds. */
export const atOnceMs = 3_000 + 3_000

/** Somebody waits for a lock on this table. */
export async function waitingFor(sql: postgres.Sql, table: string): Promise<void> {
  await eventually(
    async () => {
      const waiting = await sql`
        select from pg_locks
        where relation = ${`public.${table}`}::regclass and not granted
          and database = (select oid from pg_database where datname = current_database())`
      if (waiting.length === 0) throw new Error(`nobody waits for ${table}`)
    },
    { timeoutMs: 30_000 },
  )
}

export type Ending = { readonly ms: number; readonly code: number | null; readonly signal: string | null }

/** How it ends once it is told to, and how long that takes. */
export async function endOf(
  { signal, exited }: Pick<Running, 'signal' | 'exited'>,
  name: NodeJS.Signals,
): Promise<Ending> {
  const toldAt = performance.now()
  signal(name)
  const ending = await exited
  return { ms: Math.round(performance.now() - toldAt), ...ending }
}

/** One of our programs, from its first moment on. */
export function run(test: Teardown, script: string, env: Readonly<Record<string, string>>) {
  const path = fileURLToPath(new URL(join('../..', script), import.meta.url))
  const child = spawn(process.execPath, [path], {
    env: { ...childEnv, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  test.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => ({
    code: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
  }))
  const output = createInterface({ input: child.stdout })
  const said = async (wanted: RegExp): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    output.on('line', (line) => {
      const found = wanted.exec(line)
      if (found !== null) resolve(found[1] ?? '')
    })
    void exited.then(({ code }) => reject(new Error(`it ended with ${code}`)))
    return await promise
  }
  return { exited, said, signal: (name: NodeJS.Signals) => void child.kill(name) }
}

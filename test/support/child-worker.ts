import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Teardown } from './postgres.ts'

export type ChildWorker = {
  readonly pid: number
  readonly said: readonly string[]
  /** Resolves when the child has said a line that begins so. */
  heard(beginning: string): Promise<string>
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

const script = fileURLToPath(new URL('./worker-child.ts', import.meta.url))
const shiftedClock = new URL('./shifted-clock.ts', import.meta.url).href

/** Starts `worker-child.ts`; killed with the test if it still runs. */
export async function startChildWorker(
  t: Teardown,
  options: {
    readonly url: string
    readonly mode: 'hang' | 'call' | 'quick' | 'slow' | 'stubborn' | 'blocking' | 'blocked' | 'poisoned' | 'retrying'
    readonly leaseMs?: number
    readonly workerId?: string
    /** How far its time of day is from everybody else's. */
    readonly clockOffsetMs?: number
  },
): Promise<ChildWorker> {
  const clock = options.clockOffsetMs === undefined ? [] : ['--import', shiftedClock]
  const args = [...clock, script, options.url, options.mode, String(options.leaseMs ?? 1_500)]
  const named = options.workerId === undefined ? {} : { WORKER_ID: options.workerId }
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...named, CLOCK_OFFSET_MS: String(options.clockOffsetMs ?? 0) },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line)
    for (const look of waiting) look()
  })
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => ({
    code: typeof code === 'number' ? code : null,
    signal: typeof signal === 'string' ? signal : null,
  }))

  const heard = async (beginning: string) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const look = () => {
      const line = said.find((text) => text.startsWith(beginning))
      if (line !== undefined) resolve(line)
    }
    waiting.add(look)
    look()
    return await promise.finally(() => waiting.delete(look))
  }
  await Promise.race([
    heard('ready'),
    exited.then(({ code }) => Promise.reject(new Error(`the child ended with ${code}`))),
  ])
  return { pid: child.pid ?? 0, said, heard, signal: (name) => child.kill(name), exited }
}

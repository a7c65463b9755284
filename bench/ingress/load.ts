import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Uploader } from './servers.ts'

export type LoadTask = {
  readonly address: string
  /** One connection each. */
  readonly people: readonly Uploader[]
  readonly bytes: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

export type LoadResult = {
  readonly seconds: number
  /** Of each upload that was answered, ms. */
  readonly waits: readonly number[]
  readonly statuses: Readonly<Record<string, number>>
  /** Connections that ended in the middle of an upload. */
  readonly broken: number
}

const script = fileURLToPath(new URL('./load-main.ts', import.meta.url))

/** Uploads without a pause, from a process of its own. */
export async function uploadFor(task: LoadTask): Promise<LoadResult> {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  // A thousand tokens are too long for an argument.
  child.send(task)
  const [result]: unknown[] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the uploaders ended with ${code}`))),
  ])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own child
  return result as LoadResult
}

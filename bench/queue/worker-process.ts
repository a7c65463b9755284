import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ContenderName } from './contender.ts'
import type { Place } from '../server.ts'

export type WorkerTask = {
  readonly contender: ContenderName
  readonly place: Place
  readonly concurrency: number
  /** `count`: remembers which jobs it ran; `tell`: tells of each when it begins; `hang`: that, and never ends one. */
  readonly mode: 'count' | 'tell' | 'hang'
}

export type ToWorker = { readonly kind: 'forget' | 'tell_runs' | 'stop' }
export type FromWorker =
  | { readonly kind: 'ready' | 'forgot' }
  | { readonly kind: 'began'; readonly index: number; readonly at: string }
  | { readonly kind: 'ran'; readonly runs: number }
  | { readonly kind: 'runs'; readonly indexes: readonly number[] }

export type WorkerProcess = {
  /** Of the jobs since the last `forget`, as last told. */
  readonly runs: number
  /** The next job with this index that begins, in nanoseconds of the monotonic clock. Ask before it is enqueued. */
  began(index: number): Promise<bigint>
  forget(): Promise<void>
  indexesRun(): Promise<readonly number[]>
  freeze(): void
  thaw(): void
  kill(): Promise<void>
  stop(): Promise<void>
}

const script = fileURLToPath(new URL('./worker-main.ts', import.meta.url))

/** Resolves when the worker waits for jobs. */
export async function startWorkerProcess(task: WorkerTask): Promise<WorkerProcess> {
  const child = fork(script, [JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const heard = new EventEmitter()
  const waiting = new Map<number, (at: bigint) => void>()
  let runs = 0
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'began') waiting.get(message.index)?.(BigInt(message.at))
    if (message.kind === 'ran') runs = message.runs
    heard.emit(message.kind, message)
  })
  const exited = once(child, 'exit')
  const early = exited.then(([code]) => Promise.reject(new Error(`a ${task.contender} worker ended with ${code}`)))
  early.catch(() => {})
  const answer = (kind: FromWorker['kind']): Promise<unknown[]> => Promise.race([once(heard, kind), early])
  await answer('ready')
  return {
    get runs() {
      return runs
    },
    began: (index) => Promise.race([new Promise<bigint>((resolve) => waiting.set(index, resolve)), early]),
    async forget() {
      const forgot = answer('forgot')
      tell(child, { kind: 'forget' })
      await forgot
      runs = 0
    },
    async indexesRun() {
      const told = answer('runs')
      tell(child, { kind: 'tell_runs' })
      const [message] = await told
      return isRuns(message) ? message.indexes : []
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async stop() {
      tell(child, { kind: 'stop' })
      const insist = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(insist)
    },
  }
}

const tell = (child: ChildProcess, message: ToWorker) => void child.send(message)

function isRuns(message: unknown): message is Extract<FromWorker, { kind: 'runs' }> {
  return typeof message === 'object' && message !== null && 'indexes' in message
}

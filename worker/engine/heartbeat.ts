import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Connection } from '../../db/client.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { leaseLost } from './errors.ts'
import type { Attempt } from './attempt.ts'
import { attemptsToText, monotonicMs, openBeatMemory } from './heartbeat-messages.ts'
import type { Heard, ThreadStart, Told } from './heartbeat-messages.ts'
import type { RunningJobs } from './running-jobs.ts'

export type Heartbeat = Service & {
  /** When the database last confirmed one. */
  lastBeatAt(): Date | null
  isAlive(): boolean
}

export type HeartbeatOptions = {
  readonly connection: Connection
  readonly workerId: string
  readonly running: RunningJobs
  readonly leaseMs: number
  readonly log: Logger
}

const replaceAfterMs = 250
const goodbyeMs = 1_500
const tellEndedAfterMs = 100

/**
 * One statement for all jobs of the process, four times per lease, from a thread of its own (`heartbeat-thread.ts`).
 * What the database does not confirm is aborted; when it has confirmed nothing for a whole lease, everything is, since
 * others may have taken it over.
 */
export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { connection, workerId, running, leaseMs, log } = options
  const memory = openBeatMemory()
  const tried = Promise.withResolvers<void>()
  let thread: Worker | null = null
  let isStopped = true
  let watching: NodeJS.Timeout | undefined
  let replacing: NodeJS.Timeout | undefined
  let ended: Attempt[] = []
  let telling: NodeJS.Timeout | undefined

  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const tell = (told: Told) => thread?.postMessage(told)
  // That a job has begun is said before it can block this thread; that jobs have ended can wait: what is asked about in vain
  // is only lost once more.
  const tellChanges = (begun: readonly Attempt[]) => {
    clearTimeout(telling)
    telling = undefined
    tell({ kind: 'changed', ended: attemptsToText(ended), begun: attemptsToText(begun) })
    ended = []
  }
  running.watch({
    onBegin: tellChanges,
    onEnd: (attempt) => {
      ended.push(attempt)
      telling ??= setTimeout(tellChanges, tellEndedAfterMs, []).unref()
    },
  })

  function hear(heard: Heard): void {
    if (heard.kind === 'tried') tried.resolve()
    else if (heard.kind === 'lost') running.abortLost(heard.attempts)
    else log.warn({ error: heard.error }, 'a heartbeat failed')
  }

  function beginThread(): void {
    ended = []
    const workerStart: ThreadStart = {
      connection,
      workerId,
      leaseMs,
      attempts: running.attempts,
      memory: memory.buffer,
    }
    const begun = new Worker(new URL('./heartbeat-thread.ts', import.meta.url), { workerData: workerStart })
    begun.on('message', hear)
    begun.on('error', (error) => log.error({ error }, 'the thread of the heartbeat failed'))
    begun.once('exit', () => {
      thread = null
      tried.resolve()
      if (isStopped) return
      log.warn({ worker_id: workerId }, 'the thread of the heartbeat ended and is replaced')
      replacing = setTimeout(beginThread, Math.min(replaceAfterMs, leaseMs / 10))
    })
    thread = begun
  }

  const isAlive = () => monotonicMs() - memory.confirmedAtMs < leaseMs

  return {
    name: 'heartbeat',
    async start() {
      isStopped = false
      beginThread()
      watching = setInterval(() => {
        if (!isAlive()) running.abortAll(leaseLost({ workerId }))
      }, leaseMs / 4)
      await tried.promise
    },
    async stop(signal) {
      isStopped = true
      clearInterval(watching)
      clearTimeout(replacing)
      clearTimeout(telling)
      if (thread === null) return
      const last = thread
      const outOfTime = AbortSignal.any([signal, AbortSignal.timeout(goodbyeMs)])
      const gone = once(last, 'exit', { signal: outOfTime })
      tell({ kind: 'stop' })
      await gone.catch(() => {})
      await last.terminate()
    },
    lastBeatAt: () => memory.lastBeatAt,
    isAlive,
  }
}

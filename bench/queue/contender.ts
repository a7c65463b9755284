import type { Place } from '../server.ts'

/** What a queue must be able to do to be measured beside the others; each has its file here, at its best documented settings. */
export type Contender = {
  readonly name: ContenderName
  /** How it was set, for the reader of the results. */
  readonly settings: string
  /** Where its jobs are, for vacuum; empty where no PostgreSQL is behind it. */
  readonly tables: readonly string[]
  /** Tables, functions, queues: once, on an empty place. */
  prepare(place: Place): Promise<void>
  openProducer(place: Place, connections: number): Promise<Producer>
  /** Resolves when it waits for jobs. */
  startWorker(place: Place, work: Work): Promise<RunningWorker>
}

export type ContenderName = 'exora' | 'graphile-worker' | 'pg-boss' | 'bullmq' | 'floor'

export type Work = {
  readonly concurrency: number
  /** First and only line of the handler. */
  readonly onRun: (jobId: string) => Promise<void> | void
}

export type RunningWorker = { stop(): Promise<void> }

export type Producer = {
  /** One job, committed when it resolves. */
  add(jobId: string): Promise<void>
  addMany(jobIds: readonly string[]): Promise<void>
  /** Jobs that wait or run, as the store has them. */
  countUnfinished(): Promise<number>
  /** Forgets them. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Ids that say which of how many: the same text for everybody. */
export const jobIdOf = (index: number) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`
export const indexOf = (jobId: string) => Number.parseInt(jobId.slice(-12), 16)

/** Peers get the same payload, as `unknown` from a library that gives it back. */
export function jobIdIn(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null || !('jobId' in payload)) throw new TypeError('a job has no id')
  return String(payload.jobId)
}

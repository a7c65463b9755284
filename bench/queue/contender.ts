/** What a queue must be able to do to be measured beside the others; each has its file here, at its best documented settings. */
export type Contender = {
  readonly name: ContenderName
  /** How it was set, for the reader of the results. */
  readonly settings: string
  /** Tables, functions, queues: once, on an empty place. */
  prepare(place: Place): Promise<void>
  openProducer(place: Place): Promise<Producer>
  /** Resolves when it waits for jobs. */
  startWorker(place: Place, work: Work): Promise<RunningWorker>
}

export type ContenderName = 'exora' | 'graphile-worker'

export type Place = {
  /** Of the contender's own database, or of the Redis server; `app` is the login that may only use it. */
  readonly owner: string
  readonly app: string
}

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
  close(): Promise<void>
}

/** Ids that say which of how many: the same text for everybody. */
export const jobIdOf = (index: number) => `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`
export const indexOf = (jobId: string) => Number.parseInt(jobId.slice(-12), 16)

/**
 * The few things that are used of the peers, so that types are checked without installing them (they belong to
 * bench/package.json, not to the product's).
 */
declare module 'graphile-worker' {
  type LogFunction = (level: 'error' | 'warning' | 'info' | 'debug', message: string) => void
  export type Logger = { readonly graphileLogger: unique symbol }
  export const Logger: new (factory: () => LogFunction) => Logger
  type Shared = { readonly connectionString?: string; readonly logger?: Logger }
  type Preset = {
    readonly worker: {
      readonly connectionString: string
      readonly concurrentJobs: number
      readonly maxPoolSize: number
      readonly localQueue: { readonly size: number }
      readonly completeJobBatchDelay: number
      readonly failJobBatchDelay: number
      readonly preparedStatements: boolean
    }
  }
  export function runMigrations(options: Shared): Promise<void>
  export function run(
    options: Shared & {
      readonly preset: Preset
      readonly noHandleSignals: boolean
      readonly taskList: Readonly<Record<string, (payload: unknown) => Promise<void>>>
    },
  ): Promise<{ stop(): Promise<void> }>
  export function makeWorkerUtils(options: Shared): Promise<{
    addJobs(jobs: readonly { readonly identifier: string; readonly payload: unknown }[]): Promise<unknown>
    release(): Promise<void>
  }>
}

declare module 'pg-boss' {
  export class PgBoss {
    constructor(options: {
      readonly connectionString: string
      readonly useListenNotify: boolean
      readonly max: number
      readonly superviseIntervalSeconds: number
      readonly monitorIntervalSeconds: number
    })
    on(event: 'error', listener: (error: Error) => void): this
    start(): Promise<this>
    stop(options: { readonly graceful: boolean }): Promise<void>
    createQueue(name: string, options: { readonly notify: boolean; readonly heartbeatSeconds: number }): Promise<void>
    send(name: string, data: object): Promise<string | null>
    deleteAllJobs(name: string): Promise<number | null>
    insert(name: string, jobs: readonly { readonly data: object }[]): Promise<string[] | null>
    work(
      name: string,
      options: { readonly batchSize: number; readonly localConcurrency: number; readonly burstWhenBatchFull: boolean },
      handler: (jobs: readonly { readonly data: unknown }[]) => Promise<void>,
    ): Promise<string>
  }
}

declare module 'bullmq' {
  type Settings = {
    readonly connection: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null }
  }
  type NewJob = { readonly name: string; readonly data: object }
  export class Queue {
    constructor(name: string, settings: Settings)
    waitUntilReady(): Promise<unknown>
    add(name: string, data: object): Promise<unknown>
    addBulk(jobs: readonly NewJob[]): Promise<unknown>
    obliterate(options: { readonly force: boolean }): Promise<void>
    getJobCounts(...states: string[]): Promise<Record<string, number>>
    close(): Promise<void>
  }
  export class Worker {
    constructor(
      name: string,
      processor: (job: { readonly data: unknown }) => Promise<void>,
      settings: Settings & { readonly concurrency: number; readonly removeOnComplete: { readonly count: number } },
    )
    on(event: 'error', listener: (error: Error) => void): this
    waitUntilReady(): Promise<unknown>
    close(force: boolean): Promise<void>
  }
}

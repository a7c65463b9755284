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

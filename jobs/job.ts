import type { ZodType } from 'zod'
import type { JobLane } from '../db/schema/queue.ts'

/** What server and workers both know of a kind of job; the handler that does it lives with the worker. */
export type JobDefinition<Payload, Name extends string = string> = {
  readonly name: Name
  readonly lane: JobLane
  /** Ids only: what is enqueued is kept, logged and seen by operators. */
  readonly payload: ZodType<Payload>
  /** Runs in all, the first one included. */
  readonly attempts: number
  /** Of one run. */
  readonly timeoutMs: number
  /** Two jobs with the same key are one job, for as long as the queue remembers the first. */
  key?(payload: Payload): string
}

export function defineJob<Payload, const Name extends string>(
  definition: JobDefinition<Payload, Name>,
): JobDefinition<Payload, Name> {
  return Object.freeze(definition)
}

/** The payload that a definition stands for. */
export type PayloadOf<Job> = Job extends JobDefinition<infer Payload> ? Payload : never

import type { Tx } from '../../db/actor.ts'
import type { ScheduleRule } from '../../db/queries/schedules.ts'

/** Recurring work. It may be cut short at any moment, so each run must be able to start where the last one ended. */
export type Schedule = ScheduleRule & { run(deps: ScheduleDeps): Promise<void> }

export type ScheduleDeps = {
  /** A service transaction. */
  readonly inService: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
}

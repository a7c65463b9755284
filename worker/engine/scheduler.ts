import { asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { databaseError } from '../../db/errors.ts'
import { beginScheduleSlot, finishScheduleSlot } from '../../db/queries/workers.ts'
import { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { createRepeat } from './repeat.ts'

/** Recurring work. It may be cut short at any moment, so each run must be able to start where the last one ended. */
export type Schedule = {
  readonly name: string
  readonly everySeconds: number
  run(deps: ScheduleDeps): Promise<void>
}

export type ScheduleDeps = {
  /** A service transaction. */
  readonly inService: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
}

/** Looks for due slots; whoever takes a slot in the database runs it, everybody else goes on. */
export function createScheduler(options: {
  readonly db: Database
  readonly schedules: readonly Schedule[]
  readonly log: Logger
}): Service {
  const { db, log } = options
  const stopping = new AbortController()
  const inService = <T>(work: (tx: Tx) => Promise<T>) => asService(db, {}, work)

  async function runDue(): Promise<void> {
    for (const schedule of options.schedules) {
      if (stopping.signal.aborted) return
      const isOurs = await inService((tx) => beginScheduleSlot(tx, schedule.name, schedule.everySeconds))
      if (isOurs) await runOnce(schedule)
    }
  }

  async function runOnce(schedule: Schedule): Promise<void> {
    const startedAt = performance.now()
    const error = await schedule.run({ inService, signal: stopping.signal }).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    const durationMs = performance.now() - startedAt
    const errorCode = error === null ? null : codeOf(error)
    await inService((tx) => finishScheduleSlot(tx, { name: schedule.name, durationMs, errorCode }))
    if (error === null) log.debug({ event: schedule.name, ms: durationMs }, 'schedule ran')
    else log.error({ event: schedule.name, ms: durationMs, error }, 'schedule failed')
  }

  const shortestMs = Math.min(60, ...options.schedules.map((schedule) => schedule.everySeconds)) * 1000
  const repeat = createRepeat({
    name: 'scheduler',
    everyMs: shortestMs / 2,
    firstWithinMs: 1_000,
    work: runDue,
    onError: (error) => log.warn({ error }, 'schedules could not be looked at'),
  })
  return {
    ...repeat,
    stop: (signal) => {
      stopping.abort()
      return repeat.stop(signal)
    },
  }
}

function codeOf(error: unknown): string {
  const known = error instanceof AppError ? error : databaseError(error)
  return known?.code ?? 'internal_error'
}

import { databaseError } from '../../db/errors.ts'
import { finishScheduleSlot, isScheduleRemoved } from '../../db/queries/schedules.ts'
import { jobs } from '../../jobs/index.ts'
import type { PayloadOf } from '../../jobs/job.ts'
import { AppError } from '../../platform/errors.ts'
import type { Handler, Outcome, RunContext } from '../engine/handler.ts'
import type { Schedule } from '../engine/schedule.ts'

const askNewerWorkersMs = 30_000

/** Looks the schedule up by its name and does its work. */
export function createRunSchedule(schedules: readonly Schedule[]): Handler<PayloadOf<typeof jobs.run_schedule>> {
  const byName = new Map(schedules.map((schedule) => [schedule.name, schedule]))
  return {
    job: jobs.run_schedule,
    run: async ({ schedule: name }, context) => {
      const schedule = byName.get(name)
      return schedule === undefined ? await leaveToOthers(name, context) : await runOnce(schedule, context)
    },
  }
}

async function runOnce(schedule: Schedule, { log, read, signal, write }: RunContext): Promise<Outcome> {
  const { name } = schedule
  const startedAt = performance.now()
  const note = (errorCode: string | null) => ({ name, durationMs: performance.now() - startedAt, errorCode })
  try {
    // `read` holds no lease: batch after batch under its lock would keep the heartbeat from extending it. What a
    // schedule does must be right by itself, whoever else does it at the same time.
    await schedule.run({ inService: read, signal })
    signal.throwIfAborted()
  } catch (error) {
    if (!signal.aborted) await write((tx) => finishScheduleSlot(tx, note(codeOf(error))))
    log.warn({ event: name, ms: performance.now() - startedAt, error }, 'schedule failed')
    throw error
  }
  log.debug({ event: name, ms: performance.now() - startedAt }, 'schedule ran')
  return {
    kind: 'done',
    commit: async (tx) => {
      await finishScheduleSlot(tx, note(null))
      return { schedule: name }
    },
  }
}

/** While versions change, a slot may reach a worker that is older than its schedule; or it was removed meanwhile. */
async function leaveToOthers(name: string, { read }: RunContext): Promise<Outcome> {
  if (await read((tx) => isScheduleRemoved(tx, name))) return { kind: 'done' }
  return { kind: 'snooze', delayMs: askNewerWorkersMs, reason: 'unknown_schedule' }
}

function codeOf(error: unknown): string {
  const known = error instanceof AppError ? error : databaseError(error)
  return known?.code ?? 'internal_error'
}

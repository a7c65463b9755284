/**
 * Recurring work becomes jobs when it is due: `begin_due_slots` decides that, once for all workers. They stand in the
 * queue like others. But housekeeping must not wait behind an archive of hours, nor for a worker of another lane: each
 * worker, whatever it serves, has a few slots of its own for them.
 */
import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import type { ClaimedRow } from '../../db/queries/claims.ts'
import { beginDueSlots, removeOtherSchedules } from '../../db/queries/schedules.ts'
import type { ScheduleRule } from '../../db/queries/schedules.ts'
import type { Logger } from '../../platform/log.ts'
import type { Service } from '../../platform/service.ts'
import { workerStopping } from './errors.ts'

const ownSlots = 2
// What another worker has left or put off is found within this time.
const lookEveryMs = 10_000

export type SchedulerOptions = {
  readonly db: Database
  readonly rules: readonly ScheduleRule[]
  readonly log: Logger
  /** Jobs of schedules, of whatever lanes this worker serves. */
  readonly claim: (max: number) => Promise<readonly ClaimedRow[]>
  /** To its end, which comes soon after the signal. */
  readonly run: (job: ClaimedRow, stopping: AbortSignal) => Promise<void>
}

/** `wake`: a job of a schedule may have come back. */
export type Scheduler = Service & { wake(): void }

export function createScheduler({ db, rules, log, claim, run }: SchedulerOptions): Scheduler {
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | null = null
  let looksAgain = false
  let knowsOurs = false

  async function look(): Promise<number> {
    if (!knowsOurs) {
      const names = rules.map(({ name }) => name)
      await asService(db, {}, (tx) => removeOtherSchedules(tx, names))
      knowsOurs = true
    }
    const due = await asService(db, {}, (tx) => beginDueSlots(tx, rules))
    if (due.begun.length > 0) log.debug({ schedules: due.begun }, 'slots began')
    const wanted = Math.min(due.waiting, ownSlots - running.size)
    if (wanted > 0 && !stopping.signal.aborted) for (const job of await claim(wanted)) begin(job)
    return Math.min(due.nextInMs ?? lookEveryMs, lookEveryMs)
  }

  function begin(job: ClaimedRow): void {
    const ending = run(job, stopping.signal).finally(() => {
      running.delete(ending)
      lookNow()
    })
    running.add(ending)
  }

  function lookNow(): void {
    if (rules.length === 0) return
    if (looking !== null) looksAgain = true
    else lookIn(0)
  }

  function lookIn(delayMs: number): void {
    clearTimeout(timer)
    if (stopping.signal.aborted) return
    timer = setTimeout(() => {
      looking = lookOnce()
    }, delayMs)
  }

  async function lookOnce(): Promise<void> {
    looksAgain = false
    const nextMs = await look().catch((error: unknown) => {
      log.warn({ error }, 'schedules could not be looked at')
      return lookEveryMs
    })
    looking = null
    // Not all workers in the same moment, and none before the slot.
    lookIn(looksAgain ? 0 : nextMs + 10 + Math.random() * 250)
  }

  return {
    name: 'scheduler',
    wake: lookNow,
    async start() {
      if (rules.length > 0) lookIn(Math.random() * 1_000)
    },
    async stop() {
      clearTimeout(timer)
      stopping.abort(workerStopping())
      await looking
      await Promise.allSettled(running)
    },
  }
}

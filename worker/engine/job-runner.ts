import { askAsService, asService } from '../../db/actor.ts'
import { completeJobs } from '../../db/queries/claims.ts'
import type { ClaimedRow } from '../../db/queries/claims.ts'
import { handBackJobs } from '../../db/queries/jobs.ts'
import { whenAborted } from '../../platform/wait.ts'
import { Attempt } from './attempt.ts'
import { createByteBudget } from './byte-budget.ts'
import type { Capacity } from './capacity.ts'
import { createClaimAhead, staleAheadMs } from './claim-ahead.ts'
import { createCompletions } from './completions.ts'
import { workerStopping } from './errors.ts'
import { execute } from './execute.ts'
import type { EngineOptions } from './options.ts'
import type { Ending } from './outcome.ts'
import { createPool } from './pool.ts'
import type { Pool } from './pool.ts'
import { createRunContext, namesOf } from './run-context.ts'
import { createRunningJobs } from './running-jobs.ts'
import type { RunningJobs } from './running-jobs.ts'
import { settle } from './settle.ts'
import type { Settled } from './settle.ts'

/** What this worker has claimed, from the claim until the database knows how it ended. */
export type JobRunner = {
  readonly pool: Pool
  readonly running: RunningJobs
  /** How many more jobs may be claimed now; zero also while it is better to wait for more room. */
  room(): number
  begin(jobs: readonly ClaimedRow[]): void
  /** One job beside the pool and its limits, to its end; cut short by the signal. */
  runAside(job: ClaimedRow, stopping: AbortSignal): Promise<void>
  /**
   * Ends everything that was claimed: by itself until the signal fires, else by giving it back. What has not begun, and
   * what the last claim still brings, goes back at once.
   */
  drain(outOfTime: AbortSignal, lastClaim: Promise<void>): Promise<void>
}

export type JobRunnerHooks = {
  readonly capacity: Capacity
  readonly onFreed: () => void
  readonly wakeIn: (delayMs: number) => void
}

// While one claim of so many is on its way, as many are run.
const mostAtOnce = 500

export function createJobRunner(options: EngineOptions, hooks: JobRunnerHooks): JobRunner {
  const { db, log, metrics, workerId } = options
  const handlers = new Map(options.handlers.map((handler) => [handler.job.name, handler]))
  const running = createRunningJobs()
  const ahead = createClaimAhead()
  const bytes = createByteBudget({ maxBytes: options.maxBytesInFlight, onFreed: hooks.onFreed })
  const pool = createPool({ size: options.concurrency, work: runJob, onFreed: hooks.onFreed })
  const completions = createCompletions({
    send: (attempts) =>
      askAsService(db, (sql) =>
        completeJobs(
          sql,
          workerId,
          attempts.map(({ job }) => job),
        ),
      ),
    settleAlone: (attempt) => settleOne(attempt, { kind: 'done' }),
    onSettled: (attempt, settled) => ended(attempt, { kind: 'done' }, settled),
    onFreed: hooks.onFreed,
  })
  const contextDeps = { db, workerId, log, bytes, capacity: hooks.capacity }
  // From then on nobody waits for a database that is away.
  const settling = new AbortController()
  const settleDeps = { db, workerId, wakeIn: hooks.wakeIn, outOfTime: settling.signal }
  let isDraining = false
  let late: Promise<void> = Promise.resolve()
  let staleTimer: NodeJS.Timeout | undefined

  const run = (attempt: Attempt) =>
    execute(attempt, { handlers, contextFor: (begun) => createRunContext(begun, contextDeps) })

  async function runJob(attempt: Attempt): Promise<void> {
    metrics.running.set(pool.running)
    const begunAt = performance.now()
    const ending = await run(attempt)
    if (ending.kind === 'done' && ending.commit === undefined) completions.add(attempt)
    else await settleOne(attempt, ending)
    ahead.note(attempt.job, performance.now() - begunAt)
    metrics.running.set(pool.running - 1)
  }

  async function runAside(job: ClaimedRow, stopping: AbortSignal): Promise<void> {
    const attempt = new Attempt(job)
    add([attempt])
    const stop = () => attempt.abort(workerStopping())
    if (stopping.aborted) stop()
    stopping.addEventListener('abort', stop, { once: true })
    await settleOne(attempt, await run(attempt))
    stopping.removeEventListener('abort', stop)
  }

  function add(attempts: readonly Attempt[]): void {
    running.add(attempts)
    for (const { job } of attempts) metrics.waited.observe({ lane: job.lane }, Math.max(0, job.waitedMs) / 1000)
  }

  async function settleOne(attempt: Attempt, ending: Ending): Promise<void> {
    try {
      ended(attempt, ending, await settle(attempt.job, ending, settleDeps))
    } catch (error) {
      // Neither result nor failure could be written. The lease runs out, and somebody runs the job again.
      running.remove(attempt)
      metrics.ended.inc({ job_type: attempt.job.type, outcome: 'unsettled' })
      log.error({ error, ...namesOf(attempt) }, 'a job could not be settled')
    }
  }

  function ended(attempt: Attempt, ending: Ending, settled: Settled): void {
    running.remove(attempt)
    const ms = performance.now() - attempt.claimedAt
    metrics.ended.inc({ job_type: attempt.job.type, outcome: settled })
    metrics.ran.observe({ job_type: attempt.job.type }, ms / 1000)
    const error = ending.kind === 'retry' || ending.kind === 'discard' ? { error: ending.error } : {}
    log.info({ ...namesOf(attempt), outcome: settled, ms, ...error }, 'job ended')
  }

  function begin(jobs: readonly ClaimedRow[]): void {
    const attempts = jobs.map((job) => new Attempt(job))
    add(attempts)
    if (isDraining) {
      late = giveBackAttempts(attempts)
      return
    }
    pool.begin(attempts)
    clearTimeout(staleTimer)
    if (pool.waiting > 0) staleTimer = setTimeout(() => void admitMistake(), staleAheadMs)
  }

  async function admitMistake(): Promise<void> {
    if (pool.waiting === 0) return
    ahead.wasWrong()
    const jobs = await giveBackWaiting()
    log.info({ jobs }, 'jobs that were claimed ahead went back')
  }

  /** What has been claimed and not begun goes to whoever has a slot; how many. */
  async function giveBackWaiting(): Promise<number> {
    const waiting = pool.takeWaiting()
    await giveBackAttempts(waiting)
    return waiting.length
  }

  async function giveBackAttempts(attempts: readonly Attempt[]): Promise<void> {
    if (attempts.length > 0) await giveBack(attempts.map(({ job }) => job.id))
    for (const attempt of attempts) running.remove(attempt)
  }

  async function giveBack(jobIds: readonly string[]): Promise<void> {
    await asService(db, {}, (tx) => handBackJobs(tx, workerId, jobIds)).catch((error: unknown) =>
      log.warn({ error }, 'jobs were not handed back; their leases will run out'),
    )
  }

  return {
    pool,
    running,
    room() {
      metrics.bytesInFlight.set(bytes.inFlight)
      if (bytes.isFull) {
        log.debug({ bytes: bytes.inFlight }, 'no room for more bytes')
        return 0
      }
      const extra = ahead.sizeFor(pool.size)
      // What has ended and is on its way to the database keeps its place, but for as many as may be claimed ahead: so the
      // next claim and the last completion are under way at once.
      const unsettled = Math.max(0, completions.pending - extra)
      const room = pool.size + extra - pool.running - pool.waiting - unsettled
      // Claims of a handful, while there is enough to do, would cost more than the jobs.
      return pool.waiting > 0 && room < extra / 2 ? 0 : Math.max(0, Math.min(room, mostAtOnce))
    },
    begin,
    runAside,
    async drain(outOfTime, lastClaim) {
      isDraining = true
      clearTimeout(staleTimer)
      const timeIsUp = whenAborted(outOfTime).then(() => settling.abort())
      // The database may not answer: the jobs that run have their time all the same.
      await Promise.race([giveBackWaiting(), timeIsUp])
      await Promise.race([lastClaim, timeIsUp])
      await Promise.race([late, timeIsUp])
      const idle = pool.whenIdle()
      await Promise.race([idle, timeIsUp])
      if (pool.running > 0) {
        // Back they go first, so that others can begin; then our own attempts are stopped, fenced off already.
        await giveBack(running.ids)
        running.abortAll(workerStopping())
        await idle
      }
      await completions.whenEmpty()
    },
  }
}

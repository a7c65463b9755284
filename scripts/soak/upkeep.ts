import { askAsService } from '../../db/actor.ts'
import { jobLanes } from '../../db/schema/queue.ts'
import { wait } from '../../platform/wait.ts'
import { isOutage, untilAnswered } from './place.ts'
import type { Place } from './place.ts'
import type { SoakPlan } from './plan.ts'
import type { Random } from './random.ts'

export type Upkeep = {
  readonly cancelled: number
  readonly requeued: number
  readonly paused: number
  readonly failures: readonly unknown[]
}

/**
 * What goes on beside the workers until the signal: housekeeping, much more often than in life, and an operator who
 * cancels and requeues what comes before their eyes, and holds a lane for a while.
 */
export async function keepUp(place: Place, plan: SoakPlan, random: Random, signal: AbortSignal): Promise<Upkeep> {
  const failures: unknown[] = []
  const operator = { cancelled: 0, requeued: 0, paused: 0 }
  const requeuedIds = new Set<string>()
  const deleteAfter = `${plan.deleteFinishedAfterMs} milliseconds`

  // The count is in the transaction that deletes: an answer that gets lost loses no count.
  const housekeeping = () =>
    askAsService(place.db, async (ask) => {
      await ask`insert into soak.deletions select public.delete_finished_jobs(${deleteAfter}::interval, 500)`
      await ask`select public.rescue_stale_jobs()`
      await ask`select public.sweep_api_capacity()`
      await ask`select public.promote_due_jobs('{fast_queue,ai_queue,background}'::text[])`
      await ask`select public.forget_silent_workers('1 minute')`
    })

  async function cancelOne(): Promise<void> {
    const rows = await askAsService(
      place.db,
      (ask) => ask<{ ok: boolean }[]>`
        select public.cancel_job(chosen.id) as ok
        from (
          select job.id
          from public.job_queue as job
          where job.status in ('pending', 'processing', 'dead_letter')
            and job.job_type <> 'soak_poison'
          order by job.status = 'processing' desc, random()
          limit 1
        ) as chosen`,
    )
    if (rows[0]?.ok === true) operator.cancelled += 1
  }

  async function requeueOne(): Promise<void> {
    const [dead] = await askAsService(
      place.db,
      (ask) => ask<{ id: string }[]>`
        select job.id from public.job_queue as job where job.status = 'dead_letter' order by random() limit 1`,
    )
    if (dead === undefined || requeuedIds.has(dead.id)) return
    requeuedIds.add(dead.id)
    await askAsService(place.db, (ask) => ask`select public.requeue_dead_letter(${dead.id})`)
    operator.requeued += 1
  }

  async function pauseOne(): Promise<void> {
    const lane = random.pick(jobLanes)
    await askAsService(place.db, (ask) => ask`select public.pause_lane(${lane}, 'soak')`)
    operator.paused += 1
    await wait(plan.leaseMs / 3)
    await untilAnswered(() => askAsService(place.db, (ask) => ask`select public.resume_lane(${lane})`))
  }

  async function repeat(work: () => Promise<void>, meanMs: number): Promise<void> {
    while (!signal.aborted) {
      await wait(random.between(meanMs / 2, meanMs * 1.5))
      await work().catch((error: unknown) => {
        if (!isOutage(error)) failures.push(error)
      })
    }
  }

  const halfMs = plan.troubleEveryMs / 2
  await Promise.all([
    repeat(housekeeping, 300),
    repeat(cancelOne, halfMs),
    repeat(requeueOne, 2 * halfMs),
    repeat(pauseOne, 6 * halfMs),
  ])
  return { ...operator, failures }
}

import { wait } from '../../platform/wait.ts'
import type { Fleet, Worker } from './fleet.ts'
import { isOutage } from './place.ts'
import type { Place } from './place.ts'
import type { SoakPlan, Trouble } from './plan.ts'
import type { Random } from './random.ts'

export type Chaos = {
  readonly counts: ReadonlyMap<Trouble, number>
  /** How long the database did not answer, in all. */
  readonly outageMs: number
}

/** Deals the deck of troubles: all of it at least once, and again until the signal where the plan says so. */
export async function wreak(
  place: Place,
  fleet: Fleet,
  plan: SoakPlan,
  options: { readonly random: Random; readonly signal: AbortSignal; readonly say: (what: string) => void },
): Promise<Chaos> {
  const { random, signal, say } = options
  const counts = new Map<Trouble, number>()
  const frozen: Promise<void>[] = []
  let outageMs = 0

  const somebody = (): Worker | null => {
    const running = fleet.running()
    return running.length === 0 ? null : random.pick(running)
  }

  const withSomebody = (harm: (worker: Worker) => void): boolean => {
    const worker = somebody()
    if (worker !== null) harm(worker)
    return worker !== null
  }

  const restart = async (mode: 'fast' | 'immediate') => {
    outageMs += await place.restart(mode)
    return true
  }

  const troubles: Readonly<Record<Trouble, () => boolean | Promise<boolean>>> = {
    kill: () => withSomebody((worker) => fleet.kill(worker)),
    term: () => withSomebody((worker) => fleet.ask(worker)),
    freeze: () =>
      withSomebody((worker) => {
        const forMs = plan.leaseMs * random.between(1.2, 2.5)
        frozen.push(fleet.freeze(worker, forMs))
      }),
    cut: () => cutConnections(place, random.whole(2, 8)),
    stop_fast: () => restart('fast'),
    stop_immediate: () => restart('immediate'),
  }

  async function deal(): Promise<void> {
    for (const trouble of random.shuffled(plan.troubles)) {
      if (signal.aborted && counts.has(trouble)) continue
      while (!(await troubles[trouble]())) await wait(100)
      counts.set(trouble, (counts.get(trouble) ?? 0) + 1)
      say(trouble)
      await wait(plan.troubleEveryMs * random.between(0.5, 1.5))
    }
  }

  do await deal()
  while (plan.deals === 'until_the_load_ends' && !signal.aborted)
  await Promise.all(frozen)
  return { counts, outageMs }
}

/** False when there was nothing to cut, or nobody to ask. */
async function cutConnections({ owner }: Place, count: number): Promise<boolean> {
  try {
    const cut = await owner`
      select pg_terminate_backend(victim.pid)
      from (
        select activity.pid
        from pg_stat_activity as activity
        where activity.application_name like 'soak-worker%'
        order by random()
        limit ${count}
      ) as victim`
    return cut.length > 0
  } catch (error) {
    if (isOutage(error)) return false
    throw error
  }
}

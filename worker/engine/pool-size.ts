import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { countFleet, readCapacity } from '../../db/queries/capacity.ts'
import type { CapacityState, Endpoint } from '../../db/queries/capacity.ts'
import type { JobLane } from '../../db/schema/queue.ts'

// A shorter pause is waited out in place.
const shortPauseMs = 2_000

export type CapacityView = {
  readonly endpoints: readonly CapacityState[]
  /** Workers that are alive, by lane. */
  readonly fleet: ReadonlyMap<string, number>
}

export async function lookAtCapacity(db: Database, silentAfterMs: number): Promise<CapacityView> {
  return await asService(db, {}, async (tx) => ({
    endpoints: await readCapacity(tx),
    fleet: await countFleet(tx, silentAfterMs),
  }))
}

export type PoolSizeRules = {
  readonly concurrency: number
  readonly lanes: readonly JobLane[]
  readonly laneEndpoints: Partial<Readonly<Record<JobLane, readonly Endpoint[]>>>
}

/**
 * As many jobs as this worker may usefully run: what it was given, or less where the services that its lanes call have
 * room for less. Their concurrency is shared by the workers of a lane; each keeps one slot, to notice when room returns.
 * `usefulJobs` is what the callers of this process have learned by asking.
 */
export function poolSizeFor(
  rules: PoolSizeRules,
  view: CapacityView,
  usefulJobs: (endpoint: Endpoint) => number = () => Number.POSITIVE_INFINITY,
): number {
  const byLane = rules.lanes.map((lane) => {
    const endpoints = rules.laneEndpoints[lane] ?? []
    const shares = endpoints.map((endpoint) =>
      Math.min(shareOf(endpoint, view, view.fleet.get(lane) ?? 1), usefulJobs(endpoint)),
    )
    return Math.min(rules.concurrency, ...shares)
  })
  const wanted = byLane.reduce((sum, size) => sum + size, 0)
  return Math.max(1, Math.min(rules.concurrency, wanted))
}

function shareOf(endpoint: Endpoint, view: CapacityView, workers: number): number {
  const state = stateOf(view, endpoint)
  if (state === undefined) return Number.POSITIVE_INFINITY
  if (!state.isActive || state.blockedMs > shortPauseMs) return 1
  const room = Math.min(
    state.concurrentRequests ?? Number.POSITIVE_INFINITY,
    state.requestsPerMinute ?? Number.POSITIVE_INFINITY,
  )
  return Math.max(1, Math.ceil(room / Math.max(1, workers)))
}

/** Endpoints of which something was changed that callers may have waited for. */
export function changedEndpoints(before: CapacityView | null, now: CapacityView): readonly Endpoint[] {
  return now.endpoints.filter((state) => {
    const known = before === null ? undefined : stateOf(before, state)
    return known !== undefined && termsOf(known) !== termsOf(state)
  })
}

const stateOf = (view: CapacityView, { provider, endpoint }: Endpoint): CapacityState | undefined =>
  view.endpoints.find((known) => known.provider === provider && known.endpoint === endpoint)

const termsOf = (state: CapacityState): string =>
  JSON.stringify([
    state.isActive,
    state.blockedMs > 0,
    state.concurrentRequests,
    state.requestsPerMinute,
    state.tokensPerMinute,
    state.requestsPerDay,
    state.tokensPerDay,
    state.budgetUsdPerDay,
  ])

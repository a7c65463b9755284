import { asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import {
  acquireCapacity,
  countFleet,
  readCapacity,
  recordProviderLimits,
  releaseCapacity,
} from '../../db/queries/capacity.ts'
import type { CapacityState, Endpoint } from '../../db/queries/capacity.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { AppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { wait } from '../../platform/wait.ts'
import { SnoozeSignal } from './errors.ts'
import type { CapacityRequest, ClaimedJob } from './handler.ts'
import { serviceContextOf } from './settle.ts'

// Longer waits give the slot to somebody else.
const maxWaitInPlaceMs = 2_000
// A 429 that does not say how long.
const defaultPauseMs = 5_000

export type CallDeps = {
  readonly db: Database
  readonly workerId: string
  readonly job: ClaimedJob
  readonly signal: AbortSignal
  readonly log: Logger
}

/** One outside call within the limits of the fleet. */
export async function callWithinCapacity<T>(
  request: CapacityRequest,
  call: () => Promise<{ readonly value: T; readonly tokensUsed?: number }>,
  deps: CallDeps,
): Promise<T> {
  const reservationId = await acquireSoon(request, deps)
  let actualTokens: number | null = null
  try {
    const { value, tokensUsed } = await call()
    actualTokens = tokensUsed ?? null
    return value
  } catch (error) {
    const pauseMs = pauseOf(error)
    if (pauseMs === null) throw error
    await asService(deps.db, serviceContextOf(deps.job), (tx) =>
      recordProviderLimits(tx, request, { retryAfterMs: pauseMs }),
    )
    throw new SnoozeSignal(withSpread(pauseMs), 'provider_busy')
  } finally {
    // Whatever became of the job: the call is over, and its room is others'. If this cannot be said now, the reservation
    // ends with the job; the answer that was paid for is worth more.
    await asService(deps.db, serviceContextOf(deps.job), (tx) =>
      releaseCapacity(tx, { ...request, actualTokens, reservationId }),
    ).catch((error: unknown) => deps.log.warn({ error }, 'capacity was not released'))
  }
}

async function acquireSoon(request: CapacityRequest, deps: CallDeps): Promise<string> {
  const startedAt = performance.now()
  for (;;) {
    deps.signal.throwIfAborted()
    // A transaction of its own: the endpoint's row is locked until it ends.
    const answer = await asService(deps.db, serviceContextOf(deps.job), (tx) => acquireIfAllowed(tx, request, deps))
    if (answer.kind === 'granted') return answer.reservationId
    // The run made its plans when the consent held: it begins anew, at once, and makes others.
    if (answer.kind === 'not_consented') throw new SnoozeSignal(0, 'consent_withdrawn')
    const waitedMs = performance.now() - startedAt
    if (waitedMs + answer.retryAfterMs > maxWaitInPlaceMs) {
      throw new SnoozeSignal(withSpread(Math.max(answer.retryAfterMs, 500)), 'no_capacity')
    }
    await wait(answer.retryAfterMs + Math.random() * 50, { signal: deps.signal })
  }
}

async function acquireIfAllowed(tx: Tx, request: CapacityRequest, { job, workerId }: CallDeps) {
  const { consent, ...wanted } = request
  if (consent !== null && !(await holdConsent(tx, consent))) return { kind: 'not_consented' } as const
  return await acquireCapacity(tx, { ...wanted, jobId: job.id, workerId })
}

// Those who are refused together must not come back together.
const withSpread = (delayMs: number) => Math.round(delayMs * (1 + Math.random() / 10) + Math.random() * 500)

/** How long the endpoint wants to be left alone, or null when the error says nothing of the kind. */
function pauseOf(error: unknown): number | null {
  if (!(error instanceof AppError)) return null
  if (error.status === 429) return error.retryAfterMs ?? defaultPauseMs
  return error.status === 503 ? error.retryAfterMs : null
}

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
 */
export function poolSizeFor(rules: PoolSizeRules, view: CapacityView): number {
  const byLane = rules.lanes.map((lane) => {
    const endpoints = rules.laneEndpoints[lane] ?? []
    const shares = endpoints.map((endpoint) => shareOf(endpoint, view, view.fleet.get(lane) ?? 1))
    return Math.min(rules.concurrency, ...shares)
  })
  const wanted = byLane.reduce((sum, size) => sum + size, 0)
  return Math.max(1, Math.min(rules.concurrency, wanted))
}

function shareOf(endpoint: Endpoint, view: CapacityView, workers: number): number {
  const state = view.endpoints.find(
    (known) => known.provider === endpoint.provider && known.endpoint === endpoint.endpoint,
  )
  if (state === undefined) return Number.POSITIVE_INFINITY
  if (!state.isActive || state.blockedMs > maxWaitInPlaceMs) return 1
  const room = Math.min(
    state.concurrentRequests ?? Number.POSITIVE_INFINITY,
    state.requestsPerMinute ?? Number.POSITIVE_INFINITY,
  )
  return Math.max(1, Math.ceil(room / Math.max(1, workers)))
}

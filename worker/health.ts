import type { CapacityState } from '../db/queries/capacity.ts'
import type { JobLane } from '../db/schema/queue.ts'
import type { WorkerConfig } from './config.ts'
import type { Engine } from './engine/engine.ts'

type Availability = 'available' | 'rate_limited' | 'unavailable'

/** What `/health` of a worker answers. */
export type WorkerHealth = {
  readonly status: 'healthy' | 'stopping' | 'unhealthy'
  readonly worker_id: string
  readonly active_jobs: number
  readonly concurrency: number
  readonly last_heartbeat: string | null
  readonly heartbeat: 'alive' | 'dead'
  readonly listener: 'alive' | 'dead'
  readonly lanes: readonly JobLane[]
  /** Those of them that operators have paused. */
  readonly paused_lanes: readonly JobLane[]
  readonly api_capacity: { readonly openai: Availability; readonly google_vision: Availability }
  readonly environment: string
  readonly version: string
  readonly uptime_seconds: number
}

/** The truth as of now: a worker that can neither prove that it lives nor hear of jobs is not healthy. */
export function describeHealth(
  engine: Engine,
  worker: { readonly config: WorkerConfig; readonly workerId: string; readonly startedAt: number },
): { readonly isHealthy: boolean; readonly body: WorkerHealth } {
  const { config } = worker
  const state = engine.health()
  const endpoints = state.capacity?.endpoints ?? []
  return {
    isHealthy: state.isHealthy,
    body: {
      status: statusOf(state),
      worker_id: worker.workerId,
      active_jobs: state.activeJobs,
      concurrency: state.poolSize,
      last_heartbeat: state.lastHeartbeatAt?.toISOString() ?? null,
      heartbeat: state.isHeartbeatAlive ? 'alive' : 'dead',
      listener: state.isListenerAlive ? 'alive' : 'dead',
      lanes: config.lanes,
      paused_lanes: config.lanes.filter((lane) => state.pausedLanes.includes(lane)),
      api_capacity: {
        openai: config.openai === null ? 'unavailable' : availabilityOf(endpoints, 'openai', config.openai.model),
        google_vision: config.googleVision === null ? 'unavailable' : availabilityOf(endpoints, 'google', 'vision-api'),
      },
      environment: config.environment,
      version: config.version,
      uptime_seconds: Math.round((performance.now() - worker.startedAt) / 1000),
    },
  }
}

function statusOf(state: { readonly isHealthy: boolean; readonly isStopping: boolean }): WorkerHealth['status'] {
  if (!state.isHealthy) return 'unhealthy'
  return state.isStopping ? 'stopping' : 'healthy'
}

function availabilityOf(endpoints: readonly CapacityState[], provider: string, endpoint: string): Availability {
  const state = endpoints.find((known) => known.provider === provider && known.endpoint === endpoint)
  if (state === undefined || !state.isActive) return 'unavailable'
  return state.blockedMs > 0 || isFull(state) ? 'rate_limited' : 'available'
}

const isFull = (state: CapacityState) =>
  state.underWay >= (state.concurrentRequests ?? Number.POSITIVE_INFINITY) ||
  state.requestsUsed >= (state.requestsPerMinute ?? Number.POSITIVE_INFINITY) ||
  state.tokensUsed >= (state.tokensPerMinute ?? Number.POSITIVE_INFINITY)

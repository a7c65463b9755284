import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

export type Endpoint = { readonly provider: string; readonly endpoint: string }

/** Why there is no room: what is full, or who has closed the endpoint. */
export const refusals = ['requests', 'tokens', 'at_once', 'day', 'pause', 'switched_off'] as const

export type Grant =
  /** `waitedMs`: for the endpoint's row. The rest of the time that the answer took, the grant has been good for. */
  | { readonly kind: 'granted'; readonly reservationId: string; readonly waitedMs: number }
  | { readonly kind: 'refused'; readonly retryAfterMs: number; readonly by: (typeof refusals)[number] }

const grantRow = z.union([
  z.object({ granted: z.literal(true), reservation_id: z.string(), waited_ms: z.coerce.number() }),
  z.object({ granted: z.literal(false), retry_after_ms: z.number(), refused_for: z.enum(refusals) }),
])

export async function acquireCapacity(
  tx: Tx,
  request: Endpoint & { readonly estimatedTokens: number; readonly jobId: string; readonly workerId: string },
): Promise<Grant> {
  const [answer] = await tx.execute(sql`
    select granted, reservation_id, retry_after_ms, refused_for, waited_ms
    from public.ask_api_capacity(
      p_provider_name => ${request.provider},
      p_api_endpoint => ${request.endpoint},
      p_estimated_tokens => ${request.estimatedTokens},
      p_job_id => ${request.jobId},
      p_worker_id => ${request.workerId}
    )`)
  const row = grantRow.parse(answer)
  return row.granted
    ? { kind: 'granted', reservationId: row.reservation_id, waitedMs: row.waited_ms }
    : { kind: 'refused', retryAfterMs: row.retry_after_ms, by: row.refused_for }
}

/** null: the truth is not known; the estimate of the tokens stays, and no cost is counted. */
export async function releaseCapacity(
  tx: Tx,
  call: Endpoint & {
    readonly estimatedTokens: number
    readonly actualTokens: number | null
    readonly costUsd: number | null
    readonly reservationId: string
  },
): Promise<void> {
  await tx.execute(sql`
    select public.release_api_capacity(
      p_provider_name => ${call.provider},
      p_api_endpoint => ${call.endpoint},
      p_estimated_tokens => ${call.estimatedTokens},
      p_actual_tokens => ${call.actualTokens},
      p_reservation_id => ${call.reservationId},
      p_actual_cost_usd => ${call.costUsd}
    )`)
}

/** Of a call that was never made: its room is there again at once. */
export async function returnCapacity(tx: Tx, reservationId: string): Promise<void> {
  await tx.execute(sql`select public.return_api_capacity(${reservationId})`)
}

export async function recordProviderLimits(
  tx: Tx,
  endpoint: Endpoint,
  said: {
    readonly retryAfterMs: number
    readonly requestsPerMinute?: number | null
    readonly tokensPerMinute?: number | null
  },
): Promise<void> {
  await tx.execute(sql`
    select public.record_provider_limits(
      p_provider_name => ${endpoint.provider},
      p_api_endpoint => ${endpoint.endpoint},
      p_retry_after_ms => ${Math.ceil(said.retryAfterMs)},
      p_requests_per_minute => ${said.requestsPerMinute ?? null},
      p_tokens_per_minute => ${said.tokensPerMinute ?? null}
    )`)
}

const capacityRow = z
  .object({
    provider_name: z.string(),
    api_endpoint: z.string(),
    concurrent_requests: z.number().nullable(),
    requests_per_minute: z.number().nullable(),
    tokens_per_minute: z.number().nullable(),
    under_way: z.number(),
    requests_used: z.number(),
    tokens_used: z.coerce.number(),
    blocked_ms: z.number(),
    is_active: z.boolean(),
    requests_per_day: z.number().nullable(),
    tokens_per_day: z.coerce.number().nullable(),
    budget_usd_per_day: z.coerce.number().nullable(),
    requests_today: z.number(),
    tokens_today: z.coerce.number(),
    cost_usd_today: z.coerce.number(),
  })
  .transform((row) => ({
    provider: row.provider_name,
    endpoint: row.api_endpoint,
    concurrentRequests: row.concurrent_requests,
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute,
    underWay: row.under_way,
    requestsUsed: row.requests_used,
    tokensUsed: row.tokens_used,
    blockedMs: row.blocked_ms,
    isActive: row.is_active,
    requestsPerDay: row.requests_per_day,
    tokensPerDay: row.tokens_per_day,
    budgetUsdPerDay: row.budget_usd_per_day,
    requestsToday: row.requests_today,
    tokensToday: row.tokens_today,
    costUsdToday: row.cost_usd_today,
  }))

export type CapacityState = z.infer<typeof capacityRow>

export async function readCapacity(tx: Tx): Promise<readonly CapacityState[]> {
  const rows = await tx.execute(sql`
    select
      provider_name, api_endpoint, concurrent_requests, requests_per_minute, tokens_per_minute,
      under_way, requests_used, tokens_used, blocked_ms, is_active,
      requests_per_day, tokens_per_day, budget_usd_per_day, requests_today, tokens_today, cost_usd_today
    from public.get_api_capacity()`)
  return rows.map((row) => capacityRow.parse(row))
}

const fleetRow = z.object({ lane: z.string(), workers: z.number() })

/** A cautious limit for an endpoint that nobody has set one for; one that is there stays as it is. */
export async function ensureEndpoint(tx: Tx, endpoint: Endpoint): Promise<'known' | 'added'> {
  const rows = await tx.execute(sql`
    insert into public.api_rate_limits (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
    values (${endpoint.provider}, ${endpoint.endpoint}, 500, 200000, 8)
    on conflict (provider_name, api_endpoint) do nothing
    returning id`)
  return rows.length === 0 ? 'known' : 'added'
}

/** How many workers that are alive serve each lane. */
export async function countFleet(tx: Tx, silentAfterMs: number): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.execute(sql`
    select served.lane, count(*)::int as workers
    from public.workers as worker
    cross join unnest(worker.lanes) as served (lane)
    where worker.last_seen_at > now() - make_interval(secs => ${silentAfterMs / 1000})
      and not worker.is_stopping
    group by served.lane`)
  return new Map(rows.map((row) => fleetRow.parse(row)).map((row) => [row.lane, row.workers]))
}

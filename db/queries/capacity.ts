import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

export type Endpoint = { readonly provider: string; readonly endpoint: string }

export type Grant =
  | { readonly kind: 'granted'; readonly reservationId: string }
  | { readonly kind: 'refused'; readonly retryAfterMs: number }

const grantRow = z.object({
  granted: z.boolean(),
  reservation_id: z.string().nullable(),
  retry_after_ms: z.number(),
})

export async function acquireCapacity(
  tx: Tx,
  request: Endpoint & { readonly estimatedTokens: number; readonly jobId: string; readonly workerId: string },
): Promise<Grant> {
  const [row] = await tx.execute(sql`
    select granted, reservation_id, retry_after_ms
    from public.acquire_api_capacity(
      p_provider_name => ${request.provider},
      p_api_endpoint => ${request.endpoint},
      p_estimated_tokens => ${request.estimatedTokens},
      p_job_id => ${request.jobId},
      p_worker_id => ${request.workerId}
    )`)
  const { reservation_id, retry_after_ms } = grantRow.parse(row)
  if (reservation_id === null) return { kind: 'refused', retryAfterMs: retry_after_ms }
  return { kind: 'granted', reservationId: reservation_id }
}

/** `actualTokens` null: the truth is not known, and the estimate stays. */
export async function releaseCapacity(
  tx: Tx,
  call: Endpoint & {
    readonly estimatedTokens: number
    readonly actualTokens: number | null
    readonly reservationId: string
  },
): Promise<void> {
  await tx.execute(sql`
    select public.release_api_capacity(
      ${call.provider}, ${call.endpoint}, ${call.estimatedTokens}, ${call.actualTokens}, ${call.reservationId}
    )`)
}

export async function recordProviderLimits(
  tx: Tx,
  endpoint: Endpoint,
  said: { readonly retryAfterMs: number },
): Promise<void> {
  await tx.execute(
    sql`select public.record_provider_limits(${endpoint.provider}, ${endpoint.endpoint}, ${Math.ceil(said.retryAfterMs)})`,
  )
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
  }))

export type CapacityState = z.infer<typeof capacityRow>

export async function readCapacity(tx: Tx): Promise<readonly CapacityState[]> {
  const rows = await tx.execute(sql`
    select
      provider_name, api_endpoint, concurrent_requests, requests_per_minute, tokens_per_minute,
      under_way, requests_used, tokens_used, blocked_ms, is_active
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

import type postgres from 'postgres'
import { testDatabase } from './postgres.ts'
import type { Teardown } from './postgres.ts'
import { serviceSql } from './queue.ts'

export type Limits = { requests?: number | null; tokens?: number | null; concurrent?: number | null }
export type Grant = { granted: boolean; reservation_id: string | null; retry_after_ms: number }

export async function endpointWith(t: Teardown, limits: Limits) {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl, 20)
  await sql`
    insert into public.api_rate_limits
      (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
    values ('tester', 'chat', ${limits.requests ?? null}, ${limits.tokens ?? null}, ${limits.concurrent ?? null})`
  return {
    sql,
    acquire: (options: { tokens?: number; job?: string } = {}) => acquire(sql, options),
    release: (grant: Grant, estimated: number, actual: number | null = null) =>
      sql`select public.release_api_capacity('tester', 'chat', ${estimated}, ${actual}, ${grant.reservation_id})`,
    /** Everything granted so far was granted that much earlier. */
    letPass: async (seconds: number) => {
      // Through negative numbers, so that no slot meets another on its way.
      await sql`update public.api_usage_slots set slot = -(slot - ${seconds * 10})`
      await sql`update public.api_usage_slots set slot = -slot`
      await sql`update public.api_capacity_reservations set slot = slot - ${seconds * 10}`
      await sql`update public.api_rate_limits set line_slot = line_slot - ${seconds * 10}`
    },
  }
}

async function acquire(sql: postgres.Sql, options: { tokens?: number; job?: string } = {}): Promise<Grant> {
  const [row] = await sql<Grant[]>`
    select granted, reservation_id, retry_after_ms
    from public.acquire_api_capacity(
      p_provider_name => 'tester',
      p_api_endpoint => 'chat',
      p_estimated_tokens => ${options.tokens ?? 10},
      p_job_id => ${options.job ?? null}::uuid
    )`
  if (row === undefined) throw new Error('acquire_api_capacity answered nothing')
  return row
}

import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { z } from 'zod'
import { uuidOfText } from '../../platform/uuid.ts'
import type { Tx } from '../actor.ts'

export type AllowanceRequest = {
  readonly caller: string
  readonly perMinute: number
  /** Let through already; negative: taken and not used. */
  readonly spent: number
  readonly wanted: number
}
export type AllowanceAnswer = {
  readonly caller: string
  readonly granted: number
  readonly available: number
  readonly retryAfterMs: number
}

const answerRows = z.array(
  z.object({ caller_key: z.uuid(), granted: z.int(), available: z.number(), retry_after_ms: z.int() }),
)

/** Service only. A caller that is not answered for is a whole budget: its row was forgotten in this very moment. */
export async function takeRequestAllowances(
  ask: postgres.ISql,
  requests: readonly AllowanceRequest[],
): Promise<readonly AllowanceAnswer[]> {
  // The table does not have to say who called, only that it was the same one.
  const byKey = new Map(requests.map((request) => [uuidOfText(request.caller), request]))
  const asked = [...byKey.values()]
  const rows = await ask`
    select caller_key, granted, available, retry_after_ms
    from public.take_request_allowances(
      p_caller_keys => ${arrayOf([...byKey.keys()])}::text::uuid[],
      p_per_minute => ${arrayOf(asked.map(({ perMinute }) => perMinute))}::text::int[],
      p_spent => ${arrayOf(asked.map(({ spent }) => spent))}::text::int[],
      p_wanted => ${arrayOf(asked.map(({ wanted }) => wanted))}::text::int[]
    )`
  return answerRows.parse(rows).flatMap((row) => {
    const caller = byKey.get(row.caller_key)?.caller
    if (caller === undefined) return []
    return [{ caller, granted: row.granted, available: row.available, retryAfterMs: row.retry_after_ms }]
  })
}

/** Returns how many were forgotten. */
export async function forgetWholeAllowances(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.forget_whole_allowances(${limit}) as count`)
  return z.object({ count: z.coerce.number() }).parse(row).count
}

/** As PostgreSQL writes one: sessions of the service know no types of arrays. */
const arrayOf = (values: readonly (string | number)[]) => `{${values.join(',')}}`

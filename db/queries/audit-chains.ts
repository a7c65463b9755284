import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

const chainRow = z.object({
  rows: z.coerce.number(),
  unsealed: z.coerce.number(),
  firstBroken: z.uuid().nullable(),
  lastPosition: z.coerce.number(),
  lastHash: z.string(),
})
/** What verifying one month found; with its newest seal, place 0 where there is none yet. */
export type VerifiedChain = z.output<typeof chainRow>

/** Service only, like the rest of this file. The months of the log, oldest first. */
export async function listAuditChains(tx: Tx): Promise<string[]> {
  const rows = await tx.execute<{ chain: string }>(sql`select chain from public.audit_chains() as chain order by chain`)
  return rows.map(({ chain }) => chain)
}

export async function verifyAuditChain(tx: Tx, chain: string): Promise<VerifiedChain> {
  const [row] = await tx.execute(sql`
    select rows, unsealed, first_broken as "firstBroken", last_position as "lastPosition",
      encode(last_hash, 'hex') as "lastHash"
    from public.verify_audit_chain(${chain})`)
  return chainRow.parse(row)
}

/** In hexadecimal; null where the chain has no such place. */
export async function readAuditHash(tx: Tx, chain: string, position: number): Promise<string | null> {
  const [row] = await tx.execute<{ hash: string | null }>(
    sql`select encode(public.audit_hash_at(${chain}, ${position}), 'hex') as hash`,
  )
  return row?.hash ?? null
}

/** Events that are in no month yet, because the log refused them. */
export async function countFailedAuditEvents(tx: Tx): Promise<number> {
  const [row] = await tx.execute<{ count: number }>(
    sql`select count(*)::int as count from public.failed_audit_events where recovered_at is null`,
  )
  return row?.count ?? 0
}

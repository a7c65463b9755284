import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { auditOperations } from '../schema/foundations.ts'

export const whoKinds = ['account', 'clinician', 'service'] as const
export const accessBases = ['owner', 'guardian', 'delegate', 'provider', 'break_glass'] as const

const accessLogRow = z.object({
  entry_id: z.uuid(),
  /** PostgreSQL's own text: a Date would lose its microseconds, and a page its place. */
  at: z.string(),
  who_kind: z.enum(whoKinds),
  who: z.string().nullable(),
  on_behalf_of: z.string().nullable(),
  basis: z.enum(accessBases).nullable(),
  shared_by: z.string().nullable(),
  reason: z.string().nullable(),
  explanation: z.string().nullable(),
  resource: z.string(),
  view: z.string().nullable(),
  record_id: z.string(),
  operation: z.enum(auditOperations),
  count: z.int(),
})
export type AccessLogEntry = z.output<typeof accessLogRow>
export type AccessLogCursor = { readonly at: string; readonly id: string }

/** Newest first, one more than asked for if there are more. Raises insufficient_privilege for who may not see it. */
export async function listAccessLog(
  tx: Tx,
  page: {
    readonly profileId: string
    readonly limit: number
    readonly before: AccessLogCursor | null
    readonly who: 'everybody' | 'others'
  },
): Promise<AccessLogEntry[]> {
  const rows = await tx.execute(sql`
    select entry_id, at::text as at, who_kind, who, on_behalf_of, basis, shared_by, reason, explanation, resource, view,
      record_id, operation, count
    from public.patient_access_log(
      p_profile_id => ${page.profileId}::uuid,
      p_before => ${page.before?.at ?? null}::timestamptz,
      p_before_id => ${page.before?.id ?? null}::uuid,
      p_limit => ${page.limit + 1},
      p_others_only => ${page.who === 'others'}
    )`)
  return z.array(accessLogRow).parse([...rows])
}

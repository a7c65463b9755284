import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { auditOperations, complianceCategories } from '../schema/foundations.ts'
import type { AccessLogCursor } from './access-log.ts'

/** What clients may report; `client_events()` has the same words. */
export const clientEvents = [
  'document_displayed',
  'document_exported',
  'document_printed',
  'document_shared',
  'record_displayed',
  'record_exported',
  'record_printed',
  'record_shared',
] as const

export type ClientEvent = {
  readonly patientId: string
  readonly event: (typeof clientEvents)[number]
  /** Of the document, for what happened to one. */
  readonly documentId: string | null
}

const idRow = z.object({ id: z.uuid() })

/** Raises insufficient_privilege for what the account of the transaction may not see. Gives the id of the audit row. */
export async function reportClientEvent(tx: Tx, { patientId, event, documentId }: ClientEvent): Promise<string> {
  const [row] = await tx.execute(
    sql`select public.report_client_event(${patientId}::uuid, ${event}, ${documentId}::uuid) as id`,
  )
  return idRow.parse(row).id
}

const auditRow = z.object({
  id: z.uuid(),
  /** PostgreSQL's own text: a Date would lose its microseconds, and a page its place. */
  at: z.string(),
  resource: z.string(),
  record_id: z.string(),
  operation: z.enum(auditOperations),
  view: z.string().nullable(),
  reported: z.boolean(),
  patient_id: z.uuid().nullable(),
  account_id: z.uuid().nullable(),
  actor_role: z.string(),
  reason: z.string().nullable(),
  category: z.enum(complianceCategories).nullable(),
  correlation_id: z.string().nullable(),
})
export type AuditEvent = z.output<typeof auditRow>
export type AuditPage = { readonly limit: number; readonly before: AccessLogCursor | null }

/** Newest first, one more than asked for if there are more. For whoever holds the profile as its owner. */
export async function listAuditEventsOf(tx: Tx, patientId: string, page: AuditPage): Promise<AuditEvent[]> {
  return await read(tx, sql`public.patient_audit_events(${argumentsOf(patientId, page)})`)
}

/** The same for operators, of one person or of all; writes that they looked. */
export async function listAuditEventsAsOperator(
  tx: Tx,
  patientId: string | null,
  page: AuditPage,
): Promise<AuditEvent[]> {
  return await read(tx, sql`public.operator_audit_events(${argumentsOf(patientId, page)})`)
}

const argumentsOf = (patientId: string | null, { limit, before }: AuditPage) =>
  sql`${patientId}::uuid, ${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid, ${limit + 1}::int`

async function read(tx: Tx, source: ReturnType<typeof sql>): Promise<AuditEvent[]> {
  const rows = await tx.execute(sql`
    select log.id, log.changed_at::text as at, log.table_name as resource, log.record_id, log.operation,
      log.new_values ->> 'view' as view, coalesce((log.new_values ->> 'reported')::boolean, false) as reported,
      log.patient_id, log.changed_by as account_id, log.actor_role, log.reason, log.compliance_category as category,
      log.correlation_id
    from ${source} as log`)
  return z.array(auditRow).parse([...rows])
}

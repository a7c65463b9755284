import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

/** A fact of another document that stands behind the same event. */
export type OtherMention = { readonly document_id: string; readonly fact_id: string }

const otherMention = z.object({ event_id: z.uuid(), document_id: z.uuid(), fact_id: z.uuid() })

/** By event, where else the record takes the same to be said; of many, the newest documents. */
export async function mentionsInOtherFiles(tx: Tx, shellFileId: string): Promise<ReadonlyMap<string, OtherMention[]>> {
  const rows = await tx.execute(sql`
    select own.event_id, other.document_id, other.fact_id
    from (
      select distinct fact.event_id
      from public.entity_processing_audit_v2 as fact
      where fact.shell_file_id = ${shellFileId} and fact.event_id is not null
    ) as own
    cross join lateral (
      select said.document_id, said.fact_id
      from (
        select distinct on (fact.shell_file_id) fact.shell_file_id as document_id, fact.id as fact_id, file.created_at
        from public.entity_processing_audit_v2 as fact
        join public.shell_files as file on file.id = fact.shell_file_id and file.deleted_at is null
        where fact.event_id = own.event_id and fact.shell_file_id <> ${shellFileId}
        order by fact.shell_file_id, fact.decision, fact.id
      ) as said
      order by said.created_at desc, said.document_id
      limit 20
    ) as other
  `)
  const byEvent = new Map<string, OtherMention[]>()
  for (const row of rows) {
    const { event_id: event, ...other } = otherMention.parse(row)
    byEvent.set(event, [...(byEvent.get(event) ?? []), other])
  }
  return byEvent
}

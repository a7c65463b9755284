import { eq, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { clinicalNarratives, clinicalNarrativeSentences, type eventTypes } from '../schema/clinical.ts'
import type { factStatuses } from '../schema/facts.ts'

/** An event with what its spoke says: a row of the view `patient_record`. */
export type RecordRow = {
  readonly id: string
  readonly eventType: (typeof eventTypes)[number]
  readonly assertion: (typeof factStatuses)[number]
  readonly name: string
  readonly codeSystem: string | null
  readonly code: string | null
  readonly eventDate: string | null
  readonly dateMeaning: string | null
  readonly valueText: string | null
  readonly unit: string | null
  readonly referenceRange: string | null
  readonly flag: string | null
  readonly frequency: string | null
  readonly clinicalStatus: string | null
  readonly indication: string | null
  readonly reaction: string | null
  readonly relationship: string | null
}

export type NewNarrative = {
  readonly title: string
  readonly provider: string
  readonly model: string
  readonly promptVersion: string | null
  readonly sentences: readonly { readonly sentence: string; readonly citedEventIds: readonly string[] }[]
}

/** What a file says, in the order of its events: also what it says again and another file said first. */
export async function recordOfFile(tx: Tx, shellFileId: string): Promise<RecordRow[]> {
  return await recordRows(
    tx,
    sql`record.id in (
      select fact.event_id from public.entity_processing_audit_v2 as fact where fact.shell_file_id = ${shellFileId}
    )`,
  )
}

/** Dated readings of the same tests in the whole record. */
export async function readingsOf(tx: Tx, patientId: string, codes: readonly string[]): Promise<RecordRow[]> {
  if (codes.length === 0) return []
  return await recordRows(
    tx,
    sql`record.patient_id = ${patientId}
      and record.event_type in ('lab_result', 'vital_sign')
      and record.event_day is not null
      and record.code in ${codes}`,
  )
}

/** A file's storylines are written anew as a whole. */
export async function replaceNarratives(
  tx: Tx,
  file: { readonly shellFileId: string; readonly patientId: string },
  narratives: readonly NewNarrative[],
): Promise<void> {
  await tx.delete(clinicalNarratives).where(eq(clinicalNarratives.shellFileId, file.shellFileId))
  for (const [ordinal, { sentences, ...narrative }] of narratives.entries()) {
    const [row] = await tx
      .insert(clinicalNarratives)
      .values({ ...file, ...narrative, ordinal })
      .returning({ id: clinicalNarratives.id })
    if (row === undefined) throw new Error('the storyline was not stored')
    await tx.insert(clinicalNarrativeSentences).values(
      sentences.map(({ sentence, citedEventIds }, place) => ({
        narrativeId: row.id,
        ordinal: place,
        patientId: file.patientId,
        sentence,
        citedEventIds: [...citedEventIds],
      })),
    )
  }
}

async function recordRows(tx: Tx, which: ReturnType<typeof sql>): Promise<RecordRow[]> {
  const rows = await tx.execute<RecordRow>(sql`
    select
      record.id,
      record.event_type as "eventType",
      record.assertion,
      record.name,
      record.code_system as "codeSystem",
      record.code,
      record.event_date as "eventDate",
      record.date_meaning as "dateMeaning",
      record.value_text as "valueText",
      record.unit,
      record.reference_range as "referenceRange",
      record.flag,
      record.frequency,
      record.clinical_status as "clinicalStatus",
      record.indication,
      record.reaction,
      record.relationship
    from public.patient_record as record
    where ${which}
    order by record.event_day nulls last, record.id
  `)
  return [...rows]
}

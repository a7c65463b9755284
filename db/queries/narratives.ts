import { eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { clinicalNarratives, clinicalNarrativeSentences, type eventTypes } from '../schema/clinical.ts'
import type { factStatuses } from '../schema/facts.ts'

/** An event of the record with what its spoke says: a row of the view `patient_record`. */
export type RecordedEvent = {
  readonly id: string
  readonly eventType: (typeof eventTypes)[number]
  readonly assertion: (typeof factStatuses)[number]
  readonly name: string
  readonly codeSystem: string | null
  readonly code: string | null
  /** ISO 8601, as exact as printed. */
  readonly eventDate: string | null
  readonly dateMeaning: string | null
  readonly valueText: string | null
  readonly unit: string | null
  readonly referenceRange: string | null
  readonly flag: string | null
  readonly dose: string | null
  readonly route: string | null
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
export async function recordOfFile(tx: Tx, shellFileId: string): Promise<RecordedEvent[]> {
  return await recordRows(
    tx,
    sql`record.id in (
      select fact.event_id from public.entity_processing_audit_v2 as fact where fact.shell_file_id = ${shellFileId}
    )`,
  )
}

/** Dated readings of the same tests in the whole record. */
export async function readingsOf(tx: Tx, patientId: string, codes: readonly string[]): Promise<RecordedEvent[]> {
  if (codes.length === 0) return []
  return await recordRows(
    tx,
    sql`record.patient_id = ${patientId}
      and record.event_type in ('lab_result', 'vital_sign')
      and record.event_day is not null
      and record.code in ${codes}`,
  )
}

/** All that the record says of a person, as far as the reader may see it. */
export async function recordOfPerson(tx: Tx, patientId: string): Promise<RecordedEvent[]> {
  return await recordRows(tx, sql`record.patient_id = ${patientId}`)
}

/** A storyline as it is shown. */
export type ToldNarrative = {
  readonly title: string
  readonly model: string
  readonly sentences: readonly { readonly sentence: string; readonly citedEventIds: readonly string[] }[]
}

const toldRow = z.object({
  title: z.string(),
  model: z.string(),
  sentences: z.array(z.object({ sentence: z.string(), citedEventIds: z.array(z.uuid()) })),
})

/** Storylines of a file, without sentences that are out of the record's views just now. */
export async function narrativesOfFile(tx: Tx, shellFileId: string): Promise<ToldNarrative[]> {
  const rows = await tx.execute(sql`
    select told.title, narrative.model,
      jsonb_agg(
        jsonb_build_object('sentence', told.sentence, 'citedEventIds', told.cited_event_ids) order by told.sentence_ordinal
      ) as sentences
    from public.patient_narrative as told
    join public.clinical_narratives as narrative on narrative.id = told.id
    where told.shell_file_id = ${shellFileId}
    group by told.id, told.title, told.ordinal, narrative.model
    order by told.ordinal
  `)
  return rows.map((row) => toldRow.parse(row))
}

/** A fact that says an event: `GET /documents/:id/facts` of its document shows where it stands on the page. */
export type CitedFact = { readonly id: string; readonly eventId: string; readonly documentId: string }

const citedRow = z.object({ id: z.uuid(), eventId: z.uuid(), documentId: z.uuid() })

/** The facts behind events, as far as the reader may see them, without those of documents in the bin. */
export async function factsOfEvents(tx: Tx, eventIds: readonly string[]): Promise<CitedFact[]> {
  if (eventIds.length === 0) return []
  const rows = await tx.execute(sql`
    select fact.id, fact.event_id as "eventId", fact.shell_file_id as "documentId"
    from public.entity_processing_audit_v2 as fact
    join public.shell_files as file on file.id = fact.shell_file_id and file.deleted_at is null
    where fact.event_id in (
      select wanted.id::uuid from jsonb_array_elements_text(${JSON.stringify(eventIds)}::text::jsonb) as wanted (id)
    )
    order by fact.id
  `)
  return rows.map((row) => citedRow.parse(row))
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

async function recordRows(tx: Tx, which: ReturnType<typeof sql>): Promise<RecordedEvent[]> {
  const rows = await tx.execute<RecordedEvent>(sql`
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
      record.dose,
      record.route,
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

import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import {
  familyHistory,
  healthcareEncounters,
  patientAllergies,
  patientClinicalEvents,
  patientConditions,
  patientImmunizations,
  patientInterventions,
  patientMedications,
  patientObservationComponents,
  patientObservations,
  socialHistory,
} from '../schema/clinical.ts'
import { medicalCodeAssignments, type FactRow } from '../schema/facts.ts'

type FromHub = 'eventId' | 'patientId' | 'assertion'
type SpokeRow<Table extends { $inferInsert: object }> = Omit<Table['$inferInsert'], FromHub>

/** A row that says what an event is, without what its hub row gives it. */
export type NewSpoke =
  | {
      readonly table: 'patient_observations'
      readonly row: SpokeRow<typeof patientObservations>
      readonly components: readonly Omit<typeof patientObservationComponents.$inferInsert, 'eventId' | 'patientId'>[]
    }
  | { readonly table: 'patient_medications'; readonly row: SpokeRow<typeof patientMedications> }
  | { readonly table: 'patient_conditions'; readonly row: SpokeRow<typeof patientConditions> }
  | { readonly table: 'patient_allergies'; readonly row: SpokeRow<typeof patientAllergies> }
  | { readonly table: 'patient_immunizations'; readonly row: SpokeRow<typeof patientImmunizations> }
  | { readonly table: 'patient_interventions'; readonly row: SpokeRow<typeof patientInterventions> }
  | { readonly table: 'family_history'; readonly row: SpokeRow<typeof familyHistory> }
  | { readonly table: 'social_history'; readonly row: SpokeRow<typeof socialHistory> }

export type NewEvent = { readonly hub: typeof patientClinicalEvents.$inferInsert; readonly spoke: NewSpoke }
export type NewEncounter = typeof healthcareEncounters.$inferInsert
export type NewCode = typeof medicalCodeAssignments.$inferInsert

/** What pass 2 decided on one fact. */
export type FactDecision = Pick<
  FactRow,
  'id' | 'decision' | 'decisionReason' | 'confidence' | 'confidenceReason' | 'eventId'
>

/** What a file adds to a record. Encounters come first, events may belong to one. */
export type RecordChange = {
  readonly encounters: readonly NewEncounter[]
  readonly events: readonly NewEvent[]
  readonly decisions: readonly FactDecision[]
  readonly codes: readonly NewCode[]
}

export type KnownEvent = { readonly id: string; readonly eventType: string; readonly mergeKey: string }

/**
 * Two files of one patient that are coded at the same moment would not see each other's events. Held to the end of the
 * transaction.
 */
export async function lockRecord(tx: Tx, patientId: string): Promise<void> {
  await tx.execute(sql`select public.lock_patient_record(${patientId}::uuid)`)
}

/**
 * Takes a file's unreviewed facts out of the record again, so that it can be coded anew. An event that other files
 * support as well stays, as theirs; what people have reviewed stays as it is.
 */
export async function retractFile(tx: Tx, shellFileId: string): Promise<void> {
  const [freed] = await tx.execute<{ ids: string[] | null }>(sql`
    with freed as (
      select fact.id, fact.event_id
      from public.entity_processing_audit_v2 as fact
      left join public.patient_clinical_events as event on event.id = fact.event_id
      where fact.shell_file_id = ${shellFileId}
        and fact.review = 'unreviewed'
        and fact.decision in ('admitted', 'merged')
        and coalesce(event.review, 'unreviewed') = 'unreviewed'
      for update of fact
    ), released as (
      update public.entity_processing_audit_v2 as fact
      set decision = 'found', decision_reason = null, event_id = null, updated_at = now()
      from freed
      where fact.id = freed.id
    )
    select array_agg(distinct freed.event_id) as ids from freed
  `)
  const ids = freed?.ids ?? []
  if (ids.length === 0) return
  await giveToOtherFiles(tx, shellFileId, ids)
  const orphans = await eventsWithoutFacts(tx, ids)
  if (orphans.length > 0) await deleteEvents(tx, orphans)
  await tx.delete(healthcareEncounters).where(inArray(healthcareEncounters.id, ids))
}

/** What the patient's record knows already, for finding out what is said again. Archived events too: a deletion stands. */
export async function loadKnownEvents(tx: Tx, patientId: string): Promise<KnownEvent[]> {
  const rows = await tx
    .select({
      id: patientClinicalEvents.id,
      eventType: patientClinicalEvents.eventType,
      mergeKey: patientClinicalEvents.mergeKey,
    })
    .from(patientClinicalEvents)
    .where(and(eq(patientClinicalEvents.patientId, patientId), isNotNull(patientClinicalEvents.mergeKey)))
    .orderBy(patientClinicalEvents.id)
  return rows.flatMap(({ mergeKey, ...row }) => (mergeKey === null ? [] : [{ ...row, mergeKey }]))
}

export async function saveRecordChange(tx: Tx, change: RecordChange): Promise<void> {
  await inBatches(change.encounters, (rows) => tx.insert(healthcareEncounters).values(rows))
  await inBatches(change.events, (events) => tx.insert(patientClinicalEvents).values(events.map(({ hub }) => hub)))
  await saveSpokes(tx, change.events)
  await saveDecisions(tx, change.decisions)
  await replaceCodes(
    tx,
    change.decisions.map((decision) => decision.id),
    change.codes,
  )
}

/** Candidates are replaced as a whole: a better search leaves nothing of the old one. */
export async function replaceCodes(tx: Tx, factIds: readonly string[], codes: readonly NewCode[]): Promise<void> {
  await inBatches(factIds, (ids) =>
    tx.delete(medicalCodeAssignments).where(inArray(medicalCodeAssignments.factId, ids)),
  )
  await inBatches(codes, (rows) => tx.insert(medicalCodeAssignments).values(rows))
}

// Well below the 65,535 parameters of a statement for the widest of these tables.
const batchSize = 500

async function inBatches<Row>(rows: readonly Row[], save: (batch: Row[]) => PromiseLike<unknown>): Promise<void> {
  for (let from = 0; from < rows.length; from += batchSize) await save(rows.slice(from, from + batchSize))
}

async function giveToOtherFiles(tx: Tx, shellFileId: string, eventIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    update public.patient_clinical_events as event
    set shell_file_id = heir.shell_file_id,
        encounter_id = null,
        updated_at = now()
    from (
      select distinct on (fact.event_id) fact.event_id, fact.shell_file_id
      from public.entity_processing_audit_v2 as fact
      where fact.event_id in ${eventIds}
      order by fact.event_id, fact.id
    ) as heir
    where event.id = heir.event_id
      and event.shell_file_id = ${shellFileId}
      and heir.shell_file_id <> ${shellFileId}
  `)
  await tx.execute(sql`
    update public.entity_processing_audit_v2 as fact
    set decision = 'admitted', updated_at = now()
    where fact.id in (
      select distinct on (heir.event_id) heir.id
      from public.entity_processing_audit_v2 as heir
      where heir.event_id in ${eventIds}
      order by heir.event_id, heir.decision, heir.id
    )
  `)
}

async function eventsWithoutFacts(tx: Tx, eventIds: readonly string[]): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    select event.id
    from public.patient_clinical_events as event
    where event.id in ${eventIds}
      and not exists (select from public.entity_processing_audit_v2 as fact where fact.event_id = event.id)
  `)
  return rows.map((row) => row.id)
}

const spokeTables = {
  patient_observations: patientObservations,
  patient_medications: patientMedications,
  patient_conditions: patientConditions,
  patient_allergies: patientAllergies,
  patient_immunizations: patientImmunizations,
  patient_interventions: patientInterventions,
  family_history: familyHistory,
  social_history: socialHistory,
} as const

async function deleteEvents(tx: Tx, eventIds: string[]): Promise<void> {
  for (const table of Object.values(spokeTables)) await tx.delete(table).where(inArray(table.eventId, eventIds))
  await tx.delete(patientClinicalEvents).where(inArray(patientClinicalEvents.id, eventIds))
}

async function saveSpokes(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  const byTable = Map.groupBy(events, ({ spoke }) => spoke.table)
  for (const [table, ofTable] of byTable) {
    await inBatches(ofTable, (batch) =>
      tx.insert(spokeTables[table]).values(batch.map(({ hub, spoke }) => ({ ...fromHub(hub), ...spoke.row }))),
    )
  }
  const components = events.flatMap(({ hub, spoke }) =>
    spoke.table === 'patient_observations'
      ? spoke.components.map((component) => ({ eventId: hub.id, patientId: hub.patientId, ...component }))
      : [],
  )
  await inBatches(components, (rows) => tx.insert(patientObservationComponents).values(rows))
}

const fromHub = (hub: NewEvent['hub']) => ({ eventId: hub.id, patientId: hub.patientId, assertion: hub.assertion })

async function saveDecisions(tx: Tx, decisions: readonly FactDecision[]): Promise<void> {
  await inBatches(decisions, (batch) =>
    tx.execute(sql`
      update public.entity_processing_audit_v2 as fact
      set decision = decided.decision,
          decision_reason = decided."decisionReason",
          confidence = decided.confidence,
          confidence_reason = decided."confidenceReason",
          event_id = decided."eventId",
          updated_at = now()
      from jsonb_to_recordset(${JSON.stringify(batch)}::text::jsonb) as decided (
        id uuid, decision text, "decisionReason" text, confidence text, "confidenceReason" text, "eventId" uuid
      )
      where fact.id = decided.id
        and fact.review = 'unreviewed'
    `),
  )
}

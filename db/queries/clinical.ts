import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import type {
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
import { insertRows, isAnyOf } from './insert-rows.ts'

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

/** What a fact is in the record (`53-record-entries.sql`); null has no place in it. */
export type RecordEntry =
  | {
      readonly kind: 'event'
      readonly hub: Pick<
        NewEvent['hub'],
        'eventType' | 'assertion' | 'eventDate' | 'eventDay' | 'dateMeaning' | 'encounterId'
      > & { readonly mergeKey: string }
      readonly spoke: NewSpoke
    }
  | { readonly kind: 'encounter'; readonly row: Omit<NewEncounter, 'id' | 'factId' | 'patientId' | 'shellFileId'> }

/** What pass 2 made of one fact: an entry, or why it has none. */
export type CodedFactRow = Pick<FactRow, 'id' | 'decisionReason' | 'confidence' | 'confidenceReason'> & {
  readonly entry: RecordEntry | null
}

/** What a file says to a record. */
export type RecordChange = { readonly facts: readonly CodedFactRow[]; readonly codes: readonly NewCode[] }

const outcome = z.object({ events: z.int(), encounters: z.int(), merged: z.int(), noted: z.int() })
/** Of the facts of a file: those that are what the record says, contacts, further sources of events, and what stays outside. */
export type RecordOutcome = z.output<typeof outcome>

/**
 * Two files of one patient that are coded at the same moment would not see each other's events. Held to the end of the
 * transaction.
 */
export async function lockRecord(tx: Tx, patientId: string): Promise<void> {
  await tx.execute(sql`select public.lock_patient_record(${patientId}::uuid)`)
}

/** Takes a file's undecided facts out of the record, so that it can be read anew; what others say stays, as they say it. */
export async function retractFile(tx: Tx, shellFileId: string): Promise<void> {
  await tx.execute(sql`select public.retract_file(${shellFileId}::uuid)`)
}

/** Puts what the file says now in the place of what it said; which facts are one event the database decides. */
export async function saveRecordChange(tx: Tx, shellFileId: string, change: RecordChange): Promise<RecordOutcome> {
  const facts = change.facts.map(({ entry, ...fact }) => ({ ...columnsOf(fact), entry: entryColumns(entry) }))
  const [row] = await tx.execute<{ told: unknown }>(
    sql`select public.code_facts(${shellFileId}::uuid, ${JSON.stringify(facts)}::text::jsonb) as told`,
  )
  await replaceCodes(
    tx,
    change.facts.map((fact) => fact.id),
    change.codes,
  )
  return outcome.parse(row?.told)
}

/** A row with the names that its table has for its columns. */
export function columnsOf(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  )
}

export function entryColumns(entry: RecordEntry | null): Record<string, unknown> | null {
  if (entry === null) return null
  if (entry.kind === 'encounter') return { encounter: columnsOf(entry.row) }
  const components = entry.spoke.table === 'patient_observations' ? entry.spoke.components : []
  return { event: columnsOf(entry.hub), spoke: columnsOf(entry.spoke.row), components: components.map(columnsOf) }
}

/** Candidates are replaced as a whole: a better search leaves nothing of the old one. */
export async function replaceCodes(tx: Tx, factIds: readonly string[], codes: readonly NewCode[]): Promise<void> {
  if (factIds.length > 0) await tx.delete(medicalCodeAssignments).where(isAnyOf(medicalCodeAssignments.factId, factIds))
  await insertRows(tx, medicalCodeAssignments, codes)
}

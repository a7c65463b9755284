import { sql } from 'drizzle-orm'
import type { SearchCodes } from '../../clinical/coding/code-search.ts'
import { applyChanges, decideOnFact, type FactChanges } from '../../clinical/entities/person-fact.ts'
import { planRecordChange } from '../../clinical/entities/record-change.ts'
import { readFactDetail, readFoundDate } from '../../clinical/document/stored-fact.ts'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { lockRecord, retractFile, saveRecordChange } from '../../db/queries/clinical.ts'
import { decideFact, findFact, undoFactDecision, type FactVerdict } from '../../db/queries/fact-decisions.ts'
import { listFacts, type ApiFact } from '../../db/queries/facts.ts'
import { loadFacts, replaceFoundFacts, type NewFact } from '../../db/queries/found-facts.ts'
import { searchCodes } from '../../db/queries/terminology.ts'
import { codeFacts } from '../../worker/pipeline/pass2-code.ts'
import { serve, type Account } from './actors.ts'
import { fact, makeSession, source, type File } from './facts.ts'

/** Finds and codes the facts of a file as passes 1 and 2 do: also for a file that they have been over before. */
export async function runPasses(
  db: Database,
  file: File,
  changes: readonly Partial<NewFact>[],
  textVersion = 1,
): Promise<void> {
  await asService(db, {}, async (tx) => {
    await lockRecord(tx, file.patientId)
    await retractFile(tx, file.shellFileId)
    const sessionId = await makeSession(tx, file)
    await replaceFoundFacts(
      tx,
      { ...file, textVersion },
      changes.map((each) => fact(sessionId, each)),
    )
  })
  await code(db, file)
}

/** Pass 2 alone. */
export async function code(db: Database, file: File): Promise<void> {
  await asService(db, {}, async (tx) => {
    await lockRecord(tx, file.patientId)
    const stored = (await loadFacts(tx, file.shellFileId)).filter((row) => row.review === 'unreviewed')
    const coded = await codeFacts(
      stored.map((row) => ({
        ...row,
        type: row.factType,
        text: row.factText,
        status: row.factStatus,
        date: readFoundDate(row.foundDate),
        detail: readFactDetail(row.detail),
        strength: 'strong' as const,
        wordConfidence01: 1,
      })),
      { identity: 'accepted', birthDate: null, today: '2026-01-01', file: { contacts: [], lastDay: null } },
      { searchCodes: (sought) => searchCodes(tx, sought) },
    )
    await saveRecordChange(tx, file.shellFileId, planRecordChange(file, coded))
  })
}

export const listOf = (db: Database, by: Account, file: File): Promise<ApiFact[]> =>
  asActor(db, by.actor, (tx) => listFacts(tx, file.shellFileId))

export const decide = (
  db: Database,
  by: Account,
  id: string,
  verdict: FactVerdict,
  seenVersion: string | null = null,
): Promise<string> => asActor(db, by.actor, (tx) => decideFact(tx, { id, seenVersion }, verdict))

/** What the route makes of a correction. */
export async function edit(
  db: Database,
  by: Account,
  id: string,
  changes: FactChanges,
  seenVersion: string | null = null,
): Promise<string> {
  return await asActor(db, by.actor, async (tx) => {
    const row = await findFact(tx, id)
    if (row === null) throw new Error('there is no such fact')
    const { factType: type, factText: text, factStatus: status, value, unit, referenceRange, concept } = row
    const found = { type, text, status, value, unit, referenceRange, concept }
    const standing = { ...found, date: readFoundDate(row.foundDate), detail: readFactDetail(row.detail) }
    const said = { id, ...applyChanges(standing, changes) }
    const search: SearchCodes = (sought) => searchCodes(tx, sought)
    const { stored, entry, codes } = await decideOnFact(row, said, { code: undefined, search })
    return await decideFact(tx, { id, seenVersion }, { decision: 'edited', corrected: stored, entry, codes })
  })
}

export const undo = (db: Database, by: Account, file: File, decisionId: string): Promise<void> =>
  asActor(db, by.actor, (tx) => undoFactDecision(tx, file.shellFileId, decisionId))

/** The record as its person reads it: what it says, and how sure it is. */
export async function recordOf(db: Database, { profileId }: Account): Promise<Record<string, unknown>[]> {
  return await serve(
    db,
    sql`select id, shell_file_id, name, value_text, unit, event_date, assertion, review, confidence, code
        from patient_record where patient_id = ${profileId} order by event_type, event_date, value_text, id`,
  )
}

/** Every row that a decision may change, as it stands: what taking it back has to restore. */
export async function wholeOf(db: Database, { patientId }: File): Promise<unknown> {
  const [row] = await serve(
    db,
    sql`select
      (select jsonb_agg(to_jsonb(fact) - 'updated_at' order by id) from entity_processing_audit_v2 as fact
        where patient_id = ${patientId}) as facts,
      (select jsonb_agg(to_jsonb(event) - 'updated_at' order by id) from patient_clinical_events as event
        where patient_id = ${patientId}) as events,
      (select jsonb_agg(record_entry - 'event' order by id) from (
        select event.id, jsonb_build_object(
          'm', (select to_jsonb(s) from patient_medications as s where s.event_id = event.id),
          'o', (select to_jsonb(s) from patient_observations as s where s.event_id = event.id),
          'p', (select jsonb_agg(to_jsonb(s) order by ordinal) from patient_observation_components as s where s.event_id = event.id),
          'c', (select to_jsonb(s) from patient_conditions as s where s.event_id = event.id)
        ) as record_entry from patient_clinical_events as event where patient_id = ${patientId}) as told) as spokes,
      (select jsonb_agg(to_jsonb(encounter) order by id) from healthcare_encounters as encounter
        where patient_id = ${patientId}) as encounters,
      (select jsonb_agg(to_jsonb(code) order by fact_id, rank) from medical_code_assignments as code
        where patient_id = ${patientId}) as codes`,
  )
  return row
}

/** A result as a page prints it, in a row of its own for each start. */
export const glucose = (value: string, iso: string, start = 10): Partial<NewFact> => ({
  findingKey: `lab_result:${start}+7:${start + 8}+3`,
  factType: 'lab_result',
  factText: 'Glucose',
  value,
  unit: 'mmol/L',
  referenceRange: '3.9-6.1',
  foundDate: { iso, printed: iso, meaning: 'collected', certainty: 'printed' },
  concept: null,
  sources: [source({ textStart: start, quote: 'Glucose', y0: start / 1000, y1: start / 1000 + 0.005 })],
})

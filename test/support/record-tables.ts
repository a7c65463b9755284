import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import { askOne } from './actors.ts'
import type { Account } from './actors.ts'

/** The tables of a patient's record, by the part of it that access can be limited to. */
export const recordTables = {
  profile: ['user_profiles'],
  document: [
    'shell_files',
    'shell_file_stages',
    'shell_file_events',
    'shell_file_pages',
    'shell_file_texts',
    'processing_errors',
    'manual_review_queue',
  ],
  clinical: [
    'entity_processing_audit_v2',
    'fact_sources',
    'semantic_processing_sessions',
    'medical_code_assignments',
    'fact_review_decisions',
    'fact_snapshots',
    'healthcare_encounters',
    'patient_clinical_events',
    'patient_observations',
    'patient_observation_components',
    'patient_medications',
    'patient_conditions',
    'patient_allergies',
    'patient_immunizations',
    'patient_interventions',
    'family_history',
    'social_history',
  ],
  narrative: ['clinical_narratives', 'clinical_narrative_sentences'],
} as const

export type RecordPart = keyof typeof recordTables
export const recordParts = ['profile', 'document', 'clinical', 'narrative'] as const

/** The parts of the record of anybody but themselves that an account sees all of, or `torn` where it sees only some tables of one. */
export async function partsSeen(db: Database, reader: Account): Promise<string[]> {
  const seen: string[] = []
  for (const part of recordParts) {
    const counts: number[] = []
    for (const table of recordTables[part]) counts.push(await rowsSeen(db, reader, table))
    if (counts.every((count) => count > 0)) seen.push(part)
    else if (counts.some((count) => count > 0)) seen.push(`${part} torn`)
  }
  return seen
}

async function rowsSeen(db: Database, reader: Account, table: string): Promise<number> {
  const isOwn = table === 'user_profiles' ? sql`account_owner_id = auth.uid()` : sql`false`
  return Number(
    await askOne(db, reader.actor, sql`select count(*) as value from ${sql.identifier(table)} where not ${isOwn}`),
  )
}

import { createHash, randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { asActor, asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import type { Stage } from '../../db/schema/documents.ts'
import type { Account } from './actors.ts'
import { ask, serve } from './actors.ts'

export type ProfileFields = { readonly displayName?: string; readonly profileType?: 'child' | 'dependent' | 'pet' }

/** A profile of somebody whom the account looks after. */
export async function makeProfile(db: Database, owner: Account, fields: ProfileFields = {}): Promise<string> {
  const { displayName = 'Child', profileType = 'child' } = fields
  const [row] = await ask<{ id: string }>(
    db,
    owner.actor,
    sql`insert into public.user_profiles (account_owner_id, profile_type, display_name)
        values (${owner.accountId}, ${profileType}, ${displayName}) returning id`,
  )
  if (row === undefined) throw new Error('no profile was made')
  return row.id
}

export type GrantFields = {
  readonly level?: string
  readonly startsAt?: string
  readonly endsAt?: string | null
  readonly capacity?: string
}

/** An offer that the grantee has not taken yet. */
export async function offerAccess(
  db: Database,
  by: Account,
  to: Account,
  profileId: string,
  fields: GrantFields = {},
): Promise<string> {
  const { level = 'read_only', startsAt = 'now', endsAt = null, capacity = 'delegate' } = fields
  const [row] = await ask<{ id: string }>(
    db,
    by.actor,
    sql`select public.grant_profile_access(${profileId}, ${to.accountId}, ${level}, ${startsAt}::timestamptz,
          ${endsAt}::timestamptz, ${capacity}) as id`,
  )
  if (row === undefined) throw new Error('no access was offered')
  return row.id
}

export async function giveAccess(
  db: Database,
  by: Account,
  to: Account,
  profileId: string,
  fields: GrantFields = {},
): Promise<string> {
  const permissionId = await offerAccess(db, by, to, profileId, fields)
  await ask(db, to.actor, sql`select public.accept_profile_access(${permissionId})`)
  return permissionId
}

export type UploadFields = {
  readonly id?: string
  readonly patientId?: string
  /** Two uploads of the same content are the same bytes. */
  readonly content?: string
  readonly sizeBytes?: number
  readonly pages?: number
  readonly keepBoth?: 'keep' | 'refuse'
  readonly key?: { readonly key: string; readonly token: string; readonly hash?: string }
  readonly correlationId?: string
  readonly filename?: string
  readonly note?: string
  /** Of an object that is really in a store. */
  readonly storageKey?: string
}

export type Upload = {
  readonly outcome: 'created' | 'duplicate'
  readonly shell_file_id: string
  readonly job_id: string | null
  readonly duplicate_of: string | null
  readonly response_status: number
  readonly response_body: Record<string, unknown>
  readonly usage: unknown
}

/** What the server does once the bytes are stored. */
export async function upload(db: Database, by: Account, fields: UploadFields = {}): Promise<Upload> {
  return await asActor(db, by.actor, (tx) => uploadIn(tx, by, fields))
}

/** The same within a transaction that goes on. */
export async function uploadIn(tx: Tx, by: Account, fields: UploadFields = {}): Promise<Upload> {
  const content = fields.content ?? randomUUID()
  const sha256 = createHash('sha256').update(content).digest('hex')
  const [row] = await tx.execute<{ answer: Upload }>(sql`
      select public.register_shell_file(
        p_shell_file_id => ${fields.id ?? randomUUID()},
        p_patient_id => ${fields.patientId ?? by.profileId},
        p_filename => ${fields.filename ?? 'letter.pdf'},
        p_mime_type => 'application/pdf',
        p_size_bytes => ${fields.sizeBytes ?? 1000},
        p_sha256 => ${sha256},
        p_storage_key => ${fields.storageKey ?? randomUUID()},
        p_note => ${fields.note ?? null},
        p_estimated_pages => ${fields.pages ?? 1},
        p_keep_both => ${fields.keepBoth === 'keep'},
        p_idempotency_key => ${fields.key?.key ?? null},
        p_attempt_token => ${fields.key?.token ?? null},
        p_request_hash => ${fields.key?.hash ?? null},
        p_correlation_id => ${fields.correlationId ?? null}
      ) as answer`)
  if (row === undefined) throw new Error('register_shell_file answered nothing')
  return row.answer
}

export async function beginStage(db: Database, shellFileId: string, stage: Stage): Promise<void> {
  await serve(db, sql`select public.begin_stage(${shellFileId}, ${stage}, '1')`)
}

export async function finishStage(
  db: Database,
  shellFileId: string,
  stage: Stage,
  status = 'completed',
): Promise<void> {
  await serve(db, sql`select public.finish_stage(${shellFileId}, ${stage}, ${status})`)
}

/** Runs stages to their end, as workers do. */
export async function completeStages(db: Database, shellFileId: string, stages: readonly Stage[]): Promise<void> {
  for (const stage of stages) {
    await beginStage(db, shellFileId, stage)
    await finishStage(db, shellFileId, stage)
  }
}

/** A file that waits for a person to say whether it is this patient's; returns the review. */
export async function holdForReview(db: Database, shellFileId: string, patientId: string): Promise<string> {
  await completeStages(db, shellFileId, ['security_scan', 'ocr', 'spatial_mapping'])
  await beginStage(db, shellFileId, 'pass1_find')
  return await asService(db, {}, async (tx) => {
    await tx.execute(sql`select public.finish_stage(${shellFileId}, 'pass1_find', 'held')`)
    await tx.execute(sql`update public.shell_files set review_state = 'pending' where id = ${shellFileId}`)
    const [review] = await tx.execute<{ id: string }>(sql`
      insert into public.manual_review_queue (patient_id, shell_file_id, review_type, reasons)
      values (${patientId}, ${shellFileId}, 'identity', '{name_differs}') returning id`)
    if (review === undefined) throw new Error('no review was made')
    return review.id
  })
}

/** At least one row in every table that holds something of a patient, all hanging off one file; `words` stand in each. */
export async function fillRecord(
  db: Database,
  file: { readonly id: string; readonly patientId: string; readonly words?: string },
): Promise<void> {
  const [factId, eventId, familyId, encounterId, narrativeId] = Array.from({ length: 5 }, () => randomUUID())
  const { id, patientId, words = 'x' } = file
  const printed = file.words ?? 'words'
  await asService(db, {}, async (tx) => {
    await tx.execute(sql`
      insert into public.shell_file_pages (shell_file_id, page_number, width_pt, height_pt, source, engine, quality_grade,
        word_count, words, boxes, confidences, grouping)
      values (${id}, 1, 595, 842, 'text_layer', 'pdf', 'good', 0, '{}', '', '', '')`)
    await tx.execute(sql`
      insert into public.shell_file_texts (shell_file_id, version, content, layout) values (${id}, 1, ${printed}, '{}')`)
    await tx.execute(sql`
      insert into public.processing_errors (shell_file_id, patient_id, stage, error_type, error_code, error_message, retry_count)
      values (${id}, ${patientId}, 'ocr', 'transient', 'x', 'x', 0)`)
    await tx.execute(sql`
      insert into public.semantic_processing_sessions (patient_id, shell_file_id, stage, provider, model_requested, model_answered)
      values (${patientId}, ${id}, 'pass1_find', 'local', 'rules', 'rules')`)
    await tx.execute(sql`
      insert into public.entity_processing_audit_v2 (id, patient_id, shell_file_id, text_version, finding_key, fact_type,
        fact_text, fact_status, detail, strength, found_by_pass, found_by_provider, found_by_model)
      values (${factId}, ${patientId}, ${id}, 1, 'k', 'medication', ${words}, 'present', '{}', 'strong', 1, 'local', 'rules')`)
    await tx.execute(sql`
      insert into public.fact_sources (fact_id, ordinal, role, shell_file_id, patient_id, text_version, page_number,
        text_start, text_length, quote, x0, y0, x1, y1, confidence01)
      values (${factId}, 0, 'name', ${id}, ${patientId}, 1, 1, 0, 5, ${printed}, 0.1, 0.1, 0.2, 0.2, 1)`)
    await tx.execute(sql`
      insert into public.medical_code_assignments (fact_id, rank, patient_id, code_system, code, display, score01, method)
      values (${factId}, 1, ${patientId}, 'x', 'x', 'x', 1, 'exact')`)
    await tx.execute(sql`
      insert into public.manual_review_queue (patient_id, shell_file_id, review_type, reasons)
      values (${patientId}, ${id}, 'identity', '{name_differs}')`)
    await tx.execute(sql`
      insert into public.fact_review_decisions (decision_id, patient_id, shell_file_id, fact_ids, decision, corrected, before)
      values (public.uuid_v7(), ${patientId}, ${id}, array[${factId}::uuid], 'edited', jsonb_build_object('text', ${words}::text), '{}')`)
    await tx.execute(sql`
      insert into public.fact_snapshots (shell_file_id, patient_id, fact_count, facts)
      select ${id}, ${patientId}, count(*), jsonb_agg(to_jsonb(reading))
      from public.fact_readings as reading where reading.shell_file_id = ${id}`)
    await tx.execute(sql`
      insert into public.model_answers (shell_file_id, question_hash, patient_id, job_id, outcome, model_answered, tokens_in, tokens_out)
      values (${id}, repeat('0', 64), ${patientId}, public.uuid_v7(), jsonb_build_object('text', ${words}::text), 'x', 1, 1)`)
    await tx.execute(sql`
      insert into public.healthcare_encounters (id, patient_id, shell_file_id, fact_id, encounter_kind, name, assertion)
      values (${encounterId}, ${patientId}, ${id}, ${factId}, 'visit', ${words}, 'present')`)
    await tx.execute(sql`
      insert into public.patient_clinical_events (id, patient_id, shell_file_id, event_type, assertion, confidence)
      values (${eventId}, ${patientId}, ${id}, 'medication', 'present', 'high'),
        (${familyId}, ${patientId}, ${id}, 'family_history', 'family', 'high')`)
    await tx.execute(sql`
      insert into public.family_history (event_id, patient_id, assertion, name)
      values (${familyId}, ${patientId}, 'family', ${words})`)
    await tx.execute(sql`
      insert into public.patient_observations (event_id, patient_id, assertion, name, observation_type)
      values (${eventId}, ${patientId}, 'present', ${words}, 'vital_sign')`)
    await tx.execute(sql`
      insert into public.patient_observation_components (event_id, ordinal, patient_id, name, value_numeric)
      values (${eventId}, 1, ${patientId}, ${words}, 1)`)
    await tx.execute(sql`
      insert into public.patient_conditions (event_id, patient_id, assertion, name, condition_type)
      values (${eventId}, ${patientId}, 'present', ${words}, 'condition')`)
    for (const spoke of plainSpokes) {
      await tx.execute(sql`
        insert into ${sql.identifier(spoke)} (event_id, patient_id, assertion, name)
        values (${eventId}, ${patientId}, 'present', ${words})`)
    }
    await tx.execute(sql`
      insert into public.clinical_narratives (id, patient_id, shell_file_id, title, ordinal, provider, model)
      values (${narrativeId}, ${patientId}, ${id}, 'Medicines', 1, 'local', 'templates')`)
    await tx.execute(sql`
      insert into public.clinical_narrative_sentences (narrative_id, ordinal, patient_id, sentence, cited_event_ids)
      values (${narrativeId}, 1, ${patientId}, ${words}, array[${eventId}::uuid])`)
  })
}

const plainSpokes = [
  'patient_medications',
  'patient_allergies',
  'patient_immunizations',
  'patient_interventions',
  'social_history',
] as const

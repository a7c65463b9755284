import type postgres from 'postgres'
import type { MatrixCast } from './cast.ts'

/** A value for each argument that names something of the child's, as an attacker who has learned the ids would give it. */
export async function givenArguments(owner: postgres.Sql, cast: MatrixCast): Promise<Readonly<Record<string, string>>> {
  const { childId, accounts } = cast
  const id = async (query: postgres.PendingQuery<postgres.Row[]>) => `'${String((await query)[0]?.['id'])}'::uuid`
  return {
    p_profile_id: `'${childId}'::uuid`,
    p_patient_id: `'${childId}'::uuid`,
    p_user_id: `'${accounts.guardian.accountId}'::uuid`,
    p_account_id: `'${accounts.stranger.accountId}'::uuid`,
    p_shell_file_id: await id(owner`select id from shell_files where patient_id = ${childId}`),
    p_fact_id: await id(owner`select id from entity_processing_audit_v2 where patient_id = ${childId}`),
    p_decision_id: await id(owner`select decision_id as id from fact_review_decisions where patient_id = ${childId}`),
    p_review_id: await id(owner`select id from manual_review_queue where patient_id = ${childId}`),
    p_permission_id: await id(
      owner`select id from profile_access_permissions where accepted_at is null and profile_id = ${childId}`,
    ),
    p_access_id: await id(
      owner`select id from patient_provider_access where status = 'requested' and patient_id = ${childId}`,
    ),
    /** Not an argument by itself: what `revoke_provider_access` is given. */
    running_access: await id(owner`
      select access.id from patient_provider_access as access
      join provider_registry as provider on provider.id = access.provider_id
      where access.patient_id = ${childId} and provider.account_id = ${accounts.clinician_clinical.accountId}`),
    p_provider_id: await id(owner`
      select provider.id from provider_registry as provider where account_id = ${accounts.clinician_declined.accountId}`),
    p_id: await id(owner`select id from break_glass_accesses where patient_id = ${childId}`),
    p_export_id: await id(owner`select id from data_exports where patient_id = ${childId}`),
    p_job_id: await id(owner`select id from job_queue where patient_id = ${childId}`),
    p_notification_id: await id(
      owner`select id from system_notifications where account_id = ${accounts.guardian.accountId}`,
    ),
    ...plain,
  }
}

const plain = {
  p_apart_from: "'all'",
  p_attempt_token: 'gen_random_uuid()',
  p_before: 'null::timestamptz',
  p_codes: "'[]'::jsonb",
  p_corrected: 'null::jsonb',
  p_entry: 'null::jsonb',
  p_fact: `'{"fact_type": "medication", "fact_text": "x", "fact_status": "present"}'::jsonb`,
  p_fact_ids: 'null::uuid[]',
  p_sources: "'[]'::jsonb",
  p_updated_at: 'now()',
  p_version: 'null',
  p_before_id: 'null::uuid',
  p_cycles: '3',
  p_correlation_id: "'c'",
  p_dead_before: 'now()',
  p_decision: "'rejected'",
  p_display_name: "'Dr No'",
  p_document_date: 'null::date',
  p_domains: "array['condition']",
  p_ends_at: "now() + interval '1 day'",
  p_error_code: "'x'",
  p_estimated_pages: '1',
  p_event: "'document_displayed'",
  p_expires_at: 'null::timestamptz',
  p_file_size_bytes: '1',
  p_filename: "'x.pdf'",
  p_from_stage: "'ocr'",
  p_idempotency_key: 'null',
  p_job_lane: "'fast_queue'",
  p_job_type: "'ocr'",
  p_keep_both: 'false',
  p_fields: "'{}'::jsonb",
  p_keep_seconds: '60',
  p_limit: '10',
  p_lock_seconds: '10',
  p_mime_type: "'application/pdf'",
  p_lock_token: 'gen_random_uuid()',
  p_minutes: '10',
  p_most: '5',
  p_most_open: '10',
  p_most_open_bytes: '1000',
  p_offset: '0',
  p_note: 'null',
  p_others_only: 'false',
  p_pages: '1',
  p_permission_level: "'read_only'",
  p_policy_version: 'null',
  p_profession: "'surgeon'",
  p_purpose: "'treatment'",
  p_reason: "'curious about it'",
  p_reason_code: "'emergency_care'",
  p_registration_authority: "'AHPRA'",
  p_registration_number: "'X-1'",
  p_request_hash: "'h'",
  p_response_body: "'{}'::jsonb",
  p_required_level: "'read_only'",
  p_resource_type: "'clinical'",
  p_resource_types: "array['clinical']",
  p_seen_updated_at: 'null::timestamptz',
  p_sha256: "repeat('a', 64)",
  p_silent_after: "interval '30 seconds'",
  p_size_bytes: '1',
  p_starts_at: 'now()',
  p_status: "'verified'",
  p_storage_key: 'gen_random_uuid()::text',
  p_plan_type: "'basic'",
  p_upload_id: 'gen_random_uuid()',
  p_when: "'now'",
  p_words: "array['asthma']",
  p_time_zone: "'UTC'",
  p_capacity: "'delegate'",
}

/** Where a function means something else by the same word. */
const overrides = (
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, Readonly<Record<string, string>>>> => ({
  begin_idempotent_request: { p_idempotency_key: "'k'" },
  abandon_idempotent_request: { p_idempotency_key: "'k'" },
  accept_facts: { p_decision_id: 'gen_random_uuid()' },
  decide_fact: { p_reason_code: "'other'" },
  decide_identity_review: { p_decision: "'accepted'" },
  enter_fact: { p_fact_id: 'gen_random_uuid()' },
  record_consent: { p_purpose: "'outside_ocr'", p_decision: "'denied'" },
  register_shell_file: { p_shell_file_id: 'gen_random_uuid()', p_resumable_upload_id: 'null' },
  revoke_provider_access: { p_access_id: given['running_access'] ?? '' },
})

export type Called = { readonly name: string; readonly names: readonly string[] }

export async function callable(owner: postgres.Sql): Promise<Called[]> {
  const rows = await owner<Called[]>`
    select proname as name, coalesce(proargnames[1:pronargs], '{}') as names from pg_proc
    where pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', oid, 'execute')`
  return [...rows]
}

export function callOf({ name, names }: Called, given: Readonly<Record<string, string>>): string {
  const values = { ...given, ...overrides(given)[name] }
  const args = names.map((argument) => {
    const value = values[argument]
    if (value === undefined) throw new Error(`${name}: test/db/matrix/calls.ts has no value for ${argument}`)
    return `${argument} => ${value}`
  })
  return `public.${name}(${args.join(', ')})`
}

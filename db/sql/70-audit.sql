-- Audit: exactly one row for each change of state, in the transaction that changes it, or the change does not happen.
--
-- Rows hold ids, states, sizes and names of columns, never what people or documents say. They are kept by month
-- (71-audit-months.sql) and sealed afterwards (72-audit-chains.sql).

-- Definer: no role may insert into the log; what may be said is what this function takes, and who says it is derived.
create or replace function public.log_audit_event(
  p_table_name text,
  p_record_id text,
  p_operation text,
  p_old_values jsonb default null,
  p_new_values jsonb default null,
  p_reason text default null,
  p_compliance_category text default null,
  p_patient_id uuid default null
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_audit_id uuid;
begin
  insert into public.audit_log
    (table_name, record_id, operation, old_values, new_values, reason, compliance_category, patient_id,
      changed_by, actor_role, job_id, correlation_id, ip_address)
  select p_table_name, p_record_id, p_operation, p_old_values, p_new_values, p_reason, p_compliance_category, p_patient_id,
    context.actor_id, context.actor_role, context.job_id, context.correlation_id, context.client_address
  from public.request_context() as context
  returning id into strict v_audit_id;
  return v_audit_id;
end
$$;
comment on function public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid) is
  'Writes an audit row with the actor, job and correlation of this transaction; raises when it cannot. Server side only.';

create or replace function public.pick_columns(p_row jsonb, p_columns text[]) returns jsonb
language sql immutable set search_path = '' as $$
  select coalesce(jsonb_object_agg(field.key, field.value), '{}')
  from jsonb_each(p_row) as field (key, value)
  where field.key = any (p_columns)
$$;
comment on function public.pick_columns(jsonb, text[]) is 'These columns of a row, and no others.';

create or replace function public.changed_columns(p_old jsonb, p_new jsonb) returns text[]
language sql immutable set search_path = '' as $$
  select coalesce(array_agg(field.key order by field.key), '{}')
  from jsonb_each(p_new) as field (key, value)
  where field.value is distinct from p_old -> field.key
$$;
comment on function public.changed_columns(jsonb, jsonb) is 'Names of the columns in which two versions of a row differ.';

-- Definer: clients who edit their profile write the log through it.
-- Arguments: category, key columns, column of the patient ('' = none, 'shell_file_id' = the file's), columns whose
-- values may be kept, columns that are derived from another audited row and count as no change.
create or replace function public.audit_row_change() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_new jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  v_row jsonb := coalesce(v_new, v_old);
  v_kept text[] := string_to_array(tg_argv[3], ',');
  v_changed text[];
  v_unsaid text[];
  v_patient_id uuid;
begin
  if tg_op = 'UPDATE' then
    select array(select unnest(public.changed_columns(v_old, v_new)) except select unnest(string_to_array(tg_argv[4], ',')))
    into v_changed;
    if v_changed = '{}' then
      return null;
    end if;
    v_unsaid := array(select unnest(v_changed) except select unnest(v_kept) order by 1);
    v_kept := array(select unnest(v_changed) intersect select unnest(v_kept));
  end if;

  if tg_argv[2] = 'shell_file_id' then
    select file.patient_id into v_patient_id
    from public.shell_files as file
    where file.id = (v_row ->> 'shell_file_id')::uuid;
  else
    v_patient_id := (v_row ->> tg_argv[2])::uuid;
  end if;

  perform public.log_audit_event(
    p_table_name => tg_table_name,
    p_record_id => (
      select string_agg(v_row ->> part.name, '/' order by part.place)
      from unnest(string_to_array(tg_argv[1], ',')) with ordinality as part (name, place)
    ),
    p_operation => tg_op,
    p_old_values => case when v_old is not null then public.pick_columns(v_old, v_kept) end,
    p_new_values => case when v_new is not null then public.pick_columns(v_new, v_kept)
      || case when v_unsaid <> '{}' then jsonb_build_object('changed', v_unsaid) else '{}' end
    end,
    p_compliance_category => tg_argv[0],
    p_patient_id => v_patient_id
  );
  return null;
end
$$;
comment on function public.audit_row_change() is
  'One audit row for a changed row: allowed values, and the names alone of the other columns that changed.';

-- The same for rows that are made by the thousand, in one statement: with the context once and without a call for each row.
-- Definer and arguments as above, less the last; the patient stands in a column of the row.
create or replace function public.audit_new_rows() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_keys text[] := string_to_array(tg_argv[1], ',');
  v_kept text[] := string_to_array(tg_argv[3], ',');
begin
  insert into public.audit_log
    (table_name, record_id, operation, new_values, compliance_category, patient_id,
      changed_by, actor_role, job_id, correlation_id, ip_address)
  select tg_table_name,
    (
      select string_agg(written.entry ->> part.name, '/' order by part.place)
      from unnest(v_keys) with ordinality as part (name, place)
    ),
    'INSERT',
    -- As `pick_columns` does, but in place.
    (select jsonb_object_agg(field.key, field.value) from jsonb_each(written.entry) as field where field.key = any (v_kept)),
    tg_argv[0], (written.entry ->> tg_argv[2])::uuid,
    context.actor_id, context.actor_role, context.job_id, context.correlation_id, context.client_address
  from (select to_jsonb(made) as entry from made) as written
  cross join public.request_context() as context;
  return null;
end
$$;
comment on function public.audit_new_rows() is
  'One audit row for each row of a statement: allowed values of what was inserted.';

-- What is audited. Rows that are made in bulk are covered by the row that they hang off: stages as they are made, pages,
-- texts, words, sources and code candidates by their file or fact; new spokes by their event; counters by the ledger;
-- what leaves the record with a document in the bin by that document; the ways of a job by its stage (dead letters and what operators do to jobs are written by 22-queue-endings.sql).
do $$
declare
  v_rule record;
begin
  for v_rule in
    select *
    from (values
      ('user_profiles', 'insert or update or delete', '', 'identity', 'id', 'id',
        'account_owner_id,profile_type,processing_restricted_at,archived_at,erased_at', 'updated_at'),
      ('profile_access_permissions', 'insert or update or delete', '', 'access_control', 'id', 'profile_id',
        'profile_id,account_id,permission_level,capacity,granted_by,starts_at,ends_at,accepted_at,revoked_at', ''),
      ('patient_consents', 'insert', '', 'consent_management', 'id', 'patient_id',
        'purpose,decision,decided_by,capacity,policy_version,expires_at', ''),
      ('provider_registry', 'insert or update or delete', '', 'access_control', 'id', '',
        'account_id,verification_status,verified_by,verified_at', 'updated_at'),
      ('patient_provider_access', 'insert or update or delete', '', 'access_control', 'id', 'patient_id',
        'provider_id,status,purpose,permission_level,resource_types,decided_by,starts_at,ends_at,revoked_at', ''),
      ('break_glass_accesses', 'insert or update or delete', '', 'access_control', 'id', 'patient_id',
        'account_id,reason_code,starts_at,ends_at,ended_at', ''),
      ('data_exports', 'insert or update or delete', '', 'privacy', 'id', 'patient_id',
        'requested_by,status,size_bytes,sha256,expires_at', 'job_id'),
      ('account_closures', 'insert or update or delete', '', 'privacy', 'id', '',
        'account_id,status,due_at,cancelled_at,purged_at,evidence', ''),
      ('account_roles', 'insert or update or delete', '', 'access_control', 'account_id,role', '', 'account_id,role', ''),
      ('shell_files', 'insert or update or delete', '', 'document', 'id', 'patient_id',
        'patient_id,uploaded_by,mime_type,size_bytes,sha256,review_state,page_count,quality_grade,is_kept_copy,deleted_at',
        'status,processing_error,updated_at'),
      ('shell_file_stages', 'update', 'when (old.status is distinct from new.status)', 'document',
        'shell_file_id,stage', 'shell_file_id', 'status,version', 'pages_done,pages_total,started_at,finished_at'),
      ('manual_review_queue', 'insert or update or delete', '', 'identity', 'id', 'patient_id',
        'shell_file_id,review_type,status,decided_by,decided_at', ''),
      ('entity_processing_audit_v2', 'update', 'when (old.review is distinct from new.review)', 'clinical_data', 'id',
        'patient_id', 'shell_file_id,decision,review,reviewed_by,event_id', 'updated_at'),
      ('fact_review_decisions', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id',
        'decision_id,shell_file_id,fact_ids,decision,reason_code,decided_by,decided_at,undone_by,undone_at', ''),
      ('healthcare_encounters', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id', 'shell_file_id',
        'withdrawn_at'),
      -- Their insertion is below.
      ('patient_clinical_events', 'update or delete', '', 'clinical_data', 'id', 'patient_id',
        'shell_file_id,encounter_id,event_type,review,archived_at', 'withdrawn_at,updated_at'),
      ('patient_observations', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      -- Parts that go go with their observation.
      ('patient_observation_components', 'update', '', 'clinical_data', 'event_id,ordinal', 'patient_id', '', ''),
      ('patient_medications', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_conditions', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_allergies', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_immunizations', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_interventions', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('family_history', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('social_history', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('clinical_narratives', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id', 'shell_file_id', ''),
      ('account_subscriptions', 'insert or update or delete', '', 'usage', 'id', '',
        'account_id,plan_type,effective_from,effective_to', ''),
      ('subscription_plans', 'insert or update or delete', '', 'configuration', 'plan_type', '',
        'shell_files_limit,pages_limit,ai_tokens_limit,storage_mb_limit,monthly_price', ''),
      ('consent_purposes', 'insert or update or delete', '', 'configuration', 'purpose', '', 'holds_undecided', ''),
      -- Its concepts and wordings come and go with it.
      ('terminology_systems', 'insert or update or delete', '', 'configuration', 'code_system', '',
        'code_system,version,origin,checksum', 'loaded_at'),
      ('retention_rules', 'insert or update or delete', '', 'configuration', 'table_name', '', 'keep_days', ''),
      ('feature_flags', 'insert or update or delete', '', 'configuration', 'feature_name', '', 'enabled', 'updated_at'),
      ('system_configuration', 'insert or update or delete', '', 'configuration', 'config_key', '', 'config_value',
        'updated_at'),
      ('job_lanes', 'insert or update or delete', '', 'queue', 'job_lane', '', 'paused_at,paused_by', ''),
      ('api_rate_limits',
        'insert or update of requests_per_minute, tokens_per_minute, concurrent_requests, window_ms, requests_per_day, '
          'tokens_per_day, budget_usd_per_day, is_active or delete', '',
        'configuration', 'id', '',
        'provider_name,api_endpoint,requests_per_minute,tokens_per_minute,concurrent_requests,window_ms,requests_per_day,'
          'tokens_per_day,budget_usd_per_day,is_active', 'updated_at')
    ) as audited (table_name, events, condition, category, key_columns, patient_column, kept, derived)
  loop
    execute format('drop trigger if exists audit on public.%I', v_rule.table_name);
    execute format(
      'create trigger audit after %s on public.%I for each row %s execute function public.audit_row_change(%L, %L, %L, %L, %L)',
      v_rule.events, v_rule.table_name, v_rule.condition,
      v_rule.category, v_rule.key_columns, v_rule.patient_column, v_rule.kept, v_rule.derived
    );
  end loop;
end
$$;

drop trigger if exists audit_insert on public.patient_clinical_events;
create trigger audit_insert after insert on public.patient_clinical_events
  referencing new table as made
  for each statement execute function public.audit_new_rows(
    'clinical_data', 'id', 'patient_id', 'shell_file_id,encounter_id,event_type,review,archived_at'
  );

revoke all on function
  public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid),
  public.pick_columns(jsonb, text[]),
  public.changed_columns(jsonb, jsonb),
  public.audit_row_change(),
  public.audit_new_rows()
from public, anon, authenticated, service_role;

grant execute on function public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid) to service_role;

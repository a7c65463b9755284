-- Who may see and do what, on one screen. docs/access.md tells it in words; test/db/matrix tries it with everybody.
--
-- Three layers, each sufficient alone: grants (what a role may name), policies (which rows), functions (what a client
-- may change: nearly every write of a client is a function call, not a write on a table).
--
-- `= any (array(select ...))` makes the set of profiles an InitPlan: computed once per statement, usable by an index.
-- Rows that hang off a file ask for the file, whose own policy answers.

-- The policies of services and of the embedded login are made at the head of 10-protection.sql, since seeds need them.
-- Not "all in schema public": some of that may belong to an extension, and a host may forbid to touch it.
do $$
declare
  v_own record;
begin
  for v_own in
    select class.oid::regclass as name
    from pg_catalog.pg_class as class
    where class.relnamespace = 'public'::regnamespace and class.relkind = 'S' and class.relowner = current_user::regrole
  loop
    execute format('revoke all on sequence %s from public, anon, authenticated, service_role', v_own.name);
  end loop;
  for v_own in
    select func.oid::regprocedure as name
    from pg_catalog.pg_proc as func
    where func.pronamespace = 'public'::regnamespace and func.proowner = current_user::regrole
  loop
    execute format('revoke execute on routine %s from public, anon', v_own.name);
  end loop;
end
$$;

-- Grants: services --------------------------------------------------------------------------------------------------

-- Tables only: a view is granted where it is made, and sees no more than its reader.
do $$
declare
  v_table regclass;
begin
  for v_table in select own.name from public.own_tables() as own (name) loop
    execute format('revoke all on %s from public, anon, authenticated, service_role', v_table);
    execute format('grant select, insert, update, delete on %s to service_role', v_table);
  end loop;
end
$$;
-- Written by functions and triggers alone: what is derived stays derived, what is evidence stays evidence.
revoke insert, update, delete, truncate on
  public.shell_file_stages,
  public.shell_file_events,
  public.usage_events,
  public.user_usage_tracking,
  public.account_subscriptions,
  public.account_roles,
  public.profile_access_permissions,
  public.patient_consents,
  public.provider_registry,
  public.patient_provider_access,
  public.break_glass_accesses,
  public.data_exports,
  public.account_closures,
  public.system_notifications,
  public.user_profile_context,
  public.failed_audit_events,
  public.erased_objects,
  public.job_lanes,
  public.terminology_systems,
  public.terminology_concepts,
  public.terminology_synonyms
from service_role;
revoke update on public.shell_files from service_role;
grant update (review_state, page_count, quality_grade, document_class, document_date, locale, updated_at)
  on public.shell_files to service_role;
do $$
declare
  v_evidence regclass;
begin
  for v_evidence in
    select class.oid::regclass
    from pg_catalog.pg_class as class
    where class.oid in (select own.name from public.own_tables() as own (name)) and class.relname ~ '^audit_(log|seals)'
  loop
    execute format('revoke all on %s from service_role', v_evidence);
  end loop;
  grant select on public.audit_log to service_role;
end
$$;

-- Grants: clients. No table of the queue, the limits, the keys, the settings or the seals is among them. -------------

grant select on
  public.user_profiles, public.profile_access_permissions, public.account_roles,
  public.shell_files, public.shell_file_stages, public.shell_file_events, public.shell_file_pages,
  public.shell_file_texts, public.processing_errors,
  public.entity_processing_audit_v2, public.fact_sources, public.semantic_processing_sessions,
  public.medical_code_assignments, public.manual_review_queue, public.fact_review_decisions, public.fact_snapshots,
  public.healthcare_encounters, public.patient_clinical_events, public.patient_observations,
  public.patient_observation_components, public.patient_medications, public.patient_conditions,
  public.patient_allergies, public.patient_immunizations, public.patient_interventions, public.family_history,
  public.social_history, public.clinical_narratives, public.clinical_narrative_sentences,
  public.subscription_plans, public.account_subscriptions, public.usage_events, public.user_usage_tracking,
  public.consent_purposes, public.patient_consents, public.patient_provider_access, public.break_glass_accesses,
  public.data_exports, public.account_closures, public.system_notifications, public.retention_rules, public.user_profile_context,
  public.audit_log,
  public.terminology_systems, public.terminology_concepts, public.terminology_synonyms
to authenticated;
-- A directory tells who somebody is, not with which account they log in.
grant select (
  id, display_name, profession, registration_authority, registration_number, verification_status, verified_at,
  updated_at
) on public.provider_registry to authenticated;
-- Ids, times and archiving of a profile are not the client's to say.
grant insert (account_owner_id, profile_type, relationship, display_name, full_name, date_of_birth, time_zone, locale)
  on public.user_profiles to authenticated;
grant update (display_name, full_name, date_of_birth, relationship, time_zone, locale)
  on public.user_profiles to authenticated;

-- Policies: one per table and command ------------------------------------------------------------------------------

-- The first half is not covered by the second: a profile made by this very statement is in no set computed before it.
drop policy if exists client_reads on public.user_profiles;
create policy client_reads on public.user_profiles for select to authenticated using (
  account_owner_id = (select auth.uid())
  or id = any ((select public.accessible_profile_ids('read_only', 'profile'))::uuid[])
);
drop policy if exists client_adds on public.user_profiles;
create policy client_adds on public.user_profiles for insert to authenticated with check (
  account_owner_id = (select auth.uid()) and profile_type <> 'self'
);
drop policy if exists client_edits on public.user_profiles;
create policy client_edits on public.user_profiles for update to authenticated
  using (account_owner_id = (select auth.uid()))
  with check (account_owner_id = (select auth.uid()));

drop policy if exists client_reads on public.profile_access_permissions;
create policy client_reads on public.profile_access_permissions for select to authenticated using (
  account_id = (select auth.uid())
  or profile_id = any ((select public.accessible_profile_ids('full_access', 'access'))::uuid[])
);
drop policy if exists client_reads on public.account_roles;
create policy client_reads on public.account_roles for select to authenticated using (
  account_id = (select auth.uid())
);

drop policy if exists client_reads on public.provider_registry;
create policy client_reads on public.provider_registry for select to authenticated using (
  verification_status = 'verified'
  or id = (select public.own_provider_id())
  -- Whoever asked or was let in keeps a name, whatever became of them; and operators see whom to verify.
  or id = any (array(select access.provider_id from public.patient_provider_access as access))
  or exists (
    select from public.account_roles as held where held.account_id = (select auth.uid()) and held.role = 'operator'
  )
);
drop policy if exists client_reads on public.patient_provider_access;
create policy client_reads on public.patient_provider_access for select to authenticated using (
  provider_id = (select public.own_provider_id())
  or patient_id = any ((select public.accessible_profile_ids('full_access', 'access'))::uuid[])
);
drop policy if exists client_reads on public.break_glass_accesses;
create policy client_reads on public.break_glass_accesses for select to authenticated using (
  account_id = (select auth.uid())
  or patient_id = any ((select public.accessible_profile_ids('owner', 'audit'))::uuid[])
);

-- A patient's rows, for whoever may read this kind of the patient's data.
do $$
declare
  v_rule record;
  v_table text;
begin
  for v_rule in
    select *
    from (values
      ('document', 'read_only', array['shell_files', 'shell_file_events', 'processing_errors', 'manual_review_queue']),
      ('clinical', 'read_only', array[
        'entity_processing_audit_v2', 'fact_sources', 'semantic_processing_sessions', 'medical_code_assignments',
        'fact_review_decisions', 'fact_snapshots', 'healthcare_encounters', 'patient_clinical_events', 'patient_observations', 'patient_observation_components',
        'patient_medications', 'patient_conditions', 'patient_allergies', 'patient_immunizations',
        'patient_interventions', 'family_history', 'social_history'
      ]),
      ('narrative', 'read_only', array['clinical_narratives', 'clinical_narrative_sentences']),
      ('access', 'full_access', array['patient_consents']),
      ('audit', 'owner', array['data_exports'])
    ) as ruled (resource_type, level, tables)
  loop
    foreach v_table in array v_rule.tables loop
      execute format('drop policy if exists client_reads on public.%I', v_table);
      execute format(
        'create policy client_reads on public.%I for select to authenticated using ('
        '  patient_id = any ((select public.accessible_profile_ids(%L, %L))::uuid[])'
        ')', v_table, v_rule.level, v_rule.resource_type
      );
    end loop;
  end loop;

  foreach v_table in array array['shell_file_stages', 'shell_file_pages', 'shell_file_texts'] loop
    execute format('drop policy if exists client_reads on public.%I', v_table);
    execute format(
      'create policy client_reads on public.%I for select to authenticated using ('
      '  exists (select from public.shell_files as file where file.id = shell_file_id)'
      ')', v_table
    );
  end loop;

  -- What an account alone sees of itself.
  foreach v_table in array array[
    'account_subscriptions', 'usage_events', 'user_usage_tracking', 'account_closures', 'system_notifications',
    'user_profile_context'
  ] loop
    execute format('drop policy if exists client_reads on public.%I', v_table);
    execute format(
      'create policy client_reads on public.%I for select to authenticated using (account_id = (select auth.uid()))',
      v_table
    );
  end loop;

  -- What is the same for everybody.
  foreach v_table in array array[
    'subscription_plans', 'consent_purposes', 'retention_rules',
    'terminology_systems', 'terminology_concepts', 'terminology_synonyms'
  ] loop
    execute format('drop policy if exists client_reads on public.%I', v_table);
    execute format('create policy client_reads on public.%I for select to authenticated using (true)', v_table);
  end loop;
end
$$;

drop policy if exists client_reads on public.audit_log;
create policy client_reads on public.audit_log for select to authenticated using (
  patient_id = any ((select public.accessible_profile_ids('owner', 'audit'))::uuid[])
);

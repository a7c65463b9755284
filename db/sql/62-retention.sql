-- Retention: how long the rows of each table are kept, and what takes them away. The number of days is said here and
-- nowhere else; operators change it as data. What has no number of days says in words what ends it.

insert into public.retention_rules as rule (table_name, keep_days, basis)
values
  -- days
  ('audit_log', 2555, 'Whole months, seven years after they ended: as long as medical records of adults must be kept. Their seals stay.'),
  ('shell_files', 30, 'In the bin, from its deletion by a person. In use, as long as the account.'),
  ('job_queue', 30, 'Completed and cancelled jobs, from their end: long enough to look into a complaint. Dead letters stay until an operator decides.'),
  ('workers', 1, 'From the last sign of life: a stopped worker says goodbye, a dead one is no news after a day.'),
  ('shell_file_events', 90, 'From when it happened, for clients that come back late. The newest of each document stays with it.'),
  ('processing_errors', 180, 'From the failed attempt: long enough to see a provider''s failures over two quarters.'),
  ('page_pictures', 30, 'From when it was drawn: it can be drawn again. With the document at the latest.'),
  ('model_answers', 90, 'From when it was given: it can be asked for again. With the document or the consent at the latest.'),
  ('system_notifications', 90, 'From when it was read. Unread, as long as the account.'),
  ('slo_alerts', 90, 'From when it was resolved. Firing, until it is.'),
  ('failed_audit_events', 30, 'From when it was written into the log after all. What could not be written yet stays.'),
  -- a time of their own
  ('idempotency_keys', null, 'Until expires_at, set by idempotency.keep_hours of system_configuration: replays are answered till then.'),
  ('resumable_uploads', null, 'Until expires_at, set when the upload is created: whoever has not come back by then begins anew.'),
  ('data_exports', null, 'The archive until expires_at, the row as long as the account: that everything was handed out is evidence.'),
  ('slo_alert_deliveries', null, 'As long as the alert.'),
  ('api_capacity_reservations', null, 'Ten minutes after they were released or ran out (sweep_api_capacity).'),
  ('api_daily_use', null, 'Three months: what outside services were asked for, and what it cost (sweep_api_capacity).'),
  ('api_usage_slots', null, 'As long as they count against a limit, some minutes (sweep_api_capacity).'),
  ('request_allowances', null, 'Until the budget is whole again, a minute or two (forget_whole_allowances).'),
  ('erased_objects', null, 'Until the store has deleted the bytes.'),
  -- evidence
  ('audit_seals', null, 'Always: they prove the months that are kept, and say which are not.'),
  ('account_closures', null, 'Always: the proof that an account was closed; holds nothing personal.'),
  ('patient_consents', null, 'As long as the account: what was allowed when has to be provable.'),
  ('profile_access_permissions', null, 'As long as the profile: who could see what and when.'),
  ('patient_provider_access', null, 'As long as the profile: who could see what and when.'),
  ('break_glass_accesses', null, 'As long as the profile: its people read who looked without having been let in.'),
  ('usage_events', null, 'As long as the profile''s id: the ledger that bills are checked against; holds ids and numbers.'),
  ('user_usage_tracking', null, 'As the ledger that it sums up.'),
  ('account_subscriptions', null, 'As long as the account: which plan held when.'),
  -- the account and its people
  ('user_profiles', null, 'As long as the account.'),
  ('user_profile_context', null, 'As long as the account.'),
  ('account_roles', null, 'As long as the account.'),
  ('provider_registry', null, 'As long as anybody''s access by it: who a clinician was.'),
  -- what hangs off a document, and goes with it
  ('shell_file_stages', null, 'As long as the document.'),
  ('shell_file_pages', null, 'As long as the document.'),
  ('shell_file_texts', null, 'As long as the document.'),
  ('semantic_processing_sessions', null, 'As long as the document.'),
  ('entity_processing_audit_v2', null, 'As long as the document: every fact leads back to its words.'),
  ('fact_sources', null, 'As long as the document.'),
  ('medical_code_assignments', null, 'As long as the fact.'),
  ('manual_review_queue', null, 'As long as the document: what a person decided about it.'),
  ('fact_review_decisions', null, 'As long as the document: what people decided about it, and how to take it back.'),
  ('fact_snapshots', null, 'As long as the document, until it is processed again: what stood in it before.'),
  ('healthcare_encounters', null, 'As long as the document.'),
  ('clinical_narratives', null, 'As long as the document, and an event that it tells of.'),
  ('clinical_narrative_sentences', null, 'As long as the document, and every event that it cites.'),
  -- the record: as long as a document that supports it
  ('patient_clinical_events', null, 'As long as a document that says so.'),
  ('patient_observations', null, 'As long as the event.'),
  ('patient_observation_components', null, 'As long as the event.'),
  ('patient_medications', null, 'As long as the event.'),
  ('patient_conditions', null, 'As long as the event.'),
  ('patient_allergies', null, 'As long as the event.'),
  ('patient_immunizations', null, 'As long as the event.'),
  ('patient_interventions', null, 'As long as the event.'),
  ('family_history', null, 'As long as the event.'),
  ('social_history', null, 'As long as the event.'),
  -- the installation itself
  ('feature_flags', null, 'As long as the installation.'),
  ('system_configuration', null, 'As long as the installation.'),
  ('retention_rules', null, 'As long as the installation.'),
  ('consent_purposes', null, 'As long as the installation.'),
  ('subscription_plans', null, 'As long as the installation.'),
  ('terminology_systems', null, 'Until a release or an operator brings another version.'),
  ('terminology_concepts', null, 'As long as their system.'),
  ('terminology_synonyms', null, 'As long as their system.'),
  ('api_rate_limits', null, 'As long as the installation.'),
  ('job_types', null, 'As long as the installation.'),
  ('job_lanes', null, 'As long as the installation.'),
  ('job_schedules', null, 'As long as the installation.'),
  ('slo_states', null, 'As long as the installation.')
on conflict (table_name) do update
-- The days are the operator's; the words are ours.
set basis = excluded.basis
where rule.basis is distinct from excluded.basis;

create or replace function public.retention_period(p_table_name text) returns interval
language sql stable set search_path = '' as $$
  select make_interval(days => rule.keep_days)
  from public.retention_rules as rule
  where rule.table_name = p_table_name and rule.keep_days is not null
$$;
comment on function public.retention_period(text) is
  'How long rows of a table are kept; null where no number of days ends them, so that comparisons with it delete nothing.';

-- Definer: deletes where no role may. Each statement says for itself what goes; nothing is built from the rules' text.
create or replace function public.apply_retention(p_limit int default 1000) returns table (table_name text, deleted int)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
begin
  table_name := 'shell_file_events';
  with past as materialized (
    select event.id
    from public.shell_file_events as event
    where event.created_at < now() - public.retention_period('shell_file_events')
      -- The last one tells whoever asks that it is over.
      and exists (
        select from public.shell_file_events as later
        where later.shell_file_id = event.shell_file_id and later.id > event.id
      )
    order by event.id
    limit p_limit
    for update skip locked
  )
  delete from public.shell_file_events as event using past where event.id = past.id;
  get diagnostics deleted = row_count;
  return next;

  table_name := 'processing_errors';
  with past as materialized (
    select error.id
    from public.processing_errors as error
    where error.created_at < now() - public.retention_period('processing_errors')
    order by error.id
    limit p_limit
    for update skip locked
  )
  delete from public.processing_errors as error using past where error.id = past.id;
  get diagnostics deleted = row_count;
  return next;

  table_name := 'system_notifications';
  with past as materialized (
    select notification.id
    from public.system_notifications as notification
    where notification.read_at < now() - public.retention_period('system_notifications')
    order by notification.id
    limit p_limit
    for update skip locked
  )
  delete from public.system_notifications as notification using past where notification.id = past.id;
  get diagnostics deleted = row_count;
  return next;

  -- Its trigger lists the bytes for deletion.
  table_name := 'page_pictures';
  with past as materialized (
    select picture.storage_key
    from public.page_pictures as picture
    where picture.created_at < now() - public.retention_period('page_pictures')
    order by picture.created_at
    limit p_limit
    for update skip locked
  )
  delete from public.page_pictures as picture using past where picture.storage_key = past.storage_key;
  get diagnostics deleted = row_count;
  return next;

  table_name := 'model_answers';
  with past as materialized (
    select answer.shell_file_id, answer.question_hash
    from public.model_answers as answer
    where answer.created_at < now() - public.retention_period('model_answers')
    order by answer.created_at
    limit p_limit
    for update skip locked
  )
  delete from public.model_answers as answer using past
  where answer.shell_file_id = past.shell_file_id and answer.question_hash = past.question_hash;
  get diagnostics deleted = row_count;
  return next;

  table_name := 'slo_alerts';
  with past as materialized (
    select alert.id
    from public.slo_alerts as alert
    where alert.resolved_at < now() - public.retention_period('slo_alerts')
    order by alert.resolved_at
    limit p_limit
    for update skip locked
  )
  delete from public.slo_alerts as alert using past where alert.id = past.id;
  get diagnostics deleted = row_count;
  return next;

  table_name := 'failed_audit_events';
  with past as materialized (
    select event.id
    from public.failed_audit_events as event
    where event.recovered_at < now() - public.retention_period('failed_audit_events')
    order by event.id
    limit p_limit
    for update skip locked
  )
  delete from public.failed_audit_events as event using past where event.id = past.id;
  get diagnostics deleted = row_count;
  return next;
end
$$;
comment on function public.apply_retention(int) is
  'Deletes, table by table and oldest first, what its days are over for; returns how much. Jobs, workers, the bin and the audit log have functions of their own.';

-- Definer: reaches the tables of the embedded login, which no API role may.
create or replace function public.delete_expired_logins(p_limit int default 1000) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_sessions int;
  v_proofs int;
  v_messages int;
begin
  with past as materialized (
    select session.id
    from login.sessions as session
    where session.expires_at < now()
    limit p_limit
    for update skip locked
  )
  delete from login.sessions as session using past where session.id = past.id;
  get diagnostics v_sessions = row_count;

  with past as materialized (
    select proof.id
    from login.verifications as proof
    where proof.expires_at < now()
    limit p_limit
    for update skip locked
  )
  delete from login.verifications as proof using past where proof.id = past.id;
  get diagnostics v_proofs = row_count;

  with past as materialized (
    select message.id
    from login.messages as message
    where message.requested_at < now() - interval '1 day'
    limit p_limit
    for update skip locked
  )
  delete from login.messages as message using past where message.id = past.id;
  get diagnostics v_messages = row_count;
  return greatest(v_sessions, v_proofs, v_messages);
end
$$;
comment on function public.delete_expired_logins(int) is
  'Ends what nobody can sign in with any more: sessions and short-lived proofs past their time; and messages a day after they were asked for, sent or not. Returns how many of the one that had most.';

revoke all on function
  public.delete_expired_logins(int),
  public.retention_period(text),
  public.apply_retention(int)
from public, anon, authenticated, service_role;

grant execute on function public.delete_expired_logins(int) to service_role;
grant execute on function public.retention_period(text) to service_role;
grant execute on function public.apply_retention(int) to service_role;

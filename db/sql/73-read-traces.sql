-- Reading leaves its trace: one row of the audit log for each view of a person's data that somebody was shown.
--
-- The statement that reads also asks `read_basis` on what ground it may, so that rule and trace see one state of the
-- grants; the server collects the answers and hands them over in batches. Deriving the ground later, from the times that
-- grants carry, would not do: a grant is revoked as of the start of a transaction that others cannot see yet, so a read
-- in between would have none.

-- What can be read, as the server names it; a new view is a new line here and in db/queries/read-traces.ts.
create or replace function public.traced_views()
returns table (view text, table_name text, resource_type text, compliance_category text)
language sql immutable set search_path = '' as $$
  values
    ('document_list', 'shell_files', 'document', 'document'),
    ('document', 'shell_files', 'document', 'document'),
    ('document_content', 'shell_files', 'document', 'document'),
    ('document_events', 'shell_file_events', 'document', 'document'),
    ('document_pages', 'shell_file_pages', 'document', 'document'),
    ('page_image', 'shell_file_pages', 'document', 'document'),
    ('page_words', 'shell_file_pages', 'document', 'document'),
    ('document_text', 'shell_file_texts', 'document', 'document'),
    ('document_facts', 'entity_processing_audit_v2', 'clinical', 'clinical_data'),
    ('document_narratives', 'clinical_narratives', 'narrative', 'clinical_data'),
    ('profile_narratives', 'patient_clinical_events', 'narrative', 'clinical_data'),
    ('document_review', 'fact_review_decisions', 'clinical', 'clinical_data'),
    ('document_changes', 'fact_snapshots', 'clinical', 'clinical_data')
$$;
comment on function public.traced_views() is
  'The closed list of what is shown of a person''s data: in which table it lies, and as which kind of data access decides.';

-- Without a search path of its own, so that it becomes part of its callers, which pin theirs.
create or replace function public.basis_rank(p_basis text) returns int
language sql immutable as $$
  select array_position(array['owner', 'guardian', 'delegate', 'provider', 'break_glass'], p_basis)
$$;
comment on function public.basis_rank(text) is 'The ground that says most comes first; null for a word that is none.';

-- Definer: callers may not list all grants that they hold (a clinician's, broken glass). Answers for the caller alone.
-- Stable, so that it sees the grants exactly as the policies of the calling statement do; in plpgsql, whose plans are kept.
create or replace function public.read_basis(p_patient_id uuid, p_resource_type text) returns jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  v_account_id uuid := auth.uid();
begin
  return (
    select jsonb_build_object('basis', held.basis, 'grant_id', held.grant_id, 'resource_type', p_resource_type)
    from public.profile_grants_of(v_account_id) as held
    where held.profile_id = p_patient_id
      and (held.resource_types is null or p_resource_type = any (held.resource_types))
    order by public.basis_rank(held.basis)
    limit 1
  );
end
$$;
comment on function public.read_basis(uuid, text) is
  'On what ground the caller reaches this kind of a person''s data just now; null if on none.';

-- What is missing or unknown leaves table_name null, which the log refuses: a trace is whole or is kept as failed.
create or replace function public.write_read_traces(p_reads jsonb) returns void
language sql volatile set search_path = '' as $$
  insert into public.audit_log
    (id, changed_at, table_name, record_id, operation, new_values, reason, compliance_category, patient_id,
      changed_by, actor_role, correlation_id, ip_address)
  select
    seen.trace_id,
    seen.read_at,
    case
      when isfinite(seen.read_at)
        and seen.read_at < clock_timestamp() + interval '5 minutes'
        and seen.account_id is not null
        and seen.patient_id is not null
        and seen.count > 0
        and public.basis_rank(seen.basis) is not null
      then known.table_name
    end,
    seen.record_id,
    'SELECT',
    jsonb_build_object('view', seen.view, 'basis', seen.basis, 'grant_id', seen.grant_id, 'count', seen.count),
    coalesce(approved.purpose, glass.reason_code),
    known.compliance_category,
    seen.patient_id,
    seen.account_id,
    'authenticated',
    seen.correlation_id,
    seen.client_address
  from jsonb_to_recordset(p_reads) as seen (
    trace_id uuid, read_at timestamptz, account_id uuid, patient_id uuid, view text, record_id text,
    basis text, grant_id uuid, correlation_id text, client_address inet, count int
  )
  left join public.traced_views() as known on known.view = seen.view
  left join public.patient_provider_access as approved on seen.basis = 'provider' and approved.id = seen.grant_id
  left join public.break_glass_accesses as glass on seen.basis = 'break_glass' and glass.id = seen.grant_id
  -- A batch whose answer was lost is sent again, with the ids that it had.
  on conflict (id, changed_at) do nothing
$$;
comment on function public.write_read_traces(jsonb) is
  'Writes traces of reading into the month in which it happened, with the purpose or the reason code of the grant; all or none.';

create or replace function public.keep_failed_audit_event(p_event jsonb, p_failure_code text) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_id uuid;
  v_occurred_at timestamptz;
begin
  begin
    v_id := p_event ->> 'trace_id';
    v_occurred_at := p_event ->> 'read_at';
  exception when data_exception then
    -- It is kept as it came; only its place among the others is ours then.
    v_occurred_at := null;
  end;
  insert into public.failed_audit_events (id, audit_payload, occurred_at, failure_code)
  values (coalesce(v_id, public.uuid_v7()), p_event, coalesce(v_occurred_at, now()), p_failure_code)
  on conflict (id) do nothing;
end
$$;
comment on function public.keep_failed_audit_event(jsonb, text) is
  'Keeps an event that the log refused, with the SQLSTATE, until it can be written.';

-- Definer: no role may insert into the log. Who read is an argument here, as it is for nothing else: the transactions in
-- which they read are over. Hence for services only.
create or replace function public.record_reads(p_reads jsonb) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_read jsonb;
  v_failed int := 0;
begin
  begin
    perform public.write_read_traces(p_reads);
    return 0;
  exception when others then
    -- Which row it was is found below; one that cannot be written must not cost the others their trace.
    v_failed := 0;
  end;
  for v_read in select item.value from jsonb_array_elements(p_reads) as item loop
    begin
      perform public.write_read_traces(jsonb_build_array(v_read));
    exception when others then
      perform public.keep_failed_audit_event(v_read, sqlstate);
      v_failed := v_failed + 1;
    end;
  end loop;
  return v_failed;
end
$$;
comment on function public.record_reads(jsonb) is
  'Traces of reading, in a batch: each is in the log or in failed_audit_events afterwards; returns how many are in the latter. Sent again, it writes nothing twice.';

-- Definer: as record_reads. Tried again after 0, 1, 3, 7, ... minutes, twelve times in some 34 hours; then an operator must look.
create or replace function public.retry_failed_audit_events(p_limit int default 100) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event public.failed_audit_events;
  v_tried int := 0;
begin
  for v_event in
    select waiting.*
    from public.failed_audit_events as waiting
    where waiting.recovered_at is null
      and waiting.recovery_attempts < 12
      and waiting.created_at + (2 ^ waiting.recovery_attempts - 1) * interval '1 minute' <= now()
    order by waiting.created_at
    limit p_limit
    for update skip locked
  loop
    v_tried := v_tried + 1;
    begin
      perform public.write_read_traces(jsonb_build_array(v_event.audit_payload));
      update public.failed_audit_events as recovered
      set recovered_at = now(),
          recovery_attempts = recovered.recovery_attempts + 1
      where recovered.id = v_event.id;
    exception when others then
      update public.failed_audit_events as refused
      set failure_code = sqlstate,
          recovery_attempts = refused.recovery_attempts + 1
      where refused.id = v_event.id;
    end;
  end loop;
  return v_tried;
end
$$;
comment on function public.retry_failed_audit_events(int) is
  'Tries to write what the log had refused, at growing intervals and not for ever; returns how many it tried.';

revoke all on function
  public.traced_views(),
  public.basis_rank(text),
  public.read_basis(uuid, text),
  public.write_read_traces(jsonb),
  public.keep_failed_audit_event(jsonb, text),
  public.record_reads(jsonb),
  public.retry_failed_audit_events(int)
from public, anon, authenticated, service_role;

grant execute on function public.read_basis(uuid, text) to authenticated;
grant execute on function public.record_reads(jsonb) to service_role;
grant execute on function public.retry_failed_audit_events(int) to service_role;

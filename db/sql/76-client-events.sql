-- What clients say that they did with a person's data, and the audit as its people and operators read it.
--
-- A client can leave out what it did, so its word stands beside the traces of reading (73-read-traces.sql) and replaces
-- none of them. What it says is bounded: a word of a closed list and ids; who, when and from where is not its to say.

create or replace function public.client_events()
returns table (event text, resource_type text, table_name text, compliance_category text)
language sql immutable set search_path = '' as $$
  values
    ('document_displayed', 'document', 'shell_files', 'document'),
    ('document_exported', 'document', 'shell_files', 'document'),
    ('document_printed', 'document', 'shell_files', 'document'),
    ('document_shared', 'document', 'shell_files', 'document'),
    ('record_displayed', 'clinical', 'patient_clinical_events', 'clinical_data'),
    ('record_exported', 'clinical', 'patient_clinical_events', 'clinical_data'),
    ('record_printed', 'clinical', 'patient_clinical_events', 'clinical_data'),
    ('record_shared', 'clinical', 'patient_clinical_events', 'clinical_data')
$$;
comment on function public.client_events() is 'The closed list of what clients may report; db/queries/audit-events.ts has the same words.';

-- Definer: no role may insert into the log. Access is asked for first, with the ground on which the caller holds it.
create or replace function public.report_client_event(p_patient_id uuid, p_event text, p_shell_file_id uuid default null)
returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_known record;
  v_ground jsonb;
begin
  select * into v_known from public.client_events() as known where known.event = p_event;
  if not found or (v_known.resource_type = 'document') <> (p_shell_file_id is not null) then
    raise exception 'There is no such event, or it is about a document that is not named.'
      using errcode = 'invalid_parameter_value';
  end if;
  v_ground := public.read_basis(p_patient_id, v_known.resource_type);
  if v_ground is null
    or p_shell_file_id is not null and not exists (
      select from public.shell_files as file
      where file.id = p_shell_file_id and file.patient_id = p_patient_id and file.deleted_at is null
    ) then
    raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
  end if;
  return public.log_audit_event(
    p_table_name => v_known.table_name,
    p_record_id => coalesce(p_shell_file_id, p_patient_id)::text,
    p_operation => 'SELECT',
    p_new_values => jsonb_build_object(
      'view', p_event, 'basis', v_ground ->> 'basis', 'grant_id', v_ground ->> 'grant_id', 'count', 1, 'reported', true
    ),
    p_compliance_category => v_known.compliance_category,
    p_patient_id => p_patient_id
  );
end
$$;
comment on function public.report_client_event(uuid, text, uuid) is
  'A client says what it showed, printed, exported or shared of a person; in the log with the caller and the ground of their access.';

create or replace function public.audit_page_of(
  p_patient_id uuid,
  p_before timestamptz,
  p_before_id uuid,
  p_limit int
) returns setof public.audit_log language plpgsql stable set search_path = '' as $$
begin
  return query
  select log.*
  from public.audit_log as log
  where log.patient_id = p_patient_id
    and log.changed_at <= coalesce(p_before, 'infinity')
    and (p_before is null or log.changed_at < p_before or log.id < p_before_id)
  order by log.changed_at desc, log.id desc
  limit least(p_limit, 1000);
end
$$;
comment on function public.audit_page_of(uuid, timestamptz, uuid, int) is
  'The audit rows of one person, newest first. Whoever calls has asked for access.';

-- Definer: asks for access first; the log is open to nobody else.
create or replace function public.patient_audit_events(
  p_patient_id uuid,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit int default 50
) returns setof public.audit_log language plpgsql stable security definer set search_path = '' as $$
begin
  perform public.require_profile_access(p_patient_id, 'owner', 'audit');
  return query select * from public.audit_page_of(p_patient_id, p_before, p_before_id, p_limit);
end
$$;
comment on function public.patient_audit_events(uuid, timestamptz, uuid, int) is
  'The audit rows of one person, newest first, for whoever holds the profile as its owner.';

-- Definer: operators are ordinary accounts, to whom the log is closed. That they looked is in it before they see anything.
create or replace function public.operator_audit_events(
  p_patient_id uuid default null,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit int default 50
) returns setof public.audit_log language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.require_operator();
  perform public.log_audit_event(
    p_table_name => 'audit_log',
    p_record_id => coalesce(p_patient_id::text, 'all'),
    p_operation => 'SELECT',
    p_new_values => jsonb_build_object('view', 'audit_events', 'count', 1),
    p_compliance_category => 'access_control',
    p_patient_id => p_patient_id
  );
  -- Two statements, since a plan that is kept for both would have the index of neither.
  if p_patient_id is not null then
    return query select * from public.audit_page_of(p_patient_id, p_before, p_before_id, p_limit);
  else
    return query
    select log.*
    from public.audit_log as log
    where log.changed_at <= coalesce(p_before, 'infinity')
      and (p_before is null or log.changed_at < p_before or log.id < p_before_id)
    order by log.changed_at desc, log.id desc
    limit least(p_limit, 1000);
  end if;
end
$$;
comment on function public.operator_audit_events(uuid, timestamptz, uuid, int) is
  'The audit rows of one person or of all, newest first, for operators: who looks is in the log as well.';

revoke all on function
  public.audit_page_of(uuid, timestamptz, uuid, int),
  public.client_events(),
  public.report_client_event(uuid, text, uuid),
  public.patient_audit_events(uuid, timestamptz, uuid, int),
  public.operator_audit_events(uuid, timestamptz, uuid, int)
from public, anon, authenticated, service_role;

grant execute on function public.report_client_event(uuid, text, uuid) to authenticated;
grant execute on function public.patient_audit_events(uuid, timestamptz, uuid, int) to authenticated;
grant execute on function public.operator_audit_events(uuid, timestamptz, uuid, int) to authenticated;

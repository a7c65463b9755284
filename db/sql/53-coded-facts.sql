-- What workers do to a record: pass 2 says what facts are in it, reading anew takes them out.

-- A report has thousands of facts, and nobody knows beforehand how many are told here: looped, it would be their square.
create or replace function public.put_coded(p_shell_file_id uuid, p_coded jsonb) returns uuid[]
language plpgsql volatile set search_path = '' set enable_nestloop = off as $$
declare
  v_facts uuid[];
begin
  with put as (
    -- What is in the record keeps its event meanwhile, so that this goes on as what it was.
    update public.entity_processing_audit_v2 as fact
    set entry = coded.entry,
        decision = case
          when coded.entry is null then 'noted'
          when fact.event_id is null then 'found'
          else fact.decision
        end,
        decision_reason = coded.decision_reason,
        event_id = case when coded.entry is not null then fact.event_id end,
        confidence = coded.confidence,
        confidence_reason = coded.confidence_reason,
        updated_at = clock_timestamp()
    from jsonb_to_recordset(p_coded) as coded (
      id uuid, entry jsonb, decision_reason text, confidence text, confidence_reason text
    )
    where fact.id = coded.id and fact.shell_file_id = p_shell_file_id and fact.review = 'unreviewed'
    returning fact.id
  )
  select array_agg(put.id) into v_facts from put;
  return v_facts;
end
$$;
comment on function public.put_coded(uuid, jsonb) is 'The undecided ones of these facts of a file say what pass 2 made of them; gives their ids.';

-- Definer: runs for workers, which write facts, but the record only here.
create or replace function public.code_facts(p_shell_file_id uuid, p_coded jsonb) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_facts uuid[];
  v_bases text[];
  v_left uuid[];
begin
  select array_agg(distinct fact.entry_base), array_agg(distinct fact.event_id) into v_bases, v_left
  from public.entity_processing_audit_v2 as fact
  where fact.shell_file_id = p_shell_file_id and fact.review = 'unreviewed' and fact.entry is not null;
  v_facts := public.put_coded(p_shell_file_id, p_coded);
  perform public.settle_facts(v_facts, (
    select file.patient_id from public.shell_files as file where file.id = p_shell_file_id
  ), v_bases, v_left);
  return (
    select jsonb_build_object(
      'events', count(*) filter (where fact.decision = 'admitted' and fact.entry ? 'event'),
      'encounters', count(*) filter (where fact.entry ? 'encounter'),
      'merged', count(*) filter (where fact.decision = 'merged'),
      'noted', count(*) filter (where fact.decision = 'noted')
    )
    from public.entity_processing_audit_v2 as fact
    where fact.id = any (v_facts)
  );
end
$$;
comment on function public.code_facts(uuid, jsonb) is
  'What pass 2 made of facts of a file: each enters the record, leaves it or stays outside; counts what became of them. What people decided stands. The caller holds the record.';

-- Definer: runs for workers, which write facts, but the record only here.
create or replace function public.retract_file(p_shell_file_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_patient_id uuid;
  v_bases text[];
  v_left uuid[];
begin
  select file.patient_id into v_patient_id from public.shell_files as file where file.id = p_shell_file_id;
  with leaving as materialized (
    select fact.id, fact.entry_base, fact.event_id
    from public.entity_processing_audit_v2 as fact
    where fact.shell_file_id = p_shell_file_id and fact.review = 'unreviewed' and fact.entry is not null
  ),
  left_behind as (
    update public.entity_processing_audit_v2 as fact
    set entry = null,
        decision = 'found',
        decision_reason = null,
        event_id = null,
        updated_at = clock_timestamp()
    from leaving
    where fact.id = leaving.id
  )
  select array_agg(distinct leaving.entry_base), array_agg(distinct leaving.event_id) into v_bases, v_left from leaving;
  perform public.settle_record(v_patient_id, coalesce(v_bases, '{}'), coalesce(v_left, '{}'));
end
$$;
comment on function public.retract_file(uuid) is
  'Takes the undecided facts of a file out of the record, so that it can be read anew. The caller holds the record.';

revoke all on function
  public.put_coded(uuid, jsonb),
  public.code_facts(uuid, jsonb),
  public.retract_file(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.code_facts(uuid, jsonb) to service_role;
grant execute on function public.retract_file(uuid) to service_role;

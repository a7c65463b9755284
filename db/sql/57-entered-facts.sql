-- Facts that people enter by hand.

-- Definer: access is checked first; clients cannot write facts or the record.
create or replace function public.enter_fact(
  p_shell_file_id uuid,
  p_fact jsonb,
  p_sources jsonb,
  p_entry jsonb,
  p_codes jsonb,
  p_fact_id uuid default public.uuid_v7()
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files := public.hold_record_of_file(p_shell_file_id);
  v_entry constant jsonb := public.offered_entry(p_entry);
  v_text_version int;
begin
  perform from public.fact_review_decisions as known
  where known.shell_file_id = v_file.id
    and known.fact_ids = array[p_fact_id]
    and known.decision = 'entered'
    and known.decided_by = auth.uid();
  if found then
    return p_fact_id;
  end if;
  if v_file.review_state in ('pending', 'rejected') then
    raise exception 'Whose document this is has not been settled.' using errcode = 'object_not_in_prerequisite_state';
  end if;

  select coalesce(max(known.version), 0) into v_text_version
  from public.shell_file_texts as known
  where known.shell_file_id = v_file.id;
  insert into public.entity_processing_audit_v2
  select fact.*
  from jsonb_populate_record(null::public.entity_processing_audit_v2, jsonb_build_object('detail', '{}'::jsonb)
    || public.pick_columns(p_fact, array[
      'fact_type', 'fact_text', 'fact_status', 'value', 'unit', 'reference_range', 'found_date', 'detail', 'concept'
    ])
    || jsonb_build_object(
      'id', p_fact_id, 'patient_id', v_file.patient_id, 'shell_file_id', v_file.id, 'text_version', v_text_version,
      'finding_key', 'entered:' || p_fact_id, 'strength', 'strong',
      'decision', case when v_entry is null then 'noted' else 'found' end,
      'decision_reason', case when v_entry is null then 'As it was entered, it has no place in the record.' end,
      'entry', v_entry, 'confidence', 'high', 'review', 'accepted', 'reviewed_by', auth.uid(),
      'found_by_pass', 0, 'found_by_provider', 'person', 'found_by_model', 'entered by hand',
      'reviewed_at', clock_timestamp(), 'created_at', clock_timestamp(), 'updated_at', clock_timestamp()
    )) as fact;
  insert into public.fact_sources
  select place.*
  from jsonb_array_elements(p_sources) with ordinality as offered (row, place),
    jsonb_populate_record(null::public.fact_sources, offered.row || jsonb_build_object(
      'fact_id', p_fact_id, 'ordinal', offered.place - 1, 'shell_file_id', v_file.id,
      'patient_id', v_file.patient_id, 'text_version', v_text_version
    )) as place;
  perform public.put_codes(p_fact_id, v_file.patient_id, p_codes);
  insert into public.fact_review_decisions
    (decision_id, patient_id, shell_file_id, fact_ids, decision, before, decided_by, decided_at)
  values
    (public.uuid_v7(), v_file.patient_id, v_file.id, array[p_fact_id], 'entered', '{}', auth.uid(), clock_timestamp());
  perform public.settle_record(v_file.patient_id, public.bases_of(array[p_fact_id]));
  perform public.tell_story_again(v_file.id);
  perform public.tell_shell_file_event(v_file.id, null, null, null, null);
  return p_fact_id;
end
$$;
comment on function public.enter_fact(uuid, jsonb, jsonb, jsonb, jsonb, uuid) is
  'A person adds what the document says and no pass has found; words on a page may be named, and need not. The same id again has no further effect.';

revoke all on function
  public.enter_fact(uuid, jsonb, jsonb, jsonb, jsonb, uuid)
from public, anon, authenticated, service_role;

grant execute on function public.enter_fact(uuid, jsonb, jsonb, jsonb, jsonb, uuid) to authenticated;

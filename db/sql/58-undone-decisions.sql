-- Taking decisions about facts back: everything is as it was before, unless others have changed it since.

create or replace function public.entry_id_to_restore(p_entry jsonb, p_fact_ids uuid[]) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  v_id constant uuid := coalesce(p_entry #>> '{event,id}', p_entry #>> '{encounter,id}');
  v_now jsonb;
begin
  if not public.is_supported_elsewhere(v_id, p_fact_ids) then
    return v_id;
  end if;
  -- Somebody else's fact has come to say the same as the correction that is taken back: that event is theirs now.
  v_now := public.record_entry_of(v_id);
  return case when (v_now -> 'spoke', v_now -> 'components') is not distinct from (p_entry -> 'spoke', p_entry -> 'components')
    then v_id
    else public.uuid_v7()
  end;
end
$$;
comment on function public.entry_id_to_restore(jsonb, uuid[]) is
  'Under which id an entry comes back: its own, unless that says something else by now, which others support.';

create or replace function public.restore_facts(p_decided public.fact_review_decisions, p_entry_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.entity_processing_audit_v2 as fact
  set decision = state.decision,
      decision_reason = state.decision_reason,
      confidence = state.confidence,
      confidence_reason = state.confidence_reason,
      review = state.review,
      reviewed_by = case when state.review <> 'unreviewed' then (
        select earlier.decided_by
        from public.fact_review_decisions as earlier
        where earlier.shell_file_id = fact.shell_file_id
          and fact.id = any (earlier.fact_ids)
          and earlier.undone_at is null
          and earlier.id <> p_decided.id
        order by earlier.decided_at desc
        limit 1
      ) end,
      reviewed_at = state.reviewed_at,
      corrected = state.corrected,
      event_id = p_entry_id,
      updated_at = clock_timestamp()
  from jsonb_to_recordset(p_decided.before -> 'facts') as state (
    id uuid, decision text, decision_reason text, confidence text, confidence_reason text, review text,
    reviewed_at timestamptz, corrected jsonb
  )
  where fact.id = state.id;
end
$$;
comment on function public.restore_facts(public.fact_review_decisions, uuid) is 'The states of the facts before a decision.';

create or replace function public.undo_decided(p_decided public.fact_review_decisions) returns void
language plpgsql volatile set search_path = '' as $$
declare
  -- JSON's null is no entry.
  v_entry constant jsonb := nullif(p_decided.before -> 'entry', 'null');
  v_now_id uuid;
  v_entry_id uuid;
begin
  select fact.event_id into v_now_id
  from public.entity_processing_audit_v2 as fact
  where fact.id = p_decided.fact_ids[1];

  if p_decided.decision = 'accepted' then
    perform public.restore_facts(p_decided, v_now_id);
    perform public.settle_support(v_now_id);
    update public.patient_clinical_events as event
    set review = v_entry #>> '{event,review}',
        confidence = v_entry #>> '{event,confidence}',
        confidence_reason = v_entry #>> '{event,confidence_reason}',
        updated_at = clock_timestamp()
    where event.id = v_now_id
      and event.id = (v_entry #>> '{event,id}')::uuid
      -- What another file's reader has accepted as well stays so.
      and not exists (
        select
        from public.entity_processing_audit_v2 as other
        where other.event_id = event.id and other.review <> 'unreviewed'
      );
    return;
  end if;

  if p_decided.decision = 'entered' then
    delete from public.entity_processing_audit_v2 as fact where fact.id = any (p_decided.fact_ids);
  else
    if v_entry is not null then
      v_entry_id := public.twin_of_entry(v_entry, p_decided.patient_id, (v_entry #>> '{event,id}')::uuid);
      if v_entry_id is null then
        v_entry_id := public.entry_id_to_restore(v_entry, p_decided.fact_ids);
        perform public.put_record_entry(v_entry, v_entry_id, p_decided.patient_id, p_decided.shell_file_id);
      end if;
      if p_decided.decision = 'edited' then
        perform public.drop_sentences_citing(p_decided.patient_id, v_entry_id);
      end if;
    end if;
    perform public.restore_facts(p_decided, v_entry_id);
    perform public.put_codes(p_decided.fact_ids[1], p_decided.patient_id, p_decided.before -> 'codes');
    if v_entry_id is not null then
      perform public.settle_support(v_entry_id);
    end if;
  end if;
  if v_now_id is not null and v_now_id is distinct from v_entry_id then
    perform public.release_entry(v_now_id, p_decided.shell_file_id);
  end if;
end
$$;
comment on function public.undo_decided(public.fact_review_decisions) is
  'Puts facts, codes and the record back as they stood before a decision.';

-- Definer: access is checked first; clients cannot write facts or the record.
create or replace function public.undo_fact_decision(p_shell_file_id uuid, p_decision_id uuid) returns uuid[]
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files := public.hold_record_of_file(p_shell_file_id);
  v_decided public.fact_review_decisions;
  v_facts uuid[] := '{}';
  v_changed boolean := false;
begin
  for v_decided in
    select *
    from public.fact_review_decisions as decided
    where decided.decision_id = p_decision_id and decided.shell_file_id = v_file.id
    order by decided.id
  loop
    v_facts := v_facts || v_decided.fact_ids[1];
    continue when v_decided.undone_at is not null;
    if v_decided.decided_by is distinct from auth.uid() then
      perform public.require_right_to_take_away(v_file.patient_id);
    end if;
    if exists (
      select from public.fact_review_decisions as later
      where later.shell_file_id = v_file.id
        and later.fact_ids && v_decided.fact_ids
        and later.decided_at > v_decided.decided_at
        and later.undone_at is null
    ) then
      raise exception 'A later decision has to be taken back first.' using errcode = 'object_not_in_prerequisite_state';
    end if;
    perform public.undo_decided(v_decided);
    update public.fact_review_decisions as decided
    set undone_by = auth.uid(),
        undone_at = clock_timestamp()
    where decided.id = v_decided.id;
    v_changed := v_changed or v_decided.decision <> 'accepted';
  end loop;
  if v_facts = '{}' then
    raise exception 'There is no such decision.' using errcode = 'no_data_found';
  end if;
  if v_changed then
    perform public.tell_story_again(v_file.id);
  end if;
  perform public.tell_shell_file_event(v_file.id, null, null, null, null);
  return v_facts;
end
$$;
comment on function public.undo_fact_decision(uuid, uuid) is
  'Takes back what was decided in one act; gives the facts. Again it has no further effect. Refused while a later decision on one of its facts stands, and to a clinician whose decision it was not.';

revoke all on function
  public.entry_id_to_restore(jsonb, uuid[]),
  public.restore_facts(public.fact_review_decisions, uuid),
  public.undo_decided(public.fact_review_decisions),
  public.undo_fact_decision(uuid, uuid)
from public, anon, authenticated, service_role;

grant execute on function public.undo_fact_decision(uuid, uuid) to authenticated;

-- Taking decisions about facts back: everything is as it was before, unless others have changed it since.

create or replace function public.put_back_kept(p_kept jsonb) returns void
language plpgsql volatile set search_path = '' as $$
begin
  -- What it says follows from the facts; that it is the same one, since when, and whether it was archived, does not. Another
  -- event may have its key by now.
  insert into public.patient_clinical_events
  select event.*
  from jsonb_populate_record(
    null::public.patient_clinical_events,
    (p_kept -> 'event') || '{"merge_key": null, "encounter_id": null, "updated_at": "now"}'
  ) as event
  where p_kept ? 'event' and exists (select from public.shell_files as file where file.id = event.shell_file_id)
  on conflict (id) do nothing;
  insert into public.healthcare_encounters
  select encounter.*
  from jsonb_populate_record(null::public.healthcare_encounters, p_kept -> 'encounter') as encounter
  where p_kept ? 'encounter'
  on conflict (id) do nothing;
end
$$;
comment on function public.put_back_kept(jsonb) is
  'The event or contact that stood there before a decision, unless it still does; for settling, which makes it say what it should or takes it away again.';

create or replace function public.restore_facts(p_decided public.fact_review_decisions) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.entity_processing_audit_v2 as fact
  set decision = case when said.event_id is not null then state.decision when said.entry is not null then 'found' else state.decision end,
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
      entry = said.entry,
      apart_id = state.apart_id,
      event_id = said.event_id,
      updated_at = clock_timestamp()
  from jsonb_to_recordset(p_decided.before -> 'facts') as state (
    id uuid, decision text, decision_reason text, confidence text, confidence_reason text, review text,
    reviewed_at timestamptz, corrected jsonb, entry jsonb, apart_id uuid, event_id uuid
  )
  join public.entity_processing_audit_v2 as known on known.id = state.id
  cross join lateral (
    select public.entry_before(p_decided, state.entry, known.entry) as entry, (
      select event.id from public.patient_clinical_events as event where event.id = state.event_id
      union all
      select encounter.id from public.healthcare_encounters as encounter where encounter.id = state.event_id
    ) as event_id
  ) as said
  where fact.id = state.id;
end
$$;
comment on function public.restore_facts(public.fact_review_decisions) is 'The states of the facts before a decision.';
drop function if exists public.restore_facts(public.fact_review_decisions, uuid);

create or replace function public.entry_before(p_decided public.fact_review_decisions, p_entry jsonb, p_now jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select case
    when p_decided.before ? 'kept' then nullif(p_entry, 'null')
    -- A decision of a time when facts did not carry their entries: accepting changed none, others kept the record's.
    when p_decided.decision = 'accepted' then p_now
    else public.offered_entry(nullif(p_decided.before -> 'entry', 'null'))
  end
$$;
comment on function public.entry_before(public.fact_review_decisions, jsonb, jsonb) is 'What a fact was in the record before a decision.';

create or replace function public.undo_decided(p_decided public.fact_review_decisions) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_bases constant text[] := public.bases_of(p_decided.fact_ids);
  v_kept constant jsonb := coalesce(nullif(p_decided.before -> 'kept', 'null'), case
    when p_decided.decision <> 'accepted' then nullif(p_decided.before -> 'entry', 'null')
  end);
  v_left uuid[] := array(
    select fact.event_id
    from public.entity_processing_audit_v2 as fact
    where fact.id = any (p_decided.fact_ids) and fact.event_id is not null
  );
begin
  if p_decided.decision = 'entered' then
    delete from public.entity_processing_audit_v2 as fact where fact.id = any (p_decided.fact_ids);
  else
    perform public.put_back_kept(v_kept);
    v_left := v_left || coalesce((v_kept #>> '{event,id}')::uuid, (v_kept #>> '{encounter,id}')::uuid);
    perform public.restore_facts(p_decided);
    if p_decided.decision in ('edited', 'rejected') then
      perform public.put_codes(p_decided.fact_ids[1], p_decided.patient_id, p_decided.before -> 'codes');
    end if;
  end if;
  perform public.settle_facts(p_decided.fact_ids, p_decided.patient_id, v_bases, v_left);
end
$$;
comment on function public.undo_decided(public.fact_review_decisions) is
  'Facts and codes say again what they said before a decision, and the record follows.';

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
  public.put_back_kept(jsonb),
  public.entry_before(public.fact_review_decisions, jsonb, jsonb),
  public.restore_facts(public.fact_review_decisions),
  public.undo_decided(public.fact_review_decisions),
  public.undo_fact_decision(uuid, uuid)
from public, anon, authenticated, service_role;

grant execute on function public.undo_fact_decision(uuid, uuid) to authenticated;

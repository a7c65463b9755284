-- Deciding on one fact: it is right, this is right instead, or it is not so.

create or replace function public.require_undecided(
  p_fact public.entity_processing_audit_v2,
  p_decision text,
  p_version text,
  p_last public.fact_review_decisions
) returns void language plpgsql stable set search_path = '' as $$
begin
  if p_fact.decision in ('found', 'held') then
    raise exception 'This fact has not been checked yet.' using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- With a version, what was seen must be what is there; without one, nobody else may have decided since.
  if p_version is distinct from public.fact_version(p_fact.updated_at)
    and (p_version is not null or (p_last.id is not null and p_last.decided_by is distinct from auth.uid())) then
    raise exception 'This fact has changed.' using errcode = 'EX412';
  end if;
  if p_fact.review = 'rejected' or (p_decision = 'accepted' and p_fact.review <> 'unreviewed') then
    raise exception 'This fact has been decided on.' using errcode = 'EX412';
  end if;
end
$$;
comment on function public.require_undecided(public.entity_processing_audit_v2, text, text, public.fact_review_decisions) is
  'Raises EX412 when somebody else was first, or a decision has to be taken back before this one.';

create or replace function public.reject_mentions(
  p_fact public.entity_processing_audit_v2,
  p_mentions uuid[],
  p_reason_code text
) returns void language plpgsql volatile set search_path = '' as $$
begin
  update public.entity_processing_audit_v2 as fact
  set decision = 'rejected',
      decision_reason = 'A person took this out: ' || case p_reason_code
        when 'wrong_value' then 'what was read is wrong.'
        when 'wrong_person' then 'it is about somebody else.'
        when 'not_said' then 'the document does not say so.'
        when 'duplicate' then 'it stands in the record already.'
        else 'it does not belong into the record.'
      end,
      event_id = null,
      review = 'rejected',
      reviewed_by = auth.uid(),
      reviewed_at = clock_timestamp(),
      updated_at = clock_timestamp()
  where fact.id = any (p_mentions);
  if p_fact.event_id is not null then
    perform public.release_entry(p_fact.event_id, p_fact.shell_file_id);
  end if;
end
$$;
comment on function public.reject_mentions(public.entity_processing_audit_v2, uuid[], text) is
  'Tombstones: the same finding in this file stays out of the record in every later run.';

create or replace function public.correct_mentions(
  p_fact public.entity_processing_audit_v2,
  p_mentions uuid[],
  p_corrected jsonb,
  p_entry jsonb
) returns void language plpgsql volatile set search_path = '' as $$
declare
  v_entry constant jsonb := public.offered_entry(p_entry);
  v_twin_id constant uuid := public.twin_of_entry(v_entry, p_fact.patient_id, p_fact.event_id);
  v_entry_id uuid;
begin
  if v_entry is null then
    v_entry_id := null;
  elsif v_twin_id is not null then
    v_entry_id := v_twin_id;
  elsif p_fact.event_id is not null and not public.is_supported_elsewhere(p_fact.event_id, p_mentions) then
    v_entry_id := p_fact.event_id;
    perform public.drop_sentences_citing(p_fact.patient_id, v_entry_id);
  else
    v_entry_id := public.free_entry_id(p_fact.id);
  end if;
  if v_entry_id is not null and v_twin_id is null then
    perform public.put_record_entry(v_entry, v_entry_id, p_fact.patient_id, p_fact.shell_file_id);
  end if;
  update public.entity_processing_audit_v2 as fact
  set corrected = p_corrected,
      decision = case
        when v_entry_id is null then 'noted'
        when fact.id = p_fact.id and v_twin_id is null then 'admitted'
        else 'merged'
      end,
      decision_reason = case when v_entry_id is null then 'As a person corrected it, it has no place in the record.' end,
      event_id = v_entry_id,
      confidence = 'high',
      confidence_reason = null,
      review = 'edited',
      reviewed_by = auth.uid(),
      reviewed_at = clock_timestamp(),
      updated_at = clock_timestamp()
  where fact.id = any (p_mentions);
  if v_entry_id is not null then
    perform public.settle_support(v_entry_id);
  end if;
  if p_fact.event_id is distinct from v_entry_id and p_fact.event_id is not null then
    perform public.release_entry(p_fact.event_id, p_fact.shell_file_id);
  end if;
end
$$;
comment on function public.correct_mentions(public.entity_processing_audit_v2, uuid[], jsonb, jsonb) is
  'What this file says is what a person says that it does: its event changes, or, where other files support that too, becomes another one.';

-- Definer: access is checked first; clients cannot write facts or the record.
create or replace function public.decide_fact(
  p_fact_id uuid,
  p_decision text,
  p_version text default null,
  p_reason_code text default null,
  p_corrected jsonb default null,
  p_entry jsonb default null,
  p_codes jsonb default null
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_fact public.entity_processing_audit_v2;
  v_last public.fact_review_decisions;
  v_decision_id uuid := public.uuid_v7();
  v_mentions uuid[];
  v_before jsonb;
begin
  if p_decision is null or p_decision not in ('accepted', 'edited', 'rejected')
    or (p_decision = 'rejected') <> (p_reason_code is not null)
    or (p_decision = 'edited') <> (p_corrected is not null) then
    raise exception 'A decision is accepted, edited with what is right, or rejected with a reason.'
      using errcode = 'invalid_parameter_value';
  end if;
  v_file := public.hold_record_of_file((
    select fact.shell_file_id from public.entity_processing_audit_v2 as fact where fact.id = p_fact_id
  ));
  select * into v_fact from public.entity_processing_audit_v2 as fact where fact.id = p_fact_id for update;
  if v_fact.id is null then
    raise exception 'There is no such fact.' using errcode = 'no_data_found';
  end if;
  if p_decision = 'rejected' then
    perform public.require_right_to_take_away(v_file.patient_id);
  end if;
  select * into v_last
  from public.fact_review_decisions as known
  where known.shell_file_id = v_file.id and p_fact_id = any (known.fact_ids) and known.undone_at is null
  order by known.decided_at desc
  limit 1;
  -- Said twice is said once: the answer to the first may have been lost.
  if v_last.decided_by = auth.uid() and v_last.decision = p_decision
    and (v_last.reason_code, v_last.corrected) is not distinct from (p_reason_code, p_corrected) then
    return v_last.decision_id;
  end if;
  perform public.require_undecided(v_fact, p_decision, p_version, v_last);

  if p_decision = 'accepted' then
    perform public.accept_mentions(v_file.id, array[p_fact_id], v_decision_id);
  else
    v_mentions := public.mentions_of(v_fact);
    v_before := public.facts_before(v_mentions, public.record_entry_of(v_fact.event_id));
    if p_decision = 'rejected' then
      perform public.reject_mentions(v_fact, v_mentions, p_reason_code);
    else
      perform public.correct_mentions(v_fact, v_mentions, p_corrected, p_entry);
      perform public.put_codes(p_fact_id, v_file.patient_id, p_codes);
    end if;
    insert into public.fact_review_decisions
      (decision_id, patient_id, shell_file_id, fact_ids, decision, reason_code, corrected, before, decided_by, decided_at)
    values
      (v_decision_id, v_file.patient_id, v_file.id, v_mentions, p_decision, p_reason_code, p_corrected, v_before,
        auth.uid(), clock_timestamp());
    perform public.tell_story_again(v_file.id);
  end if;
  perform public.tell_shell_file_event(v_file.id, null, null, null, null);
  return v_decision_id;
end
$$;
comment on function public.decide_fact(uuid, text, text, text, jsonb, jsonb, jsonb) is
  'A person accepts a fact, says what is right instead, or rejects it; gives the id of the decision. EX412: somebody else was first, or it was decided before. No data found: not open to the caller.';

revoke all on function
  public.require_undecided(public.entity_processing_audit_v2, text, text, public.fact_review_decisions),
  public.reject_mentions(public.entity_processing_audit_v2, uuid[], text),
  public.correct_mentions(public.entity_processing_audit_v2, uuid[], jsonb, jsonb),
  public.decide_fact(uuid, text, text, text, jsonb, jsonb, jsonb)
from public, anon, authenticated, service_role;

grant execute on function public.decide_fact(uuid, text, text, text, jsonb, jsonb, jsonb) to authenticated;

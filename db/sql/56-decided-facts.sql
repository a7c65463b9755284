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

create or replace function public.reject_mentions(p_mentions uuid[], p_reason_code text) returns void
language sql volatile set search_path = '' as $$
  update public.entity_processing_audit_v2 as fact
  set decision = 'rejected',
      decision_reason = 'A person took this out: ' || case p_reason_code
        when 'wrong_value' then 'what was read is wrong.'
        when 'wrong_person' then 'it is about somebody else.'
        when 'not_said' then 'the document does not say so.'
        when 'duplicate' then 'it stands in the record already.'
        else 'it does not belong into the record.'
      end,
      entry = null,
      event_id = null,
      review = 'rejected',
      reviewed_by = auth.uid(),
      reviewed_at = clock_timestamp(),
      updated_at = clock_timestamp()
  where fact.id = any (p_mentions)
$$;
comment on function public.reject_mentions(uuid[], text) is
  'Tombstones: the same finding in this file stays out of the record in every later run.';

create or replace function public.correct_mentions(p_mentions uuid[], p_corrected jsonb, p_entry jsonb) returns void
language sql volatile set search_path = '' as $$
  update public.entity_processing_audit_v2 as fact
  set corrected = p_corrected,
      entry = offered.entry || case
        -- What was said on a visit is corrected, not the visit that it was said on.
        when fact.entry #> '{event,encounter_id}' is not null and offered.entry ? 'event' then jsonb_build_object(
          'event', (offered.entry -> 'event') || jsonb_build_object('encounter_id', fact.entry #> '{event,encounter_id}')
        )
        else '{}'
      end,
      decision = case
        when offered.entry is null then 'noted'
        when fact.event_id is null then 'found'
        else fact.decision
      end,
      decision_reason = case when offered.entry is null then 'As a person corrected it, it has no place in the record.' end,
      event_id = case when offered.entry is not null then fact.event_id end,
      confidence = 'high',
      confidence_reason = null,
      review = 'edited',
      reviewed_by = auth.uid(),
      reviewed_at = clock_timestamp(),
      updated_at = clock_timestamp()
  from (select public.offered_entry(p_entry) as entry) as offered
  where fact.id = any (p_mentions)
$$;
comment on function public.correct_mentions(uuid[], jsonb, jsonb) is
  'What this file says is what a person says that it does.';
drop function if exists
  public.reject_mentions(public.entity_processing_audit_v2, uuid[], text),
  public.correct_mentions(public.entity_processing_audit_v2, uuid[], jsonb, jsonb);

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
  v_bases text[];
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
    v_before := public.facts_before(v_mentions, v_fact.event_id);
    v_bases := public.bases_of(v_mentions);
    if p_decision = 'rejected' then
      perform public.reject_mentions(v_mentions, p_reason_code);
    else
      perform public.correct_mentions(v_mentions, p_corrected, p_entry);
      perform public.put_codes(p_fact_id, v_file.patient_id, p_codes);
    end if;
    perform public.settle_facts(v_mentions, v_file.patient_id, v_bases, array[v_fact.event_id]);
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
  public.reject_mentions(uuid[], text),
  public.correct_mentions(uuid[], jsonb, jsonb),
  public.decide_fact(uuid, text, text, text, jsonb, jsonb, jsonb)
from public, anon, authenticated, service_role;

grant execute on function public.decide_fact(uuid, text, text, text, jsonb, jsonb, jsonb) to authenticated;

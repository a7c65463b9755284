-- "These are not the same": a person sets apart what the record took for one thing.

create or replace function public.mentions_to_separate(p_fact public.entity_processing_audit_v2, p_apart_from text) returns uuid[]
language sql stable set search_path = '' as $$
  select case when p_apart_from = 'all' then array[p_fact.id] else public.mentions_of(p_fact) end
$$;
comment on function public.mentions_to_separate(public.entity_processing_audit_v2, text) is
  'What is set apart together: this one mention, or all that its file says of the event.';

-- Definer: access is checked first; clients cannot write facts or the record.
create or replace function public.separate_fact(
  p_fact_id uuid,
  p_apart_from text default 'other_documents',
  p_version text default null
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_fact public.entity_processing_audit_v2;
  v_last public.fact_review_decisions;
  v_decision_id constant uuid := public.uuid_v7();
  v_mentions uuid[];
  v_bases text[];
  v_before jsonb;
begin
  if p_apart_from is null or p_apart_from not in ('other_documents', 'all') then
    raise exception 'A fact is set apart from what other documents say, or from all.' using errcode = 'invalid_parameter_value';
  end if;
  v_file := public.hold_record_of_file((
    select fact.shell_file_id from public.entity_processing_audit_v2 as fact where fact.id = p_fact_id
  ));
  select * into v_fact from public.entity_processing_audit_v2 as fact where fact.id = p_fact_id for update;
  if v_fact.id is null then
    raise exception 'There is no such fact.' using errcode = 'no_data_found';
  end if;
  v_mentions := public.mentions_to_separate(v_fact, p_apart_from);
  select * into v_last
  from public.fact_review_decisions as known
  where known.shell_file_id = v_file.id and p_fact_id = any (known.fact_ids) and known.undone_at is null
  order by known.decided_at desc
  limit 1;
  -- Said twice is said once: the answer to the first may have been lost.
  if v_last.decision = 'separated' and v_last.decided_by = auth.uid() and v_last.fact_ids @> v_mentions
    and v_fact.apart_id = v_last.decision_id then
    return v_last.decision_id;
  end if;
  perform public.require_undecided(v_fact, 'separated', p_version, v_last);
  if not exists (
    select
    from public.entity_processing_audit_v2 as other
    join public.shell_files as file on file.id = other.shell_file_id
    where other.event_id = v_fact.event_id and other.id <> all (v_mentions) and file.deleted_at is null
  ) then
    raise exception 'Nothing else is taken for the same.' using errcode = 'EX411';
  end if;

  v_before := public.facts_before(v_mentions, v_fact.event_id);
  v_bases := public.bases_of(v_mentions);
  update public.entity_processing_audit_v2 as fact
  set apart_id = v_decision_id,
      -- Who says that it is a thing of its own says that it is one.
      review = case when fact.review = 'unreviewed' then 'accepted' else fact.review end,
      confidence = 'high',
      confidence_reason = null,
      reviewed_by = auth.uid(),
      reviewed_at = clock_timestamp(),
      updated_at = clock_timestamp()
  where fact.id = any (v_mentions);
  perform public.settle_facts(v_mentions, v_file.patient_id, v_bases, array[v_fact.event_id]);
  insert into public.fact_review_decisions
    (decision_id, patient_id, shell_file_id, fact_ids, decision, before, decided_by, decided_at)
  values
    (v_decision_id, v_file.patient_id, v_file.id, v_mentions, 'separated', v_before, auth.uid(), clock_timestamp());
  perform public.tell_story_again(v_file.id);
  perform public.tell_shell_file_event(v_file.id, null, null, null, null);
  return v_decision_id;
end
$$;
comment on function public.separate_fact(uuid, text, text) is
  'A person says that this is not the same as what others say: it is accepted as a thing of its own, in every later run, until that is taken back. From `other_documents`, with all its places in its own, or this mention from `all`. EX411: it stands alone already.';

revoke all on function
  public.mentions_to_separate(public.entity_processing_audit_v2, text),
  public.separate_fact(uuid, text, text)
from public, anon, authenticated, service_role;

grant execute on function public.separate_fact(uuid, text, text) to authenticated;

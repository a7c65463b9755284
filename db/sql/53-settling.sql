-- Settling: which facts are one event, and what it says, from nothing but the facts that stand behind it.
--
-- Facts of one base are sorted into classes that do not contradict each other (merge_classes): a class is an event. Its
-- leading fact is `admitted`, the others are `merged` into it; the event says what the leading one says, word for word, and
-- belongs to its file. So a record does not depend on the order in which files came, were read again, binned, restored or
-- erased: each of these changes facts, and settles their bases anew.
--
-- Who leads: a file in use before one in the bin; what a person said before what one accepted before what nobody has looked
-- at; who says more of what tells it apart, with the more exact date; who is surer; who says more of all else; then the
-- words themselves and, of equals, the older document.
--
-- Where all files of an event lie in the bin it is withdrawn: out of the record's views, but whole, until one comes back or
-- the last is erased. Whoever calls this holds the record (lock_patient_record).

create or replace function public.settle_record(p_patient_id uuid, p_bases text[], p_left uuid[] default '{}') returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_facts uuid[];
  v_events uuid[];
  v_keys text[];
  v_leads boolean[];
  v_withdrawn timestamptz[];
  v_known uuid[];
  v_changed uuid[];
  v_left uuid[];
  v_orphans uuid[];
begin
  perform public.settle_encounters(p_patient_id, p_bases, p_left);

  -- Joins of these rows with each other would be looped: nobody knows beforehand how many there are. So each is a window.
  with supporting as materialized (
    select
      fact.id, fact.entry_base as base, fact.entry, fact.event_id, fact.reviewed_at,
      public.merge_key_of(fact.entry, fact.apart_id) as merge_key,
      fact.decision = 'admitted' as leads,
      file.deleted_at, file.deleted_at is null as is_in_use, file.created_at as uploaded_at, file.id as shell_file_id,
      case
        when fact.review = 'edited' or fact.found_by_provider = 'person' then 0
        when fact.review = 'accepted' then 1
        else 2
      end as said_by,
      case fact.confidence when 'high' then 0 when 'check' then 1 else 2 end as doubt
    from public.entity_processing_audit_v2 as fact
    join public.shell_files as file on file.id = fact.shell_file_id
    where fact.patient_id = p_patient_id
      and fact.entry_base = any (p_bases)
      and fact.entry ? 'event'
  ),
  weighed as materialized (
    select supporting.*,
      cardinality(array_remove((string_to_array(supporting.merge_key, '#'))[2:], '')) as weight,
      min(supporting.merge_key) over of_base <> max(supporting.merge_key) over of_base as is_mixed
    from supporting
    window of_base as (partition by supporting.base)
  ),
  -- Most bases have one key, and so one class.
  mixed as materialized (
    select listed.base, told.merge_key, told.class, told.class_key
    from (
      select keys.base, count(*) filter (where keys.is_in_use)::int as leading,
        array_agg(keys.merge_key order by keys.is_in_use desc, keys.weight desc, keys.merge_key collate "C") as merge_keys
      from (
        select weighed.base, weighed.merge_key, weighed.weight, bool_or(weighed.is_in_use) as is_in_use
        from weighed
        where weighed.is_mixed
        group by weighed.base, weighed.merge_key, weighed.weight
      ) as keys
      group by keys.base
    ) as listed
    cross join public.merge_classes(listed.merge_keys, listed.leading) as told
  ),
  classed as (
    select weighed.*, coalesce(mixed.class, 1) as class, coalesce(mixed.class_key, weighed.merge_key) as class_key
    from weighed
    left join mixed on weighed.is_mixed and mixed.base = weighed.base and mixed.merge_key = weighed.merge_key
  ),
  ranked as (
    select classed.*,
      bool_or(classed.is_in_use) over within as is_class_in_use,
      row_number() over (
        within
        order by
          classed.is_in_use desc,
          -- Of what is withdrawn, nobody is in a hurry to say something else.
          (not classed.is_in_use and classed.leads) desc,
          classed.said_by,
          case when classed.said_by = 0 then classed.reviewed_at end desc nulls last,
          classed.weight desc,
          length(coalesce(classed.entry #>> '{event,event_date}', '')) desc,
          classed.doubt,
          (select count(*) from jsonb_each(jsonb_strip_nulls(classed.entry -> 'spoke'))) desc,
          (classed.entry - 'event')::text collate "C",
          concat_ws(' ', classed.entry #>> '{event,event_date}', classed.entry #>> '{event,date_meaning}') collate "C",
          classed.uploaded_at, classed.shell_file_id,
          classed.leads desc, classed.id
      ) as place
    from classed
    window within as (partition by classed.base, classed.class)
  ),
  -- An event goes on as the class of its own base, else as that of its leading fact; of several the oldest goes on.
  claiming as (
    select ranked.*, event.created_at,
      ranked.base = md5(concat_ws(' ', event.event_type, coalesce(split_part(event.merge_key, '#', 1), ranked.id::text))) as is_home
    from ranked
    left join public.patient_clinical_events as event on event.id = ranked.event_id
  ),
  contested as (
    select claiming.*, claiming.created_at is not null and (claiming.base, claiming.class) = (
      first_value(claiming.base) over of_event, first_value(claiming.class) over of_event
    ) as is_won
    from claiming
    window of_event as (
      partition by claiming.event_id
      order by claiming.is_home desc, claiming.leads desc, claiming.is_in_use desc, claiming.base, claiming.class
    )
  ),
  kept as (
    select contested.id, contested.class_key, contested.place, contested.deleted_at, contested.is_class_in_use,
      first_value(contested.id) over (partition by contested.base, contested.class order by contested.place) as lead_id,
      first_value(case when contested.is_won then contested.event_id end) over (
        partition by contested.base, contested.class
        order by contested.is_won desc, contested.is_home desc, contested.created_at, contested.event_id
      ) as event_id
    from contested
  ),
  named as (
    select kept.*, case
      when kept.place > 1 or kept.event_id is not null then kept.event_id
      when exists (select from public.patient_clinical_events as taken where taken.id = kept.id)
        or exists (select from public.healthcare_encounters as taken where taken.id = kept.id) then public.uuid_v7()
      else kept.id
    end as own_event_id
    from kept
  ),
  planned as (
    select named.*, first_value(named.own_event_id) over (partition by named.lead_id order by named.place) as shared_event_id
    from named
  )
  select array_agg(planned.id), array_agg(planned.shared_event_id), array_agg(planned.class_key), array_agg(planned.place = 1),
    array_agg(case when not planned.is_class_in_use then planned.deleted_at end)
  into v_facts, v_events, v_keys, v_leads, v_withdrawn
  from planned;

  select array_agg(event.id) into v_known
  from public.patient_clinical_events as event
  where event.id = any (v_events);

  -- Events that nobody stands behind any more: their facts are gone, or behind another one now.
  v_left := array(
    select unnest(p_left)
    union
    select fact.event_id from public.entity_processing_audit_v2 as fact where fact.id = any (v_facts)
    except
    select unnest(v_events)
  );
  select array_agg(event.id) into v_orphans
  from public.patient_clinical_events as event
  where event.id = any (v_left)
    and event.patient_id = p_patient_id
    and not exists (
      select
      from public.entity_processing_audit_v2 as fact
      where fact.event_id = event.id and fact.id <> all (coalesce(v_facts, '{}'))
    );
  if v_orphans is not null then
    perform public.delete_clinical_events(v_orphans);
  end if;
  if v_facts is null then
    return;
  end if;

  select array_agg(event.id) into v_changed
  from unnest(v_facts, v_events, v_leads) as planned (fact_id, event_id, leads)
  join public.entity_processing_audit_v2 as fact on fact.id = planned.fact_id
  join public.patient_clinical_events as event on event.id = planned.event_id
  where planned.leads
    and (event.event_type, event.assertion, event.event_date, event.date_meaning) is distinct from (
      fact.entry #>> '{event,event_type}', fact.entry #>> '{event,assertion}', fact.entry #>> '{event,event_date}',
      fact.entry #>> '{event,date_meaning}'
    );
  -- A spoke follows its hub's assertion, which not every kind of spoke may have.
  perform public.delete_spokes(v_changed);
  -- Two events may be about to change keys with each other.
  update public.patient_clinical_events as event
  set merge_key = null
  from unnest(v_events, v_keys, v_leads) as planned (event_id, merge_key, leads)
  where planned.leads and event.id = planned.event_id and event.merge_key <> planned.merge_key;

  insert into public.patient_clinical_events as known
    (id, patient_id, shell_file_id, encounter_id, event_type, assertion, event_date, event_day, date_meaning, confidence,
      confidence_reason, review, merge_key, withdrawn_at)
  select planned.event_id, fact.patient_id, fact.shell_file_id, encounter.id, said.event_type, said.assertion,
    said.event_date, said.event_day, said.date_meaning, coalesce(fact.confidence, 'check'), fact.confidence_reason,
    fact.review, planned.merge_key, planned.withdrawn_at
  from unnest(v_facts, v_events, v_keys, v_leads, v_withdrawn) as planned (fact_id, event_id, merge_key, leads, withdrawn_at)
  join public.entity_processing_audit_v2 as fact on fact.id = planned.fact_id
  cross join jsonb_populate_record(null::public.patient_clinical_events, fact.entry -> 'event') as said
  left join public.healthcare_encounters as encounter
    on encounter.id = said.encounter_id and encounter.shell_file_id = fact.shell_file_id
  where planned.leads
  on conflict (id) do update
  set shell_file_id = excluded.shell_file_id,
      encounter_id = excluded.encounter_id,
      event_type = excluded.event_type,
      assertion = excluded.assertion,
      event_date = excluded.event_date,
      event_day = excluded.event_day,
      date_meaning = excluded.date_meaning,
      confidence = excluded.confidence,
      confidence_reason = excluded.confidence_reason,
      review = excluded.review,
      merge_key = excluded.merge_key,
      withdrawn_at = excluded.withdrawn_at,
      updated_at = clock_timestamp()
  where (known.shell_file_id, known.encounter_id, known.event_type, known.assertion, known.event_date, known.event_day,
      known.date_meaning, known.confidence, known.confidence_reason, known.review, known.merge_key, known.withdrawn_at)
    is distinct from (excluded.shell_file_id, excluded.encounter_id, excluded.event_type, excluded.assertion,
      excluded.event_date, excluded.event_day, excluded.date_meaning, excluded.confidence, excluded.confidence_reason,
      excluded.review, excluded.merge_key, excluded.withdrawn_at);

  -- Who leads shows nowhere, so whoever looks at the fact has still seen what it says.
  update public.entity_processing_audit_v2 as fact
  set event_id = planned.event_id,
      decision = case when planned.leads then 'admitted' else 'merged' end,
      decision_reason = case when not planned.leads then 'The record knew this already; this place is one more source of it.' end,
      updated_at = case when fact.event_id is distinct from planned.event_id then clock_timestamp() else fact.updated_at end
  from unnest(v_facts, v_events, v_leads) as planned (fact_id, event_id, leads)
  where fact.id = planned.fact_id
    and (
      fact.event_id is distinct from planned.event_id
      or fact.decision <> case when planned.leads then 'admitted' else 'merged' end
    );

  v_changed := v_changed || public.put_spokes(v_events);
  perform public.tell_again_of_events(p_patient_id, array(
    select distinct changed.id from unnest(v_changed) as changed (id) where changed.id = any (v_known)
  ));
end
$$;
comment on function public.settle_record(uuid, text[], uuid[]) is
  'Makes the events of these bases what the facts behind them say. p_left: events and contacts that facts stood behind which are gone, or have another base since.';

create or replace function public.tell_again_of_events(p_patient_id uuid, p_event_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_file_id uuid;
begin
  if cardinality(p_event_ids) = 0 then
    return;
  end if;
  perform public.drop_sentences_citing(p_patient_id, p_event_ids);
  for v_file_id in
    select distinct fact.shell_file_id
    from public.entity_processing_audit_v2 as fact
    join public.shell_files as file on file.id = fact.shell_file_id and file.deleted_at is null
    where fact.event_id = any (p_event_ids)
    order by fact.shell_file_id
  loop
    perform public.tell_story_again(v_file_id);
  end loop;
end
$$;
comment on function public.tell_again_of_events(uuid, uuid[]) is
  'What was told of events that say something else now is dropped, and told again by the files that say them.';

revoke all on function
  public.settle_record(uuid, text[], uuid[]),
  public.tell_again_of_events(uuid, uuid[])
from public, anon, authenticated, service_role;

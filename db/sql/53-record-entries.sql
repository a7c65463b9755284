-- Entries of the record: what a fact is in it, as one JSON object in `entity_processing_audit_v2.entry`.
--
--   {"event": {event_type, assertion, event_date, event_day, date_meaning, merge_key, encounter_id},
--    "spoke": row, "components": [rows]}
--   or {"encounter": {encounter_kind, name, assertion, start_date, end_date, provider, facility}}
--
-- A fact with an entry is in the record, one without is not. Which facts are one event, and what that event says, follows
-- from their entries (53-settling.sql).

create or replace function public.spoke_table_of(p_event_type text) returns text
language sql immutable set search_path = '' as $$
  select case
    when p_event_type in ('lab_result', 'vital_sign', 'physical_finding', 'imaging_result') then 'patient_observations'
    when p_event_type in ('condition', 'symptom') then 'patient_conditions'
    when p_event_type = 'medication' then 'patient_medications'
    when p_event_type = 'allergy' then 'patient_allergies'
    when p_event_type = 'immunization' then 'patient_immunizations'
    when p_event_type = 'procedure' then 'patient_interventions'
    when p_event_type in ('family_history', 'social_history') then p_event_type
  end
$$;
comment on function public.spoke_table_of(text) is 'In which table an event of this type says what it is; null for a word that is no type.';

-- "2015" and "2015-03" are one date, printed once more exactly; what is not printed agrees with anything.
create or replace function public.qualifiers_agree(p_one text, p_other text) returns boolean
language sql immutable set search_path = '' as $$
  select p_one = '' or p_other = '' or p_one = p_other
    or (p_one ~ '^\d{4}(-\d\d)?$' and starts_with(p_other, p_one || '-'))
    or (p_other ~ '^\d{4}(-\d\d)?$' and starts_with(p_one, p_other || '-'))
$$;
comment on function public.qualifiers_agree(text, text) is 'May two qualifiers of merge keys be the same?';

create or replace function public.merge_key_of(p_entry jsonb, p_apart_id uuid) returns text
language sql immutable set search_path = '' as $$
  select case
    when p_apart_id is null then said.key
    else split_part(said.key, '#', 1) || '|~' || p_apart_id || substr(said.key, length(split_part(said.key, '#', 1)) + 1)
  end
  from (select p_entry #>> '{event,merge_key}' as key) as said
$$;
comment on function public.merge_key_of(jsonb, uuid) is
  'The merge key of an entry: base, then qualifiers after #. Facts that a person set apart have a base of their own.';

-- Definer: whoever may write facts need not be let in to what this uses.
create or replace function public.keep_entry_base() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  new.entry_base := case
    when new.entry ? 'encounter' then 'encounter ' || new.id
    when new.entry ? 'event' then md5(concat_ws(' ',
      new.entry #>> '{event,event_type}',
      coalesce(split_part(public.merge_key_of(new.entry, new.apart_id), '#', 1), new.id::text)
    ))
  end;
  return new;
end
$$;
comment on function public.keep_entry_base() is
  'What facts have in common that may be the same. A contact is itself alone; so is what has no merge key.';
drop trigger if exists keep_base on public.entity_processing_audit_v2;
create trigger keep_base before insert or update of entry, apart_id on public.entity_processing_audit_v2
  for each row execute function public.keep_entry_base();

create or replace function public.merge_classes(p_keys text[], p_leading int)
returns table (merge_key text, class int, class_key text) language plpgsql immutable set search_path = '' as $$
declare
  v_joined text[] := '{}';
  v_shown text[];
  v_class_of int[] := '{}';
  v_key text[];
  v_with text[];
  v_class int;
begin
  for i in 1 .. cardinality(p_keys) loop
    if i = p_leading + 1 then
      v_shown := v_joined;
    end if;
    v_key := string_to_array(p_keys[i], '#');
    v_class := null;
    for c in 1 .. cardinality(v_joined) loop
      v_with := string_to_array(v_joined[c], '#');
      if (
        select bool_and(public.qualifiers_agree(coalesce(v_key[q], ''), coalesce(v_with[q], '')))
        from generate_series(2, greatest(cardinality(v_key), cardinality(v_with))) as q
      ) is not false then
        v_class := c;
        exit;
      end if;
    end loop;
    if v_class is null then
      v_joined := v_joined || p_keys[i];
      v_class := cardinality(v_joined);
    else
      v_joined[v_class] := (
        select string_agg(case when length(coalesce(v_key[q], '')) > length(coalesce(v_with[q], '')) then v_key[q] else coalesce(v_with[q], '') end, '#' order by q)
        from generate_series(1, greatest(cardinality(v_key), cardinality(v_with))) as q
      );
    end if;
    v_class_of := v_class_of || v_class;
  end loop;
  -- What lies in the bin says nothing about what is in use: it joins, and leaves no mark.
  return query
  select p_keys[i], v_class_of[i], coalesce(v_shown[v_class_of[i]], v_joined[v_class_of[i]])
  from generate_series(1, cardinality(p_keys)) as i;
end
$$;
comment on function public.merge_classes(text[], int) is
  'Of keys with one base, in their order, which are the same: each joins the first whose qualifiers do not contradict it, and a class says all that its members say. The first p_leading alone decide what a class says that has any of them.';

create or replace function public.put_spokes(p_event_ids uuid[]) returns uuid[]
language plpgsql volatile set search_path = '' as $$
declare
  v_table text;
  v_changed uuid[];
  v_all uuid[] := '{}';
begin
  for v_table in
    select distinct public.spoke_table_of(event.event_type)
    from public.patient_clinical_events as event
    where event.id = any (p_event_ids)
  loop
    execute format(
      $said$
        select array_agg(event.id)
        from public.patient_clinical_events as event
        join public.entity_processing_audit_v2 as lead on lead.event_id = event.id and lead.decision = 'admitted'
        left join public.%1$I as known on known.event_id = event.id
        where event.id = any ($1)
          and public.spoke_table_of(event.event_type) = %1$L
          and (
            known.event_id is null
            or known::text <> jsonb_populate_record(null::public.%1$I, lead.entry -> 'spoke' || public.of_hub(event))::text
            or (
              select array_agg(part order by part.ordinal)::text
              from public.patient_observation_components as part
              where part.event_id = event.id
            ) is distinct from (
              select array_agg(part order by part.ordinal)::text
              from jsonb_array_elements(coalesce(lead.entry -> 'components', '[]')) as offered (row),
                jsonb_populate_record(null::public.patient_observation_components, offered.row || public.of_hub(event)) as part
            )
          )
      $said$,
      v_table
    ) into v_changed using p_event_ids;
    continue when v_changed is null;
    perform public.delete_spokes(v_changed);
    execute format(
      $put$
        insert into public.%1$I
        select (jsonb_populate_record(null::public.%1$I, lead.entry -> 'spoke' || public.of_hub(event))).*
        from public.patient_clinical_events as event
        join public.entity_processing_audit_v2 as lead on lead.event_id = event.id and lead.decision = 'admitted'
        where event.id = any ($1)
      $put$,
      v_table
    ) using v_changed;
    insert into public.patient_observation_components
    select part.*
    from public.patient_clinical_events as event
    join public.entity_processing_audit_v2 as lead on lead.event_id = event.id and lead.decision = 'admitted'
    cross join jsonb_array_elements(coalesce(lead.entry -> 'components', '[]')) as offered (row)
    cross join jsonb_populate_record(null::public.patient_observation_components, offered.row || public.of_hub(event)) as part
    where event.id = any (v_changed);
    v_all := v_all || v_changed;
  end loop;
  return v_all;
end
$$;
comment on function public.put_spokes(uuid[]) is
  'What the leading fact of each event says becomes what the event says; gives those that said something else before, or nothing.';

create or replace function public.of_hub(p_event public.patient_clinical_events) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('event_id', p_event.id, 'patient_id', p_event.patient_id, 'assertion', p_event.assertion)
$$;
comment on function public.of_hub(public.patient_clinical_events) is 'What every spoke repeats of its event.';

-- What it takes has changed since it was first installed.
drop function if exists public.drop_sentences_citing(uuid, uuid);
create or replace function public.drop_sentences_citing(p_patient_id uuid, p_event_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  with gone as (
    delete from public.clinical_narrative_sentences as sentence
    using public.clinical_narratives as narrative
    where narrative.patient_id = p_patient_id
      and sentence.narrative_id = narrative.id
      and sentence.cited_event_ids && p_event_ids
    returning sentence.narrative_id, sentence.ordinal
  )
  delete from public.clinical_narratives as narrative
  where narrative.id in (select gone.narrative_id from gone)
    and not exists (
      select 1
      from public.clinical_narrative_sentences as sentence
      where sentence.narrative_id = narrative.id
        and sentence.ordinal not in (select gone.ordinal from gone where gone.narrative_id = narrative.id)
    );
end
$$;
comment on function public.drop_sentences_citing(uuid, uuid[]) is
  'What was told of events that say something else now, or are gone; storylines left empty go along.';

drop function if exists
  public.record_entry_of(uuid),
  public.put_spoke(jsonb, public.patient_clinical_events),
  public.put_record_entry(jsonb, uuid, uuid, uuid),
  public.settle_support(uuid),
  public.release_entry(uuid, uuid),
  public.twin_of_entry(jsonb, uuid, uuid),
  public.free_entry_id(uuid),
  public.is_supported_elsewhere(uuid, uuid[]),
  public.entry_id_to_restore(jsonb, uuid[]);

revoke all on function
  public.spoke_table_of(text),
  public.qualifiers_agree(text, text),
  public.merge_key_of(jsonb, uuid),
  public.keep_entry_base(),
  public.merge_classes(text[], int),
  public.put_spokes(uuid[]),
  public.of_hub(public.patient_clinical_events),
  public.drop_sentences_citing(uuid, uuid[])
from public, anon, authenticated, service_role;

-- Entries of the record, whole: a clinical event with its spoke and parts, or an encounter, as one JSON object.
--
--   {"event": hub row, "spoke": row, "components": [rows]}   or   {"encounter": row, "events_within": [ids]}
--
-- Review takes entries out, changes them and puts them back as they were (54-fact-states.sql ff.). Whoever calls these holds the
-- record (lock_patient_record) and has asked for access.

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

create or replace function public.record_entry_of(p_entry_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  v_event public.patient_clinical_events;
  v_spoke jsonb;
begin
  select * into v_event from public.patient_clinical_events as event where event.id = p_entry_id;
  if not found then
    return (
      select jsonb_build_object(
        'encounter', to_jsonb(encounter),
        'events_within', (
          select coalesce(jsonb_agg(event.id order by event.id), '[]')
          from public.patient_clinical_events as event
          where event.encounter_id = encounter.id
        )
      )
      from public.healthcare_encounters as encounter
      where encounter.id = p_entry_id
    );
  end if;
  execute format(
    'select to_jsonb(spoke) from public.%I as spoke where spoke.event_id = $1',
    public.spoke_table_of(v_event.event_type)
  ) into v_spoke using p_entry_id;
  return jsonb_build_object(
    'event', to_jsonb(v_event),
    'spoke', v_spoke,
    'components', (
      select coalesce(jsonb_agg(to_jsonb(component) order by component.ordinal), '[]')
      from public.patient_observation_components as component
      where component.event_id = p_entry_id
    )
  );
end
$$;
comment on function public.record_entry_of(uuid) is 'The event or encounter with all that hangs off it; null when there is none.';

create or replace function public.put_spoke(p_entry jsonb, p_event public.patient_clinical_events) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_of_hub constant jsonb := jsonb_build_object(
    'event_id', p_event.id, 'patient_id', p_event.patient_id, 'assertion', p_event.assertion
  );
begin
  perform public.delete_spokes(array[p_event.id]);
  execute format(
    'insert into public.%1$I select (jsonb_populate_record(null::public.%1$I, $1)).*',
    public.spoke_table_of(p_event.event_type)
  ) using p_entry -> 'spoke' || v_of_hub;
  insert into public.patient_observation_components
  select component.*
  from jsonb_array_elements(coalesce(p_entry -> 'components', '[]')) as offered (row),
    jsonb_populate_record(null::public.patient_observation_components, offered.row || v_of_hub) as component;
end
$$;
comment on function public.put_spoke(jsonb, public.patient_clinical_events) is
  'What an entry says becomes what its event says; whose it is comes from the event.';

create or replace function public.put_record_entry(
  p_entry jsonb,
  p_entry_id uuid,
  p_patient_id uuid,
  p_shell_file_id uuid
) returns void language plpgsql volatile set search_path = '' as $$
declare
  v_own constant jsonb := jsonb_build_object('id', p_entry_id, 'patient_id', p_patient_id);
  v_given constant jsonb := jsonb_build_object('shell_file_id', p_shell_file_id, 'created_at', clock_timestamp());
  v_encounter public.healthcare_encounters;
  v_event public.patient_clinical_events;
begin
  if p_entry ? 'encounter' then
    v_encounter := jsonb_populate_record(
      null::public.healthcare_encounters,
      v_given || (p_entry -> 'encounter') || v_own || jsonb_build_object('fact_id', p_entry_id)
    );
    insert into public.healthcare_encounters select v_encounter.*
    on conflict (id) do update
    set encounter_kind = excluded.encounter_kind,
        name = excluded.name,
        assertion = excluded.assertion,
        start_date = excluded.start_date,
        end_date = excluded.end_date,
        provider = excluded.provider,
        facility = excluded.facility;
    update public.patient_clinical_events as event
    set encounter_id = p_entry_id
    where event.patient_id = p_patient_id
      and event.encounter_id is null
      and p_entry -> 'events_within' ? event.id::text;
    return;
  end if;

  v_event := jsonb_populate_record(
    null::public.patient_clinical_events,
    v_given || (p_entry -> 'event') || v_own || jsonb_build_object('updated_at', clock_timestamp())
  );
  -- File and encounter may be gone since the entry was taken out.
  if not exists (select from public.shell_files as file where file.id = v_event.shell_file_id) then
    v_event.shell_file_id := p_shell_file_id;
  end if;
  if not exists (select from public.healthcare_encounters as encounter where encounter.id = v_event.encounter_id) then
    v_event.encounter_id := null;
  end if;
  perform public.delete_spokes(array[p_entry_id]);
  insert into public.patient_clinical_events select v_event.*
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
      updated_at = excluded.updated_at;
  perform public.put_spoke(p_entry, v_event);
end
$$;
comment on function public.put_record_entry(jsonb, uuid, uuid, uuid) is
  'Puts an entry into the record under an id, in place of what that id says now. What the entry does not name comes from the file.';

create or replace function public.settle_support(p_entry_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.entity_processing_audit_v2 as fact
  set decision = case when fact.id = maker.id then 'admitted' else 'merged' end,
      decision_reason = case
        when fact.id <> maker.id then 'The record knew this already; this place is one more source of it.'
      end,
      updated_at = clock_timestamp()
  from (
    select supporting.id
    from public.entity_processing_audit_v2 as supporting
    where supporting.event_id = p_entry_id
    order by (supporting.id = p_entry_id) desc, supporting.decision, supporting.id
    limit 1
  ) as maker
  where fact.event_id = p_entry_id
    and fact.decision <> case when fact.id = maker.id then 'admitted' else 'merged' end;
end
$$;
comment on function public.settle_support(uuid) is
  'Of the facts behind an event one has made it, the others are merged into it: the one whose id it has, if that is among them.';

create or replace function public.release_entry(p_entry_id uuid, p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_heir public.entity_processing_audit_v2;
begin
  perform public.settle_support(p_entry_id);
  select * into v_heir
  from public.entity_processing_audit_v2 as fact
  where fact.event_id = p_entry_id
  order by fact.decision, fact.id
  limit 1;
  if not found then
    perform public.delete_clinical_events(array[p_entry_id]);
    delete from public.healthcare_encounters as encounter where encounter.id = p_entry_id;
    return;
  end if;

  -- What others say as well is theirs, and as sure as they are of it.
  update public.patient_clinical_events as event
  set shell_file_id = v_heir.shell_file_id,
      encounter_id = null,
      updated_at = clock_timestamp()
  where event.id = p_entry_id and event.shell_file_id = p_shell_file_id and v_heir.shell_file_id <> p_shell_file_id;
  update public.patient_clinical_events as event
  set review = 'unreviewed',
      confidence = coalesce(v_heir.confidence, 'check'),
      confidence_reason = v_heir.confidence_reason,
      updated_at = clock_timestamp()
  where event.id = p_entry_id
    and event.review <> 'unreviewed'
    and not exists (
      select
      from public.entity_processing_audit_v2 as fact
      where fact.event_id = p_entry_id and fact.review <> 'unreviewed'
    );
end
$$;
comment on function public.release_entry(uuid, uuid) is
  'A file no longer says this: it leaves the record, unless other facts support it; then it is theirs.';

create or replace function public.drop_sentences_citing(p_patient_id uuid, p_event_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  with gone as (
    delete from public.clinical_narrative_sentences as sentence
    using public.clinical_narratives as narrative
    where narrative.patient_id = p_patient_id
      and sentence.narrative_id = narrative.id
      and p_event_id = any (sentence.cited_event_ids)
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
comment on function public.drop_sentences_citing(uuid, uuid) is
  'What was told of an event that says something else now, or is gone; storylines left empty go along.';

revoke all on function
  public.spoke_table_of(text),
  public.record_entry_of(uuid),
  public.put_spoke(jsonb, public.patient_clinical_events),
  public.put_record_entry(jsonb, uuid, uuid, uuid),
  public.settle_support(uuid),
  public.release_entry(uuid, uuid),
  public.drop_sentences_citing(uuid, uuid)
from public, anon, authenticated, service_role;

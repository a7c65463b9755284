-- What must hold for facts, clinical events and narratives, whoever writes them.
--
-- The checks run as the owner (security definer): a deferred trigger must see the whole truth, not what the
-- policies of the role that happens to commit let it see. They take no arguments and change nothing, or only
-- what follows from the row that fired them.

-- A fact without printed words does not exist ------------------------------------------------------------------------

create or replace function public.require_fact_source()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
declare
  v_fact_id uuid;
begin
  -- A row by name: of thousands, turning each into JSON took most of the time.
  if tg_table_name = 'fact_sources' then
    v_fact_id := old.fact_id;
  else
    v_fact_id := new.id;
  end if;
  -- A fact that went away again within the transaction needs no words, nor does what a person says of their own.
  if exists (
      select 1
      from public.entity_processing_audit_v2 as fact
      where fact.id = v_fact_id and fact.found_by_provider <> 'person'
    )
     and not exists (select 1 from public.fact_sources as source where source.fact_id = v_fact_id) then
    raise exception 'fact % has no words on a page', v_fact_id
      using errcode = 'check_violation', constraint = 'fact_has_source', table = 'entity_processing_audit_v2';
  end if;
  return null;
end
$$;
comment on function public.require_fact_source() is
  'Refuses, at commit, a fact that no printed word stands behind, unless a person has entered it.';

drop trigger if exists fact_has_source on public.entity_processing_audit_v2;
create constraint trigger fact_has_source
  after insert on public.entity_processing_audit_v2
  deferrable initially deferred
  for each row execute function public.require_fact_source();

drop trigger if exists fact_keeps_source on public.fact_sources;
create constraint trigger fact_keeps_source
  after delete on public.fact_sources
  deferrable initially deferred
  for each row execute function public.require_fact_source();

-- Nothing of one person's file reaches another person ----------------------------------------------------------------

create or replace function public.require_patient_of_file()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
begin
  if exists (
    select 1
    from written
    -- Failed attempts are kept of jobs without a file, too.
    where written.shell_file_id is not null
      and written.patient_id is not null
      and not exists (
        select 1
        from public.shell_files as file
        where file.id = written.shell_file_id
          and file.patient_id = written.patient_id
      )
  ) then
    raise exception 'a row of % belongs to another patient than its file', tg_table_name
      using errcode = 'check_violation', constraint = 'same_patient_as_file', table = tg_table_name;
  end if;
  return null;
end
$$;
comment on function public.require_patient_of_file() is
  'Refuses a row whose patient is not the patient of the file that it came from (contamination).';

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'entity_processing_audit_v2', 'fact_sources', 'semantic_processing_sessions', 'manual_review_queue',
    'fact_review_decisions', 'fact_snapshots', 'model_answers',
    'healthcare_encounters', 'patient_clinical_events', 'clinical_narratives', 'processing_errors'
  ] loop
    execute format('drop trigger if exists same_patient_on_insert on public.%I', v_table);
    execute format('drop trigger if exists same_patient_on_update on public.%I', v_table);
    execute format(
      'create trigger same_patient_on_insert after insert on public.%I
         referencing new table as written for each statement execute function public.require_patient_of_file()', v_table);
    execute format(
      'create trigger same_patient_on_update after update on public.%I
         referencing new table as written for each statement execute function public.require_patient_of_file()', v_table);
  end loop;
end
$$;

create or replace function public.require_patient_of_event()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
begin
  if exists (
    -- Joins, no question for each row: tables that have just been filled look small to the planner, and it would read all
    -- of them for each.
    select 1
    from written
    left join public.patient_clinical_events as event
      on event.id = written.event_id and event.patient_id = written.patient_id
    left join public.healthcare_encounters as encounter
      on encounter.id = written.event_id and encounter.patient_id = written.patient_id
    where written.event_id is not null
      and event.id is null
      and encounter.id is null
  ) then
    raise exception 'a row of % points at an event that its patient does not have', tg_table_name
      using errcode = 'check_violation', constraint = 'same_patient_as_event', table = tg_table_name;
  end if;
  return null;
end
$$;
comment on function public.require_patient_of_event() is
  'Refuses a fact that is admitted as, or merged into, an event of another patient or none, and a component of one.';

drop trigger if exists event_of_same_patient_on_insert on public.entity_processing_audit_v2;
create trigger event_of_same_patient_on_insert
  after insert on public.entity_processing_audit_v2
  referencing new table as written
  for each statement execute function public.require_patient_of_event();

drop trigger if exists event_of_same_patient_on_update on public.entity_processing_audit_v2;
create trigger event_of_same_patient_on_update
  after update on public.entity_processing_audit_v2
  referencing new table as written
  for each statement execute function public.require_patient_of_event();

create or replace function public.require_patient_of_fact()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
begin
  if exists (
    select 1
    from written
    where not exists (
      select 1
      from public.entity_processing_audit_v2 as fact
      where fact.id = written.fact_id
        and fact.patient_id = written.patient_id
    )
  ) then
    raise exception 'a code belongs to another patient than its fact'
      using errcode = 'check_violation', constraint = 'same_patient_as_fact', table = tg_table_name;
  end if;
  return null;
end
$$;
comment on function public.require_patient_of_fact() is 'Refuses a code whose patient is not the patient of its fact.';

drop trigger if exists same_patient_on_insert on public.medical_code_assignments;
create trigger same_patient_on_insert
  after insert on public.medical_code_assignments
  referencing new table as written
  for each statement execute function public.require_patient_of_fact();

drop trigger if exists same_patient_on_update on public.medical_code_assignments;
create trigger same_patient_on_update
  after update on public.medical_code_assignments
  referencing new table as written
  for each statement execute function public.require_patient_of_fact();

-- A fact may name no event yet, a component always does: the check is that of facts.
drop trigger if exists event_of_same_patient_on_insert on public.patient_observation_components;
create trigger event_of_same_patient_on_insert
  after insert on public.patient_observation_components
  referencing new table as written
  for each statement execute function public.require_patient_of_event();

drop trigger if exists event_of_same_patient_on_update on public.patient_observation_components;
create trigger event_of_same_patient_on_update
  after update on public.patient_observation_components
  referencing new table as written
  for each statement execute function public.require_patient_of_event();

-- Every event has its spoke ------------------------------------------------------------------------------------------

create or replace function public.require_spoke()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
declare
  v_found boolean;
begin
  if not exists (select 1 from public.patient_clinical_events as event where event.id = new.id) then
    return null;
  end if;
  case
    when new.event_type in ('lab_result', 'vital_sign', 'physical_finding', 'imaging_result') then
      v_found := exists (select 1 from public.patient_observations as spoke where spoke.event_id = new.id);
    when new.event_type in ('condition', 'symptom') then
      v_found := exists (select 1 from public.patient_conditions as spoke where spoke.event_id = new.id);
    when new.event_type = 'medication' then
      v_found := exists (select 1 from public.patient_medications as spoke where spoke.event_id = new.id);
    when new.event_type = 'allergy' then
      v_found := exists (select 1 from public.patient_allergies as spoke where spoke.event_id = new.id);
    when new.event_type = 'immunization' then
      v_found := exists (select 1 from public.patient_immunizations as spoke where spoke.event_id = new.id);
    when new.event_type = 'procedure' then
      v_found := exists (select 1 from public.patient_interventions as spoke where spoke.event_id = new.id);
    when new.event_type = 'family_history' then
      v_found := exists (select 1 from public.family_history as spoke where spoke.event_id = new.id);
    when new.event_type = 'social_history' then
      v_found := exists (select 1 from public.social_history as spoke where spoke.event_id = new.id);
    else
      v_found := false;
  end case;
  if not v_found then
    raise exception 'event % has no row of its type', new.id
      using errcode = 'check_violation', constraint = 'event_has_spoke', table = 'patient_clinical_events';
  end if;
  return null;
end
$$;
comment on function public.require_spoke() is
  'Refuses, at commit, a clinical event without the row that says what it is.';

drop trigger if exists event_has_spoke on public.patient_clinical_events;
create constraint trigger event_has_spoke
  after insert on public.patient_clinical_events
  deferrable initially deferred
  for each row execute function public.require_spoke();

-- Narratives follow their events -------------------------------------------------------------------------------------

create or replace function public.require_cited_events()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
begin
  if exists (
    select 1
    from unnest(new.cited_event_ids) as cited (event_id)
    where not exists (
      select 1
      from public.patient_clinical_events as event
      where event.id = cited.event_id
        and event.patient_id = new.patient_id
        and event.archived_at is null
        -- One that is told already waits with its event for the file to come out of the bin.
        and (event.withdrawn_at is null or tg_op = 'UPDATE')
    )
  ) then
    raise exception 'a sentence cites an event that its patient does not have'
      using errcode = 'check_violation', constraint = 'sentence_cites_events', table = tg_table_name;
  end if;
  return new;
end
$$;
comment on function public.require_cited_events() is
  'Refuses a sentence that cites anything but live events of the same patient.';

drop trigger if exists sentence_cites_events on public.clinical_narrative_sentences;
create trigger sentence_cites_events
  before insert or update on public.clinical_narrative_sentences
  for each row execute function public.require_cited_events();

create or replace function public.drop_sentences_of_event()
returns trigger language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.drop_sentences_citing(old.patient_id, array[old.id]);
  return null;
end
$$;
comment on function public.drop_sentences_of_event() is
  'An event that is deleted or archived takes along the sentences that cite it, and storylines left empty.';

drop trigger if exists sentences_follow_deleted_event on public.patient_clinical_events;
create trigger sentences_follow_deleted_event
  after delete on public.patient_clinical_events
  for each row execute function public.drop_sentences_of_event();

drop trigger if exists sentences_follow_archived_event on public.patient_clinical_events;
create trigger sentences_follow_archived_event
  after update of archived_at on public.patient_clinical_events
  for each row when (old.archived_at is null and new.archived_at is not null)
  execute function public.drop_sentences_of_event();

-- Trigger functions are nobody's to call.
revoke all on function public.require_fact_source() from public, anon, authenticated, service_role;
revoke all on function public.require_patient_of_file() from public, anon, authenticated, service_role;
revoke all on function public.require_patient_of_fact() from public, anon, authenticated, service_role;
revoke all on function public.require_patient_of_event() from public, anon, authenticated, service_role;
revoke all on function public.require_spoke() from public, anon, authenticated, service_role;
revoke all on function public.require_cited_events() from public, anon, authenticated, service_role;
revoke all on function public.drop_sentences_of_event() from public, anon, authenticated, service_role;

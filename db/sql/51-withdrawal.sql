-- Withdrawal: what happens to a record while a file of it lies in the bin.
--
-- An event belongs to a file that supports it, and to one in use where there is any. Where there is none it is withdrawn:
-- out of the record's views, but whole, human edits included, until a file that supports it comes back, another file says
-- the same, or it is erased. Whoever changes this holds the record (lock_patient_record).

-- Definer: must see all files and facts, not what the policies of a role let it see.
create or replace function public.settle_event_owner() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_heir_id uuid;
begin
  select file.deleted_at into new.withdrawn_at from public.shell_files as file where file.id = new.shell_file_id;
  if new.withdrawn_at is null then
    return new;
  end if;
  select fact.shell_file_id into v_heir_id
  from public.entity_processing_audit_v2 as fact
  join public.shell_files as file on file.id = fact.shell_file_id
  where fact.event_id = new.id and file.deleted_at is null
  order by fact.id
  limit 1;
  if found then
    new.shell_file_id := v_heir_id;
    new.withdrawn_at := null;
  end if;
  return new;
end
$$;
comment on function public.settle_event_owner() is
  'An event that is given to a file in the bin goes to one in use that supports it, or is withdrawn.';
drop trigger if exists settle_owner on public.patient_clinical_events;
create trigger settle_owner before insert or update of shell_file_id on public.patient_clinical_events
  for each row execute function public.settle_event_owner();

-- Definer: for the same reason.
create or replace function public.adopt_withdrawn_events() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.patient_clinical_events as event
  set shell_file_id = written.shell_file_id,
      updated_at = now()
  from written
  join public.shell_files as file on file.id = written.shell_file_id and file.deleted_at is null
  where event.id = written.event_id and event.withdrawn_at is not null;
  return null;
end
$$;
comment on function public.adopt_withdrawn_events() is
  'What a file in use says as well is back in the record, as that file''s.';
drop trigger if exists adopt_on_insert on public.entity_processing_audit_v2;
create trigger adopt_on_insert after insert on public.entity_processing_audit_v2
  referencing new table as written
  for each statement execute function public.adopt_withdrawn_events();
drop trigger if exists adopt_on_update on public.entity_processing_audit_v2;
create trigger adopt_on_update after update on public.entity_processing_audit_v2
  referencing new table as written
  for each statement execute function public.adopt_withdrawn_events();

-- Sentences are not dropped, as they are when an event is gone for good: they come back with what they cite.
create or replace function public.settle_sentences(p_narrative_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.clinical_narrative_sentences as sentence
  set withdrawn_at = settled.withdrawn_at
  from (
    select told.narrative_id, told.ordinal,
      coalesce(
        file.deleted_at,
        (
          select max(event.withdrawn_at)
          from public.patient_clinical_events as event
          where event.id = any (told.cited_event_ids)
        )
      ) as withdrawn_at
    from public.clinical_narratives as narrative
    join public.shell_files as file on file.id = narrative.shell_file_id
    join public.clinical_narrative_sentences as told on told.narrative_id = narrative.id
    where narrative.id = any (p_narrative_ids)
  ) as settled
  where sentence.narrative_id = settled.narrative_id
    and sentence.ordinal = settled.ordinal
    and sentence.withdrawn_at is distinct from settled.withdrawn_at;
end
$$;
comment on function public.settle_sentences(uuid[]) is
  'A sentence is withdrawn while its own file lies in the bin, or an event that it cites is withdrawn.';

create or replace function public.settle_sentences_of_file(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.settle_sentences(array(
    select narrative.id from public.clinical_narratives as narrative where narrative.shell_file_id = p_shell_file_id
  ));
end
$$;
comment on function public.settle_sentences_of_file(uuid) is 'The same for the storylines of one file.';

-- Definer: must see all events and storylines, not what the policies of a role let it see.
create or replace function public.settle_sentences_of_events() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event_ids uuid[];
begin
  select array_agg(after.id) into v_event_ids
  from before
  join after using (id)
  where (before.withdrawn_at is null) <> (after.withdrawn_at is null);
  if v_event_ids is not null then
    perform public.settle_sentences(array(
      select distinct narrative.id
      from public.clinical_narratives as narrative
      join public.clinical_narrative_sentences as sentence on sentence.narrative_id = narrative.id
      where narrative.patient_id in (select after.patient_id from after)
        and sentence.cited_event_ids && v_event_ids
    ));
  end if;
  return null;
end
$$;
comment on function public.settle_sentences_of_events() is
  'Sentences leave the views and come back with the events that they cite, in storylines of other files too.';
drop trigger if exists settle_sentences on public.patient_clinical_events;
create trigger settle_sentences after update on public.patient_clinical_events
  referencing old table as before new table as after
  for each statement execute function public.settle_sentences_of_events();

create or replace function public.withdraw_file_from_record(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  -- Given anew to the file that they belong to: the trigger finds another or withdraws them.
  update public.patient_clinical_events as event
  set shell_file_id = event.shell_file_id,
      updated_at = now()
  where event.shell_file_id = p_shell_file_id;
  update public.healthcare_encounters as encounter set withdrawn_at = now() where encounter.shell_file_id = p_shell_file_id;
  perform public.settle_sentences_of_file(p_shell_file_id);
end
$$;
comment on function public.withdraw_file_from_record(uuid) is
  'The file lies in the bin: what it alone supports leaves the record''s views.';

create or replace function public.return_file_to_record(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.patient_clinical_events as event
  set shell_file_id = p_shell_file_id,
      updated_at = now()
  where event.id in (
      select own.id from public.patient_clinical_events as own where own.shell_file_id = p_shell_file_id
      union
      select fact.event_id
      from public.entity_processing_audit_v2 as fact
      join public.patient_clinical_events as said on said.id = fact.event_id
      where fact.shell_file_id = p_shell_file_id
        -- What it had made and another file has kept alive, and what nobody else supports.
        and (fact.decision = 'admitted' or said.withdrawn_at is not null)
    );
  update public.healthcare_encounters as encounter set withdrawn_at = null where encounter.shell_file_id = p_shell_file_id;
  perform public.settle_sentences_of_file(p_shell_file_id);
end
$$;
comment on function public.return_file_to_record(uuid) is
  'The file is in use again: what it supports is in the record as it was.';

revoke all on function
  public.settle_event_owner(),
  public.adopt_withdrawn_events(),
  public.settle_sentences(uuid[]),
  public.settle_sentences_of_file(uuid),
  public.settle_sentences_of_events(),
  public.withdraw_file_from_record(uuid),
  public.return_file_to_record(uuid)
from public, anon, authenticated, service_role;

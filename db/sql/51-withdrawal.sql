-- Withdrawal: what happens to a record while a file of it lies in the bin.
--
-- An event belongs to a file in use that supports it, and says what that file says. Where there is none it is withdrawn:
-- out of the record's views, but whole, human edits included, until a file that supports it comes back, another file says
-- the same, or it is erased. Whoever changes this holds the record (lock_patient_record).

-- Events are withdrawn and brought back as they are settled (53-settling.sql).
drop trigger if exists settle_owner on public.patient_clinical_events;
drop trigger if exists adopt_on_insert on public.entity_processing_audit_v2;
drop trigger if exists adopt_on_update on public.entity_processing_audit_v2;
drop function if exists public.settle_event_owner(), public.adopt_withdrawn_events();

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

create or replace function public.settle_file(p_file public.shell_files) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.settle_record(p_file.patient_id, array(
    select distinct fact.entry_base
    from public.entity_processing_audit_v2 as fact
    where fact.shell_file_id = p_file.id and fact.entry is not null
  ));
  -- What no fact stands behind goes with its file.
  update public.patient_clinical_events as event
  set withdrawn_at = p_file.deleted_at,
      updated_at = clock_timestamp()
  where event.shell_file_id = p_file.id and (event.withdrawn_at is null) <> (p_file.deleted_at is null);
  update public.healthcare_encounters as encounter
  set withdrawn_at = p_file.deleted_at
  where encounter.shell_file_id = p_file.id and encounter.withdrawn_at is distinct from p_file.deleted_at;
  perform public.settle_sentences_of_file(p_file.id);
end
$$;
comment on function public.settle_file(public.shell_files) is
  'The file lies in the bin, or is in use again: what it alone supports leaves the record''s views, or is back; what others say as well is what they say.';
drop function if exists public.withdraw_file_from_record(uuid), public.return_file_to_record(uuid);

revoke all on function
  public.settle_sentences(uuid[]),
  public.settle_sentences_of_file(uuid),
  public.settle_sentences_of_events(),
  public.settle_file(public.shell_files)
from public, anon, authenticated, service_role;

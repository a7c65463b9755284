-- Files: what is true of one at any moment, and what is told about it.
--
-- Every change of a stage (31-stages.sql) runs one trigger that derives the file's status, writes an event and notifies:
-- the status of a file can be wrong only if its stages are. Whoever changes a file or its stages holds its row first.

create or replace function public.touch_updated_at() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function public.touch_updated_at() is 'updated_at is when the row was last written, whoever wrote it.';
drop trigger if exists touch on public.shell_files;
create trigger touch before update on public.shell_files
  for each row execute function public.touch_updated_at();

-- Definer: the events are written by no API role.
-- Transactions that notify commit one after the other, each with a flush of its own (20-queue.sql, where it is told of
-- jobs). Of a file that is new nobody can wait by its id yet, only for whatever comes; so of many that come at once one
-- notifies, and who is woken looks again a moment later: server/plugins/realtime.
create or replace function public.tell_shell_file_event(
  p_shell_file_id uuid,
  p_stage text,
  p_stage_status text,
  p_pages_done int,
  p_pages_total int
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_moment constant int := (extract(epoch from clock_timestamp()) * 20)::bigint % 1000000000;
  v_file public.shell_files;
  v_event_id bigint;
begin
  select * into v_file from public.shell_files as file where file.id = p_shell_file_id;
  if not found then
    return;
  end if;
  insert into public.shell_file_events
    (shell_file_id, patient_id, stage, stage_status, file_status, pages_done, pages_total)
  values
    (v_file.id, v_file.patient_id, p_stage, p_stage_status, v_file.status, p_pages_done, p_pages_total)
  returning id into v_event_id;
  if v_file.created_at <> now()
    or pg_try_advisory_xact_lock(hashtext('exora_shell_file_events'), v_moment) then
    perform pg_notify(
      'exora_shell_file_events',
      json_build_object('id', v_event_id, 'shell_file_id', v_file.id, 'patient_id', v_file.patient_id)::text
    );
  end if;
end
$$;
comment on function public.tell_shell_file_event(uuid, text, text, int, int) is
  'Writes what happened to a file and notifies the server''s realtime channel, with ids only; of many new files at once by one notification.';

-- Definer: derives columns that no role may write.
create or replace function public.derive_shell_file_status() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.shell_files as file
  set status = derived.status,
      processing_error = derived.error
  from (
    select
      case
        when bool_or(step.status = 'failed') then 'failed'
        when bool_or(step.status = 'held') then 'needs_review'
        when bool_and(step.status in ('completed', 'skipped')) then 'completed'
        when bool_or(step.status in ('running', 'completed')) then 'processing'
        else 'uploaded'
      end as status,
      (array_agg(step.error || jsonb_build_object('stage', step.stage) order by step.position)
        filter (where step.status = 'failed'))[1] as error
    from (
      -- What is done again beside a document that is done leaves it done.
      select known.stage, known.position, known.error,
        case when known.repeats and known.status in ('pending', 'running') then 'completed' else known.status end as status
      from public.shell_file_stages as known
      where known.shell_file_id = new.shell_file_id
    ) as step
  ) as derived
  where file.id = new.shell_file_id
    and (file.status, file.processing_error) is distinct from (derived.status, derived.error);

  perform public.tell_shell_file_event(new.shell_file_id, new.stage, new.status, new.pages_done, new.pages_total);
  return null;
end
$$;
comment on function public.derive_shell_file_status() is
  'Keeps shell_files.status and processing_error what the stages say, and tells who listens.';
drop trigger if exists derive_status on public.shell_file_stages;
create trigger derive_status after update of status, pages_done, pages_total on public.shell_file_stages
  for each row when (
    (old.status, old.pages_done, old.pages_total) is distinct from (new.status, new.pages_done, new.pages_total)
  ) execute function public.derive_shell_file_status();

-- Changes to the stages of one file follow each other, so that its events are numbered in the order they are seen.
create or replace function public.lock_shell_file(p_shell_file_id uuid) returns public.shell_files
language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  select * into v_file
  from public.shell_files as file
  where file.id = p_shell_file_id and file.deleted_at is null
  for no key update;
  if not found then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
  return v_file;
end
$$;
comment on function public.lock_shell_file(uuid) is
  'The file, held for this transaction; raises no_data_found, also when it lies in the bin, where nothing is processed.';

-- One answer for "not yours", "in the bin" and "does not exist".
create or replace function public.lock_open_shell_file(p_shell_file_id uuid, p_required_level text)
returns public.shell_files language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  select * into v_file
  from public.shell_files as file
  where file.id = p_shell_file_id
    and file.deleted_at is null
    and (
      public.acting_as_service()
      or public.has_resource_access(auth.uid(), file.patient_id, p_required_level, 'document')
    )
  for no key update;
  if not found then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
  return v_file;
end
$$;
comment on function public.lock_open_shell_file(uuid, text) is
  'The file, held for this transaction, if the caller reaches it at this level; else no_data_found, whatever the reason.';

revoke all on function
  public.touch_updated_at(),
  public.tell_shell_file_event(uuid, text, text, int, int),
  public.derive_shell_file_status(),
  public.lock_shell_file(uuid),
  public.lock_open_shell_file(uuid, text)
from public, anon, authenticated, service_role;

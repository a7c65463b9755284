-- The usage ledger: one row for one thing used, never changed, and the counters that are derived from it.
--
-- Files, pages and tokens are counted per cycle; storage is a gauge, the sum over all cycles.

drop trigger if exists append_only on public.usage_events;
create trigger append_only before update or delete on public.usage_events
  for each row execute function public.refuse_change();
drop trigger if exists no_truncate on public.usage_events;
create trigger no_truncate before truncate on public.usage_events
  for each statement execute function public.refuse_change();

create or replace function public.usage_of_upload(p_shell_file_id text) returns public.usage_events
language sql stable set search_path = '' as $$
  select upload.*
  from public.usage_events as upload
  where upload.event_type = 'file_uploaded' and upload.source_id = p_shell_file_id
$$;
comment on function public.usage_of_upload(text) is 'The ledger row of a file''s upload; nulls when it was never counted.';

-- Definer: the ledger decides who pays and in which month, and no role writes the counters.
-- What comes after an upload (pages measured, storage given back or taken again) is booked to the account that paid for
-- the upload; measured pages in its month too, whatever the time zone of the account has become since.
create or replace function public.settle_usage_event() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_upload public.usage_events;
begin
  if tg_when = 'BEFORE' then
    if new.event_type in ('pages_measured', 'file_deleted', 'file_restored') then
      v_upload := public.usage_of_upload(split_part(new.source_id, ':', 1));
    end if;
    new.account_id := coalesce(v_upload.account_id, public.account_of_profile(new.profile_id));
    select cycle.first_day into new.cycle_start from public.usage_cycle(new.account_id, new.occurred_at) as cycle;
    if new.event_type = 'pages_measured' then
      new.cycle_start := coalesce(v_upload.cycle_start, new.cycle_start);
    end if;
    return new;
  end if;

  insert into public.user_usage_tracking as counter
    (account_id, profile_id, cycle_start, shell_files, pages, ai_tokens, ai_seconds, storage_bytes)
  values
    (new.account_id, new.profile_id, new.cycle_start, new.shell_files, new.pages, new.ai_tokens, new.ai_seconds,
      new.storage_bytes)
  on conflict (account_id, cycle_start, profile_id) do update
  set shell_files = counter.shell_files + excluded.shell_files,
      pages = counter.pages + excluded.pages,
      ai_tokens = counter.ai_tokens + excluded.ai_tokens,
      ai_seconds = counter.ai_seconds + excluded.ai_seconds,
      storage_bytes = counter.storage_bytes + excluded.storage_bytes,
      updated_at = now();
  return null;
end
$$;
comment on function public.settle_usage_event() is
  'Fills in who pays and the month before a ledger row is written, and adds it to the counters after.';
drop trigger if exists derive on public.usage_events;
create trigger derive before insert on public.usage_events
  for each row execute function public.settle_usage_event();
drop trigger if exists count on public.usage_events;
create trigger count after insert on public.usage_events
  for each row execute function public.settle_usage_event();

create or replace function public.count_usage(p_event public.usage_events, out tracked boolean, out counted boolean)
language plpgsql volatile set search_path = '' as $$
begin
  tracked := public.feature_enabled('usage_tracking_enabled');
  counted := false;
  if not tracked then
    return;
  end if;
  insert into public.usage_events
    (account_id, profile_id, event_type, source_id, shell_files, pages, ai_tokens, ai_seconds, storage_bytes,
      cycle_start, occurred_at)
  values
    (public.account_of_profile(p_event.profile_id), p_event.profile_id, p_event.event_type, p_event.source_id,
      coalesce(p_event.shell_files, 0), coalesce(p_event.pages, 0), coalesce(p_event.ai_tokens, 0),
      coalesce(p_event.ai_seconds, 0), coalesce(p_event.storage_bytes, 0), current_date,
      coalesce(p_event.occurred_at, now()))
  on conflict (event_type, source_id) do nothing;
  counted := found;
end
$$;
comment on function public.count_usage(public.usage_events) is
  'One ledger row for one thing used; told twice, it is counted once. Nothing where usage is not tracked.';

create or replace function public.record_usage(p_event public.usage_events) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  v_count record := public.count_usage(p_event);
begin
  return jsonb_build_object(
    'tracked', v_count.tracked,
    'counted', v_count.counted,
    'usage', public.usage_status(public.account_of_profile(p_event.profile_id))
  );
end
$$;
comment on function public.record_usage(public.usage_events) is
  'count_usage, told with what the account has used by then.';

create or replace function public.upload_event(p_file public.shell_files) returns public.usage_events
language plpgsql stable set search_path = '' as $$
declare
  v_event public.usage_events;
begin
  v_event.profile_id := p_file.patient_id;
  v_event.event_type := 'file_uploaded';
  v_event.source_id := p_file.id::text;
  v_event.shell_files := 1;
  v_event.pages := greatest(coalesce(p_file.estimated_pages, 1), 1);
  v_event.storage_bytes := greatest(p_file.size_bytes, 0);
  -- Told late, it counts in the month in which it was uploaded.
  v_event.occurred_at := p_file.created_at;
  return v_event;
end
$$;
comment on function public.upload_event(public.shell_files) is 'What an upload uses, as a row for the ledger.';

-- Definer: the ledger is closed to every role. Size and pages come from the file where there is one, not from the caller.
create or replace function public.track_shell_file_upload_usage(
  p_profile_id uuid,
  p_shell_file_id uuid,
  p_file_size_bytes bigint,
  p_estimated_pages int default 1
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  perform public.require_profile_access(p_profile_id, 'read_write', 'document');
  select * into v_file from public.shell_files as file where file.id = p_shell_file_id;
  -- A file without a row (yet) may be counted by a service, and by an account at its own expense; by no delegate.
  if v_file.patient_id <> p_profile_id
    or (v_file.id is null
      and not public.acting_as_service()
      and auth.uid() is distinct from public.account_of_profile(p_profile_id)) then
    raise exception 'There is no such document in this profile.' using errcode = 'no_data_found';
  end if;
  if v_file.id is null then
    v_file.id := p_shell_file_id;
    v_file.patient_id := p_profile_id;
    v_file.estimated_pages := p_estimated_pages;
    v_file.size_bytes := p_file_size_bytes;
  end if;
  return public.record_usage(public.upload_event(v_file));
end
$$;
comment on function public.track_shell_file_upload_usage(uuid, uuid, bigint, int) is
  'Counts an upload once, for the account that owns the profile, whoever uploaded and however often it is told.';

-- Definer: the ledger is closed to every role.
-- An upload is counted with the pages that the client expects. Once the file has been opened the truth is known, and
-- the difference is booked, in the month of the upload.
create or replace function public.settle_measured_pages() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event public.usage_events;
begin
  -- There is no difference to what was never counted.
  if (public.usage_of_upload(new.id::text)).id is null then
    return null;
  end if;
  v_event.profile_id := new.patient_id;
  v_event.event_type := 'pages_measured';
  v_event.source_id := new.id::text;
  v_event.pages := new.page_count - new.estimated_pages;
  v_event.occurred_at := new.created_at;
  perform public.count_usage(v_event);
  return null;
end
$$;
comment on function public.settle_measured_pages() is
  'The pages of a file count as they are, not as the client said: the difference is booked when they are first counted.';
drop trigger if exists settle_pages on public.shell_files;
create trigger settle_pages after update of page_count on public.shell_files
  for each row when (old.page_count is null and new.page_count <> new.estimated_pages)
  execute function public.settle_measured_pages();

-- Storage is a gauge that deletions give back. What was booked is given back whatever the switch of tracking says by
-- then: else it would stand against its account for ever. The source names file and moment, so that a file may be
-- deleted and restored any number of times and each of them counts once.
create or replace function public.bin_source(p_file public.shell_files) returns text
language sql immutable set search_path = '' as $$
  select p_file.id || ':' || (extract(epoch from p_file.deleted_at) * 1000000)::bigint
$$;
comment on function public.bin_source(public.shell_files) is 'The source id of one deletion of a file, and of what undoes it.';

create or replace function public.give_storage_back(p_file public.shell_files) returns void
language sql volatile set search_path = '' as $$
  insert into public.usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
  select upload.account_id, upload.profile_id, 'file_deleted', public.bin_source(p_file), -upload.storage_bytes,
    upload.cycle_start
  from public.usage_events as upload
  where upload.event_type = 'file_uploaded' and upload.source_id = p_file.id::text
  on conflict (event_type, source_id) do nothing
$$;
comment on function public.give_storage_back(public.shell_files) is
  'A file went into the bin: what its upload took of the storage counts no more.';

create or replace function public.take_storage_again(p_file public.shell_files) returns void
language sql volatile set search_path = '' as $$
  insert into public.usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
  select deletion.account_id, deletion.profile_id, 'file_restored', deletion.source_id, -deletion.storage_bytes,
    deletion.cycle_start
  from public.usage_events as deletion
  where deletion.event_type = 'file_deleted' and deletion.source_id = public.bin_source(p_file)
  on conflict (event_type, source_id) do nothing
$$;
comment on function public.take_storage_again(public.shell_files) is
  'A file came out of the bin: what its deletion gave back counts again. The file is given as it was in the bin.';

-- Definer: the ledger is closed to every role.
create or replace function public.track_ai_processing_usage(
  p_profile_id uuid,
  p_job_id uuid,
  p_tokens_used int,
  p_processing_seconds int default 0
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event public.usage_events;
begin
  if exists (select from public.job_queue as job where job.id = p_job_id and job.patient_id <> p_profile_id) then
    raise exception 'The job belongs to another profile.' using errcode = 'no_data_found';
  end if;
  v_event.profile_id := p_profile_id;
  v_event.event_type := 'ai_processed';
  v_event.source_id := p_job_id || ':' || coalesce(
    (select job.job_type from public.job_queue as job where job.id = p_job_id), 'unknown'
  );
  v_event.ai_tokens := greatest(p_tokens_used, 0);
  v_event.ai_seconds := greatest(p_processing_seconds, 0);
  return public.record_usage(v_event);
end
$$;
comment on function public.track_ai_processing_usage(uuid, uuid, int, int) is
  'Counts the tokens and seconds of a job once, for the account that owns the profile.';

revoke all on function
  public.settle_usage_event(),
  public.count_usage(public.usage_events),
  public.record_usage(public.usage_events),
  public.upload_event(public.shell_files),
  public.usage_of_upload(text),
  public.track_shell_file_upload_usage(uuid, uuid, bigint, int),
  public.settle_measured_pages(),
  public.bin_source(public.shell_files),
  public.give_storage_back(public.shell_files),
  public.take_storage_again(public.shell_files),
  public.track_ai_processing_usage(uuid, uuid, int, int)
from public, anon, authenticated, service_role;

grant execute on function public.track_shell_file_upload_usage(uuid, uuid, bigint, int) to authenticated, service_role;
grant execute on function public.track_ai_processing_usage(uuid, uuid, int, int) to service_role;

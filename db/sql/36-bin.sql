-- The bin: where a document lies after a person deleted it, until it is restored, or erased when its days are over
-- (38-erasure.sql).
--
--   in use ──delete──> in the bin ──restore──> in use
--                          └──its days are over, or the account closes──> erased
--
-- Nothing in the bin is processed, and its stages stay as they were; what it alone supports is out of the record
-- (51-withdrawal.sql); the storage that it takes is given back (42-usage-ledger.sql).
-- Locks, in this order: processing permission, jobs of the file, record of the patient, file. Workers take them in the
-- same one.

create or replace function public.require_bin_access(p_shell_file_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  perform from public.shell_files as file
  join public.profile_grants_of(auth.uid()) as held on held.profile_id = file.patient_id
  where file.id = p_shell_file_id
    and public.access_level_rank(held.level) >= public.access_level_rank('read_write')
    and (held.resource_types is null or 'document' = any (held.resource_types))
    -- Clinicians add to a record; what is in it is not theirs to take away.
    and held.basis not in ('provider', 'break_glass');
  if not found then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
end
$$;
comment on function public.require_bin_access(uuid) is
  'Raises no_data_found unless the caller may delete this document and bring it back: whoever may write, but no clinician.';

create or replace function public.lock_patient_record(p_patient_id uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('patient_record:' || p_patient_id, 0))
$$;
comment on function public.lock_patient_record(uuid) is
  'What changes in a record, changes one file after the other: two would not see what the other is about to support.';

create or replace function public.hold_jobs_of_file(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform from public.job_queue as job
  where job.shell_file_id = p_shell_file_id and job.status in ('pending', 'processing', 'dead_letter')
  order by job.id
  for update;
end
$$;
comment on function public.hold_jobs_of_file(uuid) is
  'Waits for a stage that is just being committed, and lets none commit until this transaction ends.';

-- A job that came in after the others were held is left to itself: its worker finds no file and is done.
create or replace function public.cancel_jobs_of_file(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_running uuid[];
begin
  with live as materialized (
    select job.id, job.status
    from public.job_queue as job
    where job.shell_file_id = p_shell_file_id and job.status in ('pending', 'processing')
    order by job.id
    for update skip locked
  ),
  cancelled as (
    update public.job_queue as job
    set status = 'cancelled',
        completed_at = clock_timestamp(),
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    from live
    where job.id = live.id
    returning job.id, live.status as old_status
  )
  select array_agg(cancelled.id) filter (where cancelled.old_status = 'processing') into v_running
  from cancelled;
  -- Their calls go on until their workers have heard, and end their reservations; see take_job_out.
  perform pg_notify('exora_jobs_cancelled', running.id::text) from unnest(v_running) as running (id);
end
$$;
comment on function public.cancel_jobs_of_file(uuid) is
  'Takes the jobs of a file in the bin out of the queue; one that runs loses its lease. Audited with the file.';

create or replace function public.put_in_bin(p_shell_file_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  -- The clock, not `now()`: a file that is deleted twice within a transaction is deleted at two moments.
  update public.shell_files as file
  set deleted_at = clock_timestamp()
  where file.id = p_shell_file_id
  returning file.* into v_file;
  perform public.cancel_jobs_of_file(p_shell_file_id);
  perform public.settle_file(v_file);
  perform public.give_storage_back(v_file);
  perform public.tell_shell_file_event(p_shell_file_id, null, null, null, null);
end
$$;
comment on function public.put_in_bin(uuid) is
  'Everything that deleting a document changes. The caller has asked for access and holds jobs, record and file.';

-- Definer: access is asked first; clients have no write on any of the tables.
create or replace function public.delete_shell_file(p_shell_file_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  perform public.require_bin_access(p_shell_file_id);
  v_file := public.lock_file_and_record(p_shell_file_id);
  if v_file.id is null or v_file.deleted_at is not null then
    return false;
  end if;
  perform public.put_in_bin(p_shell_file_id);
  return true;
end
$$;
comment on function public.delete_shell_file(uuid) is
  'Puts a document into the bin; false when it lies there already.';

create or replace function public.lock_file_and_record(p_shell_file_id uuid) returns public.shell_files
language plpgsql volatile set search_path = '' as $$
declare
  -- A file never changes hands.
  v_patient_id uuid := public.hold_processing_of_file(p_shell_file_id);
  v_file public.shell_files;
begin
  perform public.hold_jobs_of_file(p_shell_file_id);
  perform public.lock_patient_record(v_patient_id);
  select * into v_file from public.shell_files as file where file.id = p_shell_file_id for update;
  return v_file;
end
$$;
comment on function public.lock_file_and_record(uuid) is
  'The file, in the bin or not, held with its jobs and its patient''s record; a row of nulls when there is none.';

-- Definer: access is asked first; clients have no write on any of the tables.
create or replace function public.restore_shell_file(p_shell_file_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_restored public.shell_files;
begin
  perform public.require_bin_access(p_shell_file_id);
  v_file := public.lock_file_and_record(p_shell_file_id);
  if v_file.id is null then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  elsif v_file.deleted_at is null then
    return false;
  end if;

  -- Raises unique_violation (shell_files_content_idx) when the same bytes have been uploaded again meanwhile. Before the
  -- limits, as in an upload: content first, then account.
  update public.shell_files as file set deleted_at = null where file.id = p_shell_file_id returning file.* into v_restored;
  -- Files and pages were counted when it was uploaded, and were not given back.
  perform public.require_allowance(v_file.patient_id, 0, 0, v_file.size_bytes);
  perform public.settle_file(v_restored);
  perform public.take_storage_again(v_file);
  perform public.tell_shell_file_event(p_shell_file_id, null, null, null, null);
  perform public.resume_stages(p_shell_file_id);
  return true;
end
$$;
comment on function public.restore_shell_file(uuid) is
  'Takes a document out of the bin, and goes on processing where that stood; false when it is in use. Raises EX402 past an enforced limit of storage.';

revoke all on function
  public.require_bin_access(uuid),
  public.lock_patient_record(uuid),
  public.hold_jobs_of_file(uuid),
  public.cancel_jobs_of_file(uuid),
  public.put_in_bin(uuid),
  public.lock_file_and_record(uuid),
  public.delete_shell_file(uuid),
  public.restore_shell_file(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.delete_shell_file(uuid) to authenticated;
grant execute on function public.restore_shell_file(uuid) to authenticated;
grant execute on function public.lock_patient_record(uuid) to service_role;

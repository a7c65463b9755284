-- Processing control: may a person's documents be processed just now, and what happens when that changes.
--
-- One lock per person. Whoever lets work begin or go on (an upload, each transaction of a worker's attempt, a decision about
-- a document) holds the permission until it commits; whoever changes it waits for all of them and keeps the next ones out.
-- So a change sees every job that was made before it, and whatever comes after sees the change. It is taken before any job
-- or file is locked.

create or replace function public.hold_processing_permission(p_profile_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('exora:processing:' || p_profile_id, 0));
end
$$;
comment on function public.hold_processing_permission(uuid) is
  'What may be done with this person''s data stays as it is until this transaction ends. To be asked in a later statement.';

create or replace function public.lock_processing_permission(p_profile_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('exora:processing:' || p_profile_id, 0));
end
$$;
comment on function public.lock_processing_permission(uuid) is
  'For who changes what may be done with this person''s data: waits for everybody who relies on it.';

create or replace function public.hold_processing_of_file(p_shell_file_id uuid) returns uuid
language plpgsql volatile set search_path = '' as $$
declare
  v_patient_id uuid;
begin
  select file.patient_id into v_patient_id from public.shell_files as file where file.id = p_shell_file_id;
  if found then
    perform public.hold_processing_permission(v_patient_id);
  end if;
  return v_patient_id;
end
$$;
comment on function public.hold_processing_of_file(uuid) is
  'hold_processing_permission for the patient of a file, who is returned; null where there is no such file.';

create or replace function public.processing_allowed(p_profile_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select
    from public.user_profiles as profile
    where profile.id = p_profile_id
      and profile.processing_restricted_at is null
      and profile.erased_at is null
      and not exists (
        select
        from public.account_closures as closure
        where closure.account_id = profile.account_owner_id
          and closure.status in ('requested', 'purging')
      )
      and public.consent_holds(profile.id, 'data_processing')
  )
$$;
comment on function public.processing_allowed(uuid) is
  'May this person''s documents be processed just now? Not while restricted, erased, being closed, or without consent; not for an id that is nobody''s.';

create or replace function public.require_processing_allowed(p_profile_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.hold_processing_permission(p_profile_id);
  if not public.processing_allowed(p_profile_id) then
    raise exception 'Processing is stopped for this person.' using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.require_processing_allowed(uuid) is
  'Raises 55000 where processing is stopped; where it is not, it stays allowed until this transaction ends.';

create or replace function public.hold_consent(p_profile_id uuid, p_purpose text) returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  perform public.hold_processing_permission(p_profile_id);
  return public.consent_holds(p_profile_id, p_purpose);
end
$$;
comment on function public.hold_consent(uuid, text) is
  'consent_holds, and its answer stays true until this transaction ends: for what must not happen after a withdrawal.';

create or replace function public.stop_processing(p_profile_id uuid) returns int
language plpgsql volatile set search_path = '' as $$
declare
  v_job_id uuid;
  v_stopped int := 0;
begin
  perform public.lock_processing_permission(p_profile_id);
  for v_job_id in
    select live.id
    from public.live_jobs_of(array[p_profile_id]) as live
    where live.job_type = any (public.pipeline_stages())
    order by live.id
  loop
    if public.stop_job(v_job_id) then
      v_stopped := v_stopped + 1;
    end if;
  end loop;
  return v_stopped;
end
$$;
comment on function public.stop_processing(uuid) is
  'Cancels every stage job of a person that waits or runs; how many there were. For who has just decided that processing stops, in that transaction, before it locks profiles, jobs or files.';

create or replace function public.resume_processing(p_profile_id uuid) returns int
language plpgsql volatile set search_path = '' as $$
declare
  v_file_id uuid;
  v_resumed int := 0;
begin
  perform public.lock_processing_permission(p_profile_id);
  if not public.processing_allowed(p_profile_id) then
    return 0;
  end if;
  for v_file_id in
    select file.id
    from public.shell_files as file
    where file.patient_id = p_profile_id
      and file.deleted_at is null
      and file.status in ('uploaded', 'processing', 'failed')
    order by file.created_at, file.id
  loop
    perform public.lock_shell_file(v_file_id);
    if public.resume_stages(v_file_id) then
      v_resumed := v_resumed + 1;
    end if;
  end loop;
  return v_resumed;
end
$$;
comment on function public.resume_processing(uuid) is
  'Every file that waits, or was stopped, goes on at its first unfinished stage; how many there were. None while processing is not allowed.';

-- Definer: clients may not write these columns. Only who decides for the person gets past the first line.
create or replace function public.restrict_processing(p_profile_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.require_decision_capacity(p_profile_id);
  perform public.lock_processing_permission(p_profile_id);
  update public.user_profiles as profile
  set processing_restricted_at = clock_timestamp()
  where profile.id = p_profile_id
    and profile.processing_restricted_at is null;
  if found then
    perform public.stop_processing(p_profile_id);
  end if;
end
$$;
comment on function public.restrict_processing(uuid) is
  'The person, or a guardian, has nothing more done with their data than keeping it (GDPR, article 18); it is still theirs to read.';

-- Definer: as restrict_processing.
create or replace function public.lift_processing_restriction(p_profile_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.require_decision_capacity(p_profile_id);
  perform public.lock_processing_permission(p_profile_id);
  update public.user_profiles as profile
  set processing_restricted_at = null
  where profile.id = p_profile_id
    and profile.processing_restricted_at is not null;
  if found then
    perform public.resume_processing(p_profile_id);
  end if;
end
$$;
comment on function public.lift_processing_restriction(uuid) is
  'Ends a restriction; what waited goes on, if nothing else stands against it.';

-- What nobody decides in the moment it becomes true: a consent that runs out, a purpose that operators no longer presume.

create or replace function public.profiles_to_stop(p_limit int) returns setof uuid
language sql stable set search_path = '' as $$
  -- Materialized, or every job would be asked about instead of every person. Two questions, each with an index of its own.
  with live as materialized (
    select job.patient_id
    from public.job_queue as job
    where job.status = 'pending'
      and job.patient_id is not null
      and job.job_type = any (public.pipeline_stages())
    union
    select job.patient_id
    from public.job_queue as job
    where job.status = 'processing'
      and job.patient_id is not null
      and job.job_type = any (public.pipeline_stages())
  )
  select live.patient_id
  from live
  where not public.processing_allowed(live.patient_id)
  limit p_limit
$$;
comment on function public.profiles_to_stop(int) is 'Persons with jobs though their documents may not be processed any more.';

-- Definer: services may stop what is not allowed, and nothing else.
create or replace function public.stop_unallowed_processing(p_profile_id uuid) returns int
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_processing_permission(p_profile_id);
  if public.processing_allowed(p_profile_id) then
    return 0;
  end if;
  return public.stop_processing(p_profile_id);
end
$$;
comment on function public.stop_unallowed_processing(uuid) is
  'stop_processing where processing is not allowed; asked again under the lock, since it may have been allowed meanwhile.';

revoke all on function
  public.hold_processing_permission(uuid),
  public.lock_processing_permission(uuid),
  public.hold_processing_of_file(uuid),
  public.processing_allowed(uuid),
  public.require_processing_allowed(uuid),
  public.hold_consent(uuid, text),
  public.stop_processing(uuid),
  public.resume_processing(uuid),
  public.restrict_processing(uuid),
  public.lift_processing_restriction(uuid),
  public.profiles_to_stop(int),
  public.stop_unallowed_processing(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.restrict_processing(uuid) to authenticated;
grant execute on function public.lift_processing_restriction(uuid) to authenticated;
grant execute on function public.hold_processing_permission(uuid) to service_role;
grant execute on function public.processing_allowed(uuid) to service_role;
grant execute on function public.require_processing_allowed(uuid) to service_role;
grant execute on function public.hold_consent(uuid, text) to service_role;
grant execute on function public.profiles_to_stop(int) to service_role;
grant execute on function public.stop_unallowed_processing(uuid) to service_role;

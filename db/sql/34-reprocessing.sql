-- Reprocessing: a file runs again from a stage on.

create or replace function public.keep_facts_before(p_file public.shell_files) returns void
language plpgsql volatile set search_path = '' as $$
begin
  -- Of a run that has not come to its end nothing is kept: what stood before it is what people knew.
  if not exists (
    select from public.shell_file_stages as step
    where step.shell_file_id = p_file.id and step.stage = 'pass2_code' and step.status = 'completed'
  ) then
    return;
  end if;
  insert into public.fact_snapshots (shell_file_id, patient_id, fact_count, facts, taken_at)
  select p_file.id, p_file.patient_id, count(*), coalesce(jsonb_agg(to_jsonb(reading) order by reading.id), '[]'), clock_timestamp()
  from public.fact_readings as reading
  where reading.shell_file_id = p_file.id
  on conflict (shell_file_id) do update
  set fact_count = excluded.fact_count,
      facts = excluded.facts,
      taken_at = excluded.taken_at;
end
$$;
comment on function public.keep_facts_before(public.shell_files) is
  'What stands in a file that is about to be processed again, to tell afterwards what is new, changed or gone.';

-- Definer: access is checked first; clients cannot write stages or jobs.
create or replace function public.reprocess_shell_file(p_shell_file_id uuid, p_from_stage text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_from int := array_position(public.pipeline_stages(), p_from_stage);
  v_gate constant int := array_position(public.pipeline_stages(), 'pass1_find');
  v_blocking text;
begin
  -- Before the file is locked, as everywhere; it tells nothing about a file that is not the caller's.
  perform public.hold_processing_of_file(p_shell_file_id);
  v_file := public.lock_open_shell_file(p_shell_file_id, 'read_write');
  if v_from is null then
    raise exception 'There is no stage of this name.' using errcode = 'invalid_parameter_value';
  end if;
  -- Asking again takes back what a person has decided, or withdraws what a person is to decide.
  if v_from <= v_gate and v_file.review_state in ('pending', 'rejected') then
    perform public.require_profile_access(v_file.patient_id, 'read_write', 'identity');
  end if;
  select case
    when not public.processing_allowed(v_file.patient_id) then 'processing is stopped for this person'
    when exists (select from public.job_queue as job
                 where job.shell_file_id = p_shell_file_id
                   and job.job_type = any (public.pipeline_stages())
                   and job.status in ('pending', 'processing')) then 'it is being processed'
    when v_from > v_gate and v_file.review_state in ('pending', 'rejected') then 'its identity review does not allow it'
    when exists (select from public.shell_file_stages as earlier
                 where earlier.shell_file_id = p_shell_file_id
                   and earlier.position < v_from
                   and earlier.status not in ('completed', 'skipped')) then 'an earlier stage is not done'
  end into v_blocking;
  if v_blocking is not null then
    raise exception 'This document cannot be processed from there: %.', v_blocking
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  perform public.keep_facts_before(v_file);
  update public.shell_file_stages as step
  set status = 'pending',
      pages_done = null,
      pages_total = null,
      error = null,
      started_at = null,
      finished_at = null,
      repeats = false
  where step.shell_file_id = p_shell_file_id and step.position >= v_from;
  -- Found again, the identity is asked about again, unless a person has said yes: an open question is withdrawn.
  update public.shell_files as file
  set review_state = 'none'
  where file.id = p_shell_file_id and file.review_state in ('pending', 'rejected') and v_from <= v_gate;
  delete from public.manual_review_queue as review
  where review.shell_file_id = p_shell_file_id and review.status = 'pending' and v_from <= v_gate;
  return public.enqueue_stage(p_shell_file_id, p_from_stage);
end
$$;
comment on function public.reprocess_shell_file(uuid, text) is
  'Runs a file again from a stage on; that stage and the later ones start afresh. Refused while it is being processed, and while processing is stopped.';

revoke all on function public.keep_facts_before(public.shell_files) from public, anon, authenticated, service_role;
revoke all on function public.reprocess_shell_file(uuid, text) from public, anon, authenticated, service_role;

grant execute on function public.reprocess_shell_file(uuid, text) to authenticated, service_role;

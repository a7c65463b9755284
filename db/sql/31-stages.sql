-- Stages of a file. One changes only through begin_stage, report_stage_progress, set_stage_outcome, finish_stage,
-- settle_unscanned_file, reprocess_shell_file, decide_identity_review, resume_processing and restore_shell_file.
--
--   pending ──begin──> running ──finish──> completed | held | failed | skipped
--      │                  ↑ begin again after a failure or a crash
--      └──finish──> failed | skipped              held ──decision──> completed

create or replace function public.pipeline_stages() returns text[]
language sql immutable set search_path = '' as $$
  select array['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate']
$$;
comment on function public.pipeline_stages() is 'The stages in order; a stage''s name is its job type.';

-- Definer: services may read stages and change them only here.
create or replace function public.begin_stage(p_shell_file_id uuid, p_stage text, p_version text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_patient_id uuid := public.hold_processing_of_file(p_shell_file_id);
  v_file public.shell_files := public.lock_shell_file(p_shell_file_id);
  v_blocking text;
begin
  perform public.require_processing_allowed(v_patient_id);
  select earlier.stage || ' is ' || earlier.status into v_blocking
  from public.shell_file_stages as earlier
  where earlier.shell_file_id = p_shell_file_id
    and earlier.position < array_position(public.pipeline_stages(), p_stage)
    and earlier.status not in ('completed', 'skipped')
  order by earlier.position
  limit 1;
  -- The identity gate, held where it cannot be walked around: what a person has not let through is not coded.
  if v_blocking is null and p_stage in ('pass2_code', 'pass3_narrate') and v_file.review_state in ('pending', 'rejected') then
    v_blocking := 'the identity review is ' || v_file.review_state;
  end if;
  if v_blocking is not null then
    raise exception 'Stage % may not begin: %.', p_stage, v_blocking using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.shell_file_stages as step
  set status = 'running',
      version = p_version,
      error = null,
      outcome = null,
      pages_done = case when step.status = 'running' then step.pages_done end,
      pages_total = case when step.status = 'running' then step.pages_total end,
      started_at = case when step.status = 'running' then step.started_at else clock_timestamp() end,
      finished_at = null
  where step.shell_file_id = p_shell_file_id
    and step.stage = p_stage
    and step.status in ('pending', 'running', 'failed');
  if not found then
    raise exception 'Stage % may not begin: it is done or held.', p_stage using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.begin_stage(uuid, text, text) is
  'A stage starts, or starts again after a crash or failure; refused when it has committed, when what comes before it has not, and while processing is stopped.';

-- Definer: services may read stages and change them only here.
create or replace function public.report_stage_progress(
  p_shell_file_id uuid,
  p_stage text,
  p_pages_done int,
  p_pages_total int
) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_shell_file(p_shell_file_id);
  update public.shell_file_stages as step
  set pages_done = p_pages_done,
      pages_total = p_pages_total
  where step.shell_file_id = p_shell_file_id
    and step.stage = p_stage
    and step.status = 'running';
  if not found then
    raise exception 'Stage % is not running.', p_stage using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.report_stage_progress(uuid, text, int, int) is 'How far a running stage has come.';

-- Definer: services may read stages and change them only here.
create or replace function public.set_stage_outcome(p_shell_file_id uuid, p_stage text, p_outcome jsonb) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_shell_file(p_shell_file_id);
  update public.shell_file_stages as step
  set outcome = p_outcome
  where step.shell_file_id = p_shell_file_id
    and step.stage = p_stage
    and step.status = 'running';
  if not found then
    raise exception 'Stage % is not running.', p_stage using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.set_stage_outcome(uuid, text, jsonb) is
  'How a stage came to its end, beside its status: what a person should know, and what a scan checked with. Said before it is finished.';

create or replace function public.may_finish_stage(p_from text, p_to text) returns boolean
language sql immutable set search_path = '' as $$
  select case p_from
    when 'running' then p_to in ('completed', 'held', 'failed', 'skipped')
    when 'pending' then p_to in ('failed', 'skipped')
    else false
  end
$$;
comment on function public.may_finish_stage(text, text) is 'The arrows of the diagram at the head of 31-stages.sql.';

-- Definer: services may read stages and change them only here.
create or replace function public.finish_stage(
  p_shell_file_id uuid,
  p_stage text,
  p_status text default 'completed',
  p_error jsonb default null
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_from text;
begin
  perform public.lock_shell_file(p_shell_file_id);
  select step.status into v_from
  from public.shell_file_stages as step
  where step.shell_file_id = p_shell_file_id and step.stage = p_stage;
  if v_from = p_status then
    return;
  end if;
  if public.may_finish_stage(v_from, p_status) is not true then
    raise exception 'Stage % may not go from % to %.', p_stage, coalesce(v_from, 'nothing'), p_status
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.shell_file_stages as step
  set status = p_status,
      error = case when p_status = 'failed' then public.stage_error(p_error) end,
      repeats = false,
      finished_at = clock_timestamp()
  where step.shell_file_id = p_shell_file_id and step.stage = p_stage;
end
$$;
comment on function public.finish_stage(uuid, text, text, jsonb) is
  'A stage ends: completed, held for a person, failed with a code and a message safe to show, or skipped.';

create or replace function public.stage_error(p_error jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object(
    'code', coalesce(p_error ->> 'code', 'processing_failed'),
    'message', coalesce(p_error ->> 'message', 'This document could not be processed.')
  )
$$;
comment on function public.stage_error(jsonb) is 'Only the code and the message that may be shown; nothing else of an error is kept.';

-- Definer: runs inside the queue's functions and writes stages.
create or replace function public.fail_stage_of_ended_job() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from public.shell_file_stages as step
  join public.shell_files as file on file.id = step.shell_file_id
  where step.shell_file_id = new.shell_file_id
    and step.stage = new.job_type
    and step.status in ('pending', 'running')
    -- In the bin stages stay as they are: there the job was cancelled, and comes back with the file.
    and file.deleted_at is null;
  if found then
    perform public.finish_stage(
      new.shell_file_id,
      new.job_type,
      'failed',
      case
        when new.status = 'cancelled' and new.error_details ->> 'code' is distinct from 'processing_stopped' then
          jsonb_build_object('code', 'cancelled', 'message', 'Processing of this document was cancelled.')
        else new.error_details
      end
    );
  end if;
  return null;
end
$$;
comment on function public.fail_stage_of_ended_job() is
  'A job that gave up or was cancelled fails its stage: no file waits for ever for a job that will not run.';
drop trigger if exists fail_stage on public.job_queue;
-- Of the columns that only an end sets: a condition costs every statement that it is asked of, and claims are many.
create trigger fail_stage after update of dead_letter_at, completed_at on public.job_queue
  for each row when (
    new.status in ('dead_letter', 'cancelled')
    and old.status is distinct from new.status
    and new.shell_file_id is not null
  ) execute function public.fail_stage_of_ended_job();

create or replace function public.enqueue_stage(p_shell_file_id uuid, p_stage text) returns uuid
language plpgsql volatile set search_path = '' as $$
declare
  v_patient_id uuid := public.hold_processing_of_file(p_shell_file_id);
begin
  if not public.processing_allowed(v_patient_id) then
    return null;
  end if;
  -- Whoever asks now has started it; the queue itself would name who uploaded the file.
  return public.enqueue_job_v3(
    job_type => p_stage,
    job_name => p_stage,
    job_payload => jsonb_build_object('shell_file_id', p_shell_file_id),
    initiated_by => context.actor_id,
    correlation_id => context.correlation_id
  )
  from public.request_context() as context;
end
$$;
comment on function public.enqueue_stage(uuid, text) is
  'A job for a stage of a file, in the name of whoever acts. Null while processing is stopped: the stage waits for resume_processing.';

-- What it returns has changed since it was first installed.
do $$
begin
  if exists (select from pg_catalog.pg_proc
             where oid = to_regprocedure('public.resume_stages(uuid)') and prorettype = 'void'::regtype) then
    drop function public.resume_stages(uuid);
  end if;
end
$$;

create or replace function public.resume_stages(p_shell_file_id uuid) returns boolean
language plpgsql volatile set search_path = '' as $$
declare
  v_next public.shell_file_stages;
begin
  select * into v_next
  from public.shell_file_stages as step
  where step.shell_file_id = p_shell_file_id and step.status not in ('completed', 'skipped')
  order by step.position
  limit 1;
  -- What failed or waits for a person goes on when a person says so; what was stopped goes on by itself.
  if (v_next.status in ('pending', 'running')
      or (v_next.status = 'failed' and v_next.error ->> 'code' = 'processing_stopped')) is not true
    or exists (
      select from public.job_queue as job
      where job.shell_file_id = p_shell_file_id and job.status in ('pending', 'processing')
    ) then
    return false;
  end if;

  -- Its job is gone. While processing is stopped it waits like this for resume_processing.
  update public.shell_file_stages as step
  set status = 'pending',
      pages_done = null,
      pages_total = null,
      error = null,
      started_at = null,
      finished_at = null
  where step.shell_file_id = p_shell_file_id and step.stage = v_next.stage and step.status <> 'pending';
  return public.enqueue_stage(p_shell_file_id, v_next.stage) is not null;
end
$$;
comment on function public.resume_stages(uuid) is
  'A job for the first stage of a file that has not ended; false where there is one, where a person has to decide first, and while processing is stopped.';

revoke all on function
  public.pipeline_stages(),
  public.begin_stage(uuid, text, text),
  public.report_stage_progress(uuid, text, int, int),
  public.set_stage_outcome(uuid, text, jsonb),
  public.may_finish_stage(text, text),
  public.finish_stage(uuid, text, text, jsonb),
  public.stage_error(jsonb),
  public.fail_stage_of_ended_job(),
  public.enqueue_stage(uuid, text),
  public.resume_stages(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.pipeline_stages() to service_role;
grant execute on function public.begin_stage(uuid, text, text) to service_role;
grant execute on function public.report_stage_progress(uuid, text, int, int) to service_role;
grant execute on function public.set_stage_outcome(uuid, text, jsonb) to service_role;
grant execute on function public.finish_stage(uuid, text, text, jsonb) to service_role;

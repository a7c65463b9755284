-- How an attempt ends by itself without having come to its end: tried again, put off or a dead letter. All are fenced by
-- worker and, when it is given, by attempt token; whoever has lost the lease changes nothing. Running jobs are told as in
-- 21-queue-leases.sql: by primary key and token, never by a scan.

-- What may be kept of an error: a code, a sentence that is safe to show, a kind and a stage. Anything else might carry
-- content of a document and is refused, not dropped: the caller has a defect that should be seen.
create or replace function public.checked_job_error(p_error jsonb, p_job_type text, p_kind text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_unknown text;
begin
  if p_error is null or jsonb_typeof(p_error) <> 'object' then
    raise exception 'p_error must be a JSON object' using errcode = '22023';
  end if;
  select string_agg(given.key, ', ' order by given.key) into v_unknown
  from jsonb_each(p_error) as given (key, value)
  where given.key not in ('code', 'message', 'type', 'stage')
     or jsonb_typeof(given.value) not in ('string', 'null');
  if v_unknown is not null then
    raise exception 'p_error may have code, message, type and stage as text; not: %', v_unknown using errcode = '22023';
  end if;
  return jsonb_build_object(
    'code', left(coalesce(nullif(p_error ->> 'code', ''), 'unknown'), 100),
    'message', left(coalesce(nullif(p_error ->> 'message', ''), 'The step did not succeed.'), 500),
    'type', left(coalesce(nullif(p_error ->> 'type', ''), p_kind), 100),
    'stage', left(coalesce(nullif(p_error ->> 'stage', ''), p_job_type), 100)
  );
end
$$;
comment on function public.checked_job_error(jsonb, text, text) is
  'An error in the only shape in which it may be kept; refuses anything that could carry content.';
revoke all on function public.checked_job_error(jsonb, text, text) from public, anon, authenticated, service_role;
grant execute on function public.checked_job_error(jsonb, text, text) to service_role;

create or replace function public.record_processing_error(p_job public.job_queue, p_next_retry_at timestamptz)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  insert into public.processing_errors (
    shell_file_id, patient_id, job_id, stage, error_type, error_code, error_message, retry_count, next_retry_at
  )
  select
    file.id,
    -- Whose it is, is the file's to say. Jobs outlive their files, and some have none.
    coalesce(file.patient_id, p_job.patient_id),
    p_job.id,
    p_job.error_details ->> 'stage',
    p_job.error_details ->> 'type',
    p_job.error_details ->> 'code',
    p_job.error_details ->> 'message',
    p_job.retry_count,
    p_next_retry_at
  from (values (p_job.shell_file_id)) as failed (shell_file_id)
  left join public.shell_files as file on file.id = failed.shell_file_id;
end
$$;
comment on function public.record_processing_error(public.job_queue, timestamptz) is
  'One row per failed attempt, from the job as it is after it.';
revoke all on function public.record_processing_error(public.job_queue, timestamptz)
  from public, anon, authenticated, service_role;
grant execute on function public.record_processing_error(public.job_queue, timestamptz) to service_role;

create or replace function public.audit_job(p_job public.job_queue, p_old_status text, p_reason text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform public.log_audit_event(
    p_table_name => 'job_queue',
    p_record_id => p_job.id::text,
    p_operation => 'UPDATE',
    p_old_values => jsonb_build_object('status', p_old_status),
    p_new_values => jsonb_build_object('status', p_job.status, 'job_type', p_job.job_type),
    p_reason => p_reason,
    p_compliance_category => 'queue',
    p_patient_id => p_job.patient_id
  );
end
$$;
comment on function public.audit_job(public.job_queue, text, text) is
  'Dead letters and what operators do are audited here; the way of a stage is audited with its file.';
revoke all on function public.audit_job(public.job_queue, text, text) from public, anon, authenticated, service_role;
grant execute on function public.audit_job(public.job_queue, text, text) to service_role;

create or replace function public.bury_job(p_job_id uuid, p_error jsonb)
returns void
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_job public.job_queue;
begin
  update public.job_queue as job
  set status = 'dead_letter',
      dead_letter_at = clock_timestamp(),
      error_details = p_error,
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
    and job.attempt_token is not null
  returning job.* into v_job;
  if not found then
    return;
  end if;
  perform public.end_job_reservations(array[p_job_id]);
  perform public.record_processing_error(v_job, null);
  perform public.audit_job(v_job, 'processing', 'dead letter: ' || (p_error ->> 'code'));
end
$$;
comment on function public.bury_job(uuid, jsonb) is
  'Running to dead letter, with everything that goes with it. The caller has locked the row and decided.';
revoke all on function public.bury_job(uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.bury_job(uuid, jsonb) to service_role;

create or replace function public.fail_job(
  p_job_id uuid,
  p_worker_id text,
  p_error jsonb,
  p_retryable boolean default true,
  p_attempt_token uuid default null
)
returns text
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_job public.job_queue;
  v_error jsonb;
  v_retry_at timestamptz;
begin
  select job.* into v_job
  from public.job_queue as job
  where job.id = p_job_id
    and job.worker_id = p_worker_id
    and job.attempt_token is not null
    and (p_attempt_token is null or job.attempt_token = p_attempt_token)
  for update;
  if not found then
    return null;
  end if;

  v_error := public.checked_job_error(
    p_error, v_job.job_type, case when p_retryable then 'transient' else 'permanent' end
  );
  if not p_retryable or v_job.retry_count >= v_job.max_retries then
    perform public.bury_job(p_job_id, v_error);
    return 'dead_letter';
  end if;

  -- Full jitter below 2, 4, … 64 s: what failed together does not come back together.
  v_retry_at := clock_timestamp() + random() * make_interval(secs => power(2, least(v_job.retry_count + 1, 6)));
  update public.job_queue as job
  set status = 'pending',
      retry_count = job.retry_count + 1,
      scheduled_at = v_retry_at,
      error_details = v_error,
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
  returning job.* into v_job;
  perform public.end_job_reservations(array[p_job_id]);
  perform public.record_processing_error(v_job, v_retry_at);
  return 'pending';
end
$$;
comment on function public.fail_job(uuid, text, jsonb, boolean, uuid) is
  'Ends an attempt badly: pending again after a random wait, or dead_letter. Null and no effect when the lease was lost.';
revoke all on function public.fail_job(uuid, text, jsonb, boolean, uuid) from public, anon, authenticated, service_role;
grant execute on function public.fail_job(uuid, text, jsonb, boolean, uuid) to service_role;

create or replace function public.reschedule_job(
  p_job_id uuid,
  p_worker_id text,
  p_delay_seconds numeric,
  p_reason text,
  p_attempt_token uuid default null
)
returns boolean
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_job public.job_queue;
  v_max_deferrals int;
begin
  select job.* into v_job
  from public.job_queue as job
  where job.id = p_job_id
    and job.worker_id = p_worker_id
    and job.attempt_token is not null
    and (p_attempt_token is null or job.attempt_token = p_attempt_token)
  for update;
  if not found then
    return false;
  end if;

  v_max_deferrals := coalesce(
    (
      select (setting.config_value #>> '{}')::int
      from public.system_configuration as setting
      where setting.config_key = 'queue.max_deferrals'
    ),
    500
  );
  if v_job.defer_count >= v_max_deferrals and p_reason is distinct from 'budget_spent' then
    perform public.bury_job(p_job_id, jsonb_build_object(
      'code', 'deferred_too_often',
      'message', 'The service that this step needs had no room for too long.',
      'type', left(coalesce(p_reason, 'no_capacity'), 100),
      'stage', v_job.job_type
    ));
    return true;
  end if;

  update public.job_queue as job
  set status = 'pending',
      -- Waiting for tomorrow's budget is no loop, however long it takes.
      defer_count = job.defer_count + case when p_reason = 'budget_spent' then 0 else 1 end,
      scheduled_at = now() + make_interval(secs => greatest(p_delay_seconds, 0)::double precision),
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id;
  perform public.end_job_reservations(array[p_job_id]);
  if p_delay_seconds <= 0 then
    perform pg_notify('exora_jobs', v_job.job_lane);
  end if;
  return true;
end
$$;
comment on function public.reschedule_job(uuid, text, numeric, text, uuid) is
  'Puts a job off because there is no capacity: no retry is spent, but deferrals are counted and bounded. False when the lease was lost.';
revoke all on function public.reschedule_job(uuid, text, numeric, text, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.reschedule_job(uuid, text, numeric, text, uuid) to service_role;

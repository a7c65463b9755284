-- What operators do to jobs, the registry of workers, and retention. Recurring work is in 28-schedules.sql.

create or replace function public.require_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if public.acting_as_service() then
    return;
  end if;
  if not exists (
    select
    from public.account_roles as held
    where held.account_id = auth.uid()
      and held.role = 'operator'
  ) then
    raise exception 'only operators may do this' using errcode = '42501';
  end if;
end
$$;
comment on function public.require_operator() is 'Raises unless the caller is an operator or the service itself.';
revoke all on function public.require_operator() from public, anon, authenticated, service_role;

-- Security definer: operators are ordinary accounts, to whom the queue's table is closed.
create or replace function public.requeue_dead_letter(p_job_id uuid)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_job public.job_queue;
begin
  perform public.require_operator();
  select job.* into v_job from public.job_queue as job where job.id = p_job_id;
  if v_job.patient_id is not null and v_job.job_type = any (public.pipeline_stages()) then
    perform public.require_processing_allowed(v_job.patient_id);
  end if;
  update public.job_queue as job
  set status = 'pending',
      retry_count = 0,
      defer_count = 0,
      replay_count = job.replay_count + 1,
      scheduled_at = now(),
      -- A new place in the line (promote_due_jobs): its old one is before everybody who came since.
      fair_turn = null,
      dead_letter_at = null
  where job.id = p_job_id
    and job.status = 'dead_letter'
  returning job.* into v_job;
  if not found then
    return false;
  end if;
  perform pg_notify('exora_jobs', v_job.job_lane);
  perform public.audit_job(v_job, 'dead_letter', 'requeued by an operator');
  return true;
end
$$;
comment on function public.requeue_dead_letter(uuid) is
  'Gives a dead letter all its retries again. Operators only; audited. False when it is not a dead letter; 55000 while processing is stopped for its patient.';
revoke all on function public.requeue_dead_letter(uuid) from public, anon, authenticated, service_role;
grant execute on function public.requeue_dead_letter(uuid) to authenticated, service_role;

create or replace function public.live_jobs_of(p_patient_ids uuid[])
returns setof public.job_queue
language sql
stable
set search_path = ''
as $$
  -- Two questions, as those that run are not in the index by patient; they are few.
  select job.*
  from public.job_queue as job
  where job.status = 'pending'
    and job.patient_id = any (p_patient_ids)
  union all
  select job.*
  from public.job_queue as job
  where job.status = 'processing'
    and job.patient_id = any (p_patient_ids)
$$;
comment on function public.live_jobs_of(uuid[]) is 'Jobs of these people that wait or run.';
revoke all on function public.live_jobs_of(uuid[]) from public, anon, authenticated, service_role;

create or replace function public.take_job_out(p_job_id uuid, p_from text[], p_error jsonb, p_reason text)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_old_status text;
begin
  select job.status into v_old_status
  from public.job_queue as job
  where job.id = p_job_id
    and job.status = any (p_from)
  for update;
  if not found then
    return false;
  end if;
  update public.job_queue as job
  set status = 'cancelled',
      completed_at = clock_timestamp(),
      error_details = coalesce(p_error, job.error_details),
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
  returning job.* into v_job;
  if v_old_status = 'processing' then
    -- A call that it makes goes on until its worker has heard: its room is free when the call is over, or with its lease.
    perform pg_notify('exora_jobs_cancelled', p_job_id::text);
  end if;
  perform public.audit_job(v_job, v_old_status, p_reason);
  return true;
end
$$;
comment on function public.take_job_out(uuid, text[], jsonb, text) is
  'To cancelled, with everything that goes with it. A running job loses its lease: its worker writes nothing any more, hears of it on exora_jobs_cancelled and aborts it.';
revoke all on function public.take_job_out(uuid, text[], jsonb, text) from public, anon, authenticated, service_role;
grant execute on function public.take_job_out(uuid, text[], jsonb, text) to service_role;

-- Security definer: operators are ordinary accounts, to whom the queue's table is closed.
create or replace function public.cancel_job(p_job_id uuid)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  return public.take_job_out(
    p_job_id, array['pending', 'processing', 'dead_letter'], null, 'cancelled by an operator'
  );
end
$$;
comment on function public.cancel_job(uuid) is
  'Takes a job that has not ended out of the queue; one that runs is aborted. Operators only; audited. False when it has ended.';
revoke all on function public.cancel_job(uuid) from public, anon, authenticated, service_role;
grant execute on function public.cancel_job(uuid) to authenticated, service_role;

create or replace function public.stop_job(p_job_id uuid)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select public.take_job_out(
    p_job_id,
    array['pending', 'processing'],
    jsonb_build_object(
      'code', 'processing_stopped',
      'message', 'Processing is stopped. It goes on as soon as it is allowed again.',
      'type', 'stopped'
    ),
    'processing stopped'
  )
$$;
comment on function public.stop_job(uuid) is
  'Cancels a job because the patient''s data may not be processed any more; its stage says so and can be resumed.';
revoke all on function public.stop_job(uuid) from public, anon, authenticated, service_role;
grant execute on function public.stop_job(uuid) to service_role;

drop function if exists public.register_worker(text, text, int, text[], int, text, boolean);
create or replace function public.register_worker(
  p_worker_id text,
  p_host text,
  p_pid int,
  p_lanes text[],
  p_concurrency int,
  p_version text,
  p_is_stopping boolean default false,
  p_job_types text[] default null
)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.workers as worker (id, host, pid, lanes, job_types, concurrency, version, is_stopping)
  values (p_worker_id, p_host, p_pid, p_lanes, p_job_types, p_concurrency, p_version, p_is_stopping)
  on conflict (id) do update
  set lanes = excluded.lanes,
      job_types = excluded.job_types,
      concurrency = excluded.concurrency,
      is_stopping = excluded.is_stopping,
      last_seen_at = now()
$$;
comment on function public.register_worker(text, text, int, text[], int, text, boolean, text[]) is
  'Says that a worker process is there, what it serves, how much it runs at once and whether it is about to stop.';
revoke all on function public.register_worker(text, text, int, text[], int, text, boolean, text[])
  from public, anon, authenticated, service_role;
grant execute on function public.register_worker(text, text, int, text[], int, text, boolean, text[]) to service_role;

create or replace function public.worker_goodbye(p_worker_id text)
returns void
language sql
volatile
set search_path = ''
as $$
  -- A handler may not have heeded that it was to end; its call ends with the process.
  update public.api_capacity_reservations as held
  set released_at = clock_timestamp()
  where held.worker_id = p_worker_id
    and held.released_at is null;
  delete from public.workers as worker where worker.id = p_worker_id
$$;
comment on function public.worker_goodbye(text) is
  'Takes a worker that has stopped out of the registry, and ends whatever calls it still had.';
revoke all on function public.worker_goodbye(text) from public, anon, authenticated, service_role;
grant execute on function public.worker_goodbye(text) to service_role;

-- Both take their days from retention_rules (62-retention.sql); being asked for another time is for tests and emergencies.
create or replace function public.delete_finished_jobs(p_older_than interval default null, p_limit int default 1000)
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_deleted int;
begin
  with finished as materialized (
    select job.id
    from public.job_queue as job
    where job.status in ('completed', 'cancelled')
      and job.completed_at < now() - coalesce(p_older_than, public.retention_period('job_queue'))
    order by job.completed_at
    limit p_limit
    for update skip locked
  )
  delete from public.job_queue as job
  using finished
  where job.id = finished.id;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function public.delete_finished_jobs(interval, int) is
  'Retention: completed and cancelled jobs leave in small batches; dead letters stay until somebody decides.';
revoke all on function public.delete_finished_jobs(interval, int) from public, anon, authenticated, service_role;
grant execute on function public.delete_finished_jobs(interval, int) to service_role;

create or replace function public.forget_silent_workers(p_older_than interval default null)
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_deleted int;
begin
  delete from public.workers as worker
  where worker.last_seen_at < now() - coalesce(p_older_than, public.retention_period('workers'));
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function public.forget_silent_workers(interval) is
  'Removes workers that died long ago; their jobs were rescued by lease, which does not need this table.';
revoke all on function public.forget_silent_workers(interval) from public, anon, authenticated, service_role;
grant execute on function public.forget_silent_workers(interval) to service_role;

-- Who has a job: held by heartbeat, handed back by a worker that stops, taken back from one that died.

create or replace function public.hold_lease(p_job_id uuid, p_attempt_token uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_patient_id uuid;
begin
  -- First, since whoever changes what is allowed takes the jobs after it: the other way round the two would wait for
  -- each other.
  select job.patient_id into v_patient_id from public.job_queue as job where job.id = p_job_id;
  if v_patient_id is not null then
    perform public.hold_processing_permission(v_patient_id);
  end if;
  -- Until this transaction ends nobody can take the job away: rescuers skip locked rows.
  perform 1
  from public.job_queue as job
  where job.id = p_job_id
    and job.attempt_token = p_attempt_token
    and job.status = 'processing'
  for share;
  return found;
end
$$;
comment on function public.hold_lease(uuid, uuid) is
  'Keeps an attempt''s lease, and what is allowed with its patient''s data, for the rest of the transaction; false when it has been lost.';
revoke all on function public.hold_lease(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.hold_lease(uuid, uuid) to service_role;

create or replace function public.update_job_heartbeats(
  p_worker_id text,
  p_job_ids uuid[],
  p_lease_seconds numeric default 30
)
returns setof uuid
language plpgsql
volatile
set search_path = ''
as $$
begin
  update public.workers as worker
  set last_seen_at = clock_timestamp(),
      running = cardinality(p_job_ids)
  where worker.id = p_worker_id;

  -- A job whose row is locked is being written by its own attempt (see hold_lease): waiting for it would let the
  -- leases of all the others run out.
  with mine as materialized (
    select job.id
    from public.job_queue as job
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.status = 'processing'
    order by job.id
    for no key update skip locked
  )
  update public.job_queue as job
  set heartbeat_at = clock_timestamp(),
      lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds::double precision)
  from mine
  where job.id = mine.id;

  update public.api_capacity_reservations as reservation
  set expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds::double precision)
  where reservation.job_id = any (p_job_ids)
    and reservation.worker_id = p_worker_id
    and reservation.released_at is null;

  return query
  select job.id
  from public.job_queue as job
  where job.id = any (p_job_ids)
    and job.worker_id = p_worker_id
    and job.status = 'processing';
end
$$;
comment on function public.update_job_heartbeats(text, uuid[], numeric) is
  'Extends the leases of a worker''s jobs and shows that it is alive; returns the jobs that it still holds.';
revoke all on function public.update_job_heartbeats(text, uuid[], numeric)
  from public, anon, authenticated, service_role;
grant execute on function public.update_job_heartbeats(text, uuid[], numeric) to service_role;

create or replace function public.update_job_heartbeat(
  p_job_id uuid,
  p_worker_id text,
  p_lease_seconds numeric default 30
)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select exists (
    select from public.update_job_heartbeats(p_worker_id, array[p_job_id], p_lease_seconds)
  )
$$;
comment on function public.update_job_heartbeat(uuid, text, numeric) is
  'Extends one lease; false when it has been lost.';
revoke all on function public.update_job_heartbeat(uuid, text, numeric) from public, anon, authenticated, service_role;
grant execute on function public.update_job_heartbeat(uuid, text, numeric) to service_role;

create or replace function public.hand_back_jobs(p_worker_id text, p_job_ids uuid[])
returns setof uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_lanes text[];
begin
  with given_back as (
    update public.job_queue as job
    set status = 'pending',
        scheduled_at = least(job.scheduled_at, now()),
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.status = 'processing'
    returning job.id, job.job_lane
  )
  select coalesce(array_agg(given_back.id), '{}'), array_agg(distinct given_back.job_lane)
  into v_ids, v_lanes
  from given_back;

  perform public.end_job_reservations(v_ids);
  perform pg_notify('exora_jobs', lane.name) from unnest(v_lanes) as lane (name);
  return query select unnest(v_ids);
end
$$;
comment on function public.hand_back_jobs(text, uuid[]) is
  'A worker that stops returns what it could not finish, at once and without spending a retry.';
revoke all on function public.hand_back_jobs(text, uuid[]) from public, anon, authenticated, service_role;
grant execute on function public.hand_back_jobs(text, uuid[]) to service_role;

create or replace function public.rescue_stale_jobs(p_limit int default 500)
returns table (rescued int, dead_lettered int)
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_error constant jsonb := jsonb_build_object(
    'code', 'worker_lost',
    'message', 'The machine that did this step went away.',
    'type', 'transient'
  );
begin
  rescued := 0;
  dead_lettered := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('exora:rescue_stale_jobs', 0)) then
    return next;
    return;
  end if;

  for v_job in
    select job.*
    from public.job_queue as job
    where job.status = 'processing'
      and job.lease_expires_at < clock_timestamp()
    order by job.lease_expires_at
    limit p_limit
    for update skip locked
  loop
    if v_job.retry_count >= v_job.max_retries then
      perform public.bury_job(v_job.id, v_error || jsonb_build_object('stage', v_job.job_type));
      dead_lettered := dead_lettered + 1;
    else
      -- At once: the lease that had to run out was wait enough.
      update public.job_queue as job
      set status = 'pending',
          retry_count = job.retry_count + 1,
          -- `now()`, not the clock: due also within this transaction.
          scheduled_at = now(),
          error_details = v_error || jsonb_build_object('stage', job.job_type),
          worker_id = null,
          attempt_token = null,
          lease_expires_at = null
      where job.id = v_job.id
      returning job.* into v_job;
      perform public.end_job_reservations(array[v_job.id]);
      perform public.record_processing_error(v_job, v_job.scheduled_at);
      perform pg_notify('exora_jobs', v_job.job_lane);
      rescued := rescued + 1;
    end if;
  end loop;
  return next;
end
$$;
comment on function public.rescue_stale_jobs(int) is
  'Jobs whose lease ran out go back to pending, or to dead letter when no retry is left. Any worker may call it; only one does the work.';
revoke all on function public.rescue_stale_jobs(int) from public, anon, authenticated, service_role;
grant execute on function public.rescue_stale_jobs(int) to service_role;

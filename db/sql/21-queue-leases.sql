-- Who has a job: held by heartbeat, handed back by a worker that stops, taken back from one that died.
-- Running jobs are found by primary key and told by the columns that only they have. `status = 'processing'` in such a
-- statement would let the planner walk the lease index, which it believes to be nearly empty; a sequential scan is
-- forbidden because the plan of a session that began with an empty queue is kept for a full one.

create or replace function public.hold_lease(p_job_id uuid, p_attempt_token uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
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
  -- Until this transaction ends nobody can take the job away: rescuers skip it, and who cancels it or hands it back
  -- waits. `key share` lets heartbeats through, or the lease would run out during a long transaction.
  perform 1
  from public.job_queue as job
  where job.id = p_job_id
    and job.attempt_token = p_attempt_token
  for key share;
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
set enable_seqscan = off
as $$
declare
  -- For what comes after an attempt's time is over: its handler winds down, and how it ended is written.
  v_grace constant interval := interval '30 seconds';
begin
  update public.workers as worker
  set last_seen_at = clock_timestamp(),
      running = cardinality(p_job_ids)
  where worker.id = p_worker_id;

  -- A row that is locked is just being completed or cancelled: waiting for it would let the leases of all the others
  -- run out. A process whose main thread hangs for ever goes on beating, so no lease outlives its attempt's time.
  with mine as materialized (
    select job.id
    from public.job_queue as job
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.attempt_token is not null
    order by job.id
    for no key update skip locked
  ),
  extended as (
    update public.job_queue as job
    set heartbeat_at = clock_timestamp(),
        lease_expires_at = least(
          clock_timestamp() + make_interval(secs => p_lease_seconds::double precision),
          job.started_at + v_grace + make_interval(
            secs => (select known.timeout_seconds from public.job_types as known where known.job_type = job.job_type)
          )
        )
    where job.id = any (array(select mine.id from mine))
    returning job.id, job.lease_expires_at
  )
  update public.api_capacity_reservations as reservation
  set expires_at = extended.lease_expires_at
  from extended
  where reservation.job_id = extended.id
    and reservation.worker_id = p_worker_id
    and reservation.released_at is null;

  return query
  select job.id
  from public.job_queue as job
  where job.id = any (p_job_ids)
    and job.worker_id = p_worker_id
    and job.attempt_token is not null;
end
$$;
comment on function public.update_job_heartbeats(text, uuid[], numeric) is
  'Extends the leases of a worker''s jobs, never beyond the time that an attempt may take, and shows that the worker is alive; returns the jobs that it still holds.';
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
set enable_seqscan = off
as $$
declare
  v_ids uuid[];
  v_lanes text[];
begin
  -- `for update` waits for an attempt that is just writing (see hold_lease).
  with held as materialized (
    select job.id
    from public.job_queue as job
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.attempt_token is not null
    order by job.id
    for update
  ),
  given_back as (
    update public.job_queue as job
    set status = 'pending',
        scheduled_at = least(job.scheduled_at, now()),
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    where job.id = any (array(select held.id from held))
    returning job.id, job.job_lane
  )
  select coalesce(array_agg(given_back.id), '{}'), array_agg(distinct given_back.job_lane)
  into v_ids, v_lanes
  from given_back;

  -- Calls that they still make are ended next, by their worker, and their reservations with them.
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
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
  -- Asked once: only then does the scan of the lease index stop there, instead of looking at every running job.
  v_now constant timestamptz := clock_timestamp();
  v_error constant jsonb := jsonb_build_object(
    'code', 'worker_lost',
    'message', 'The machine that did this step went away.',
    'type', 'transient'
  );
  v_stale uuid[];
  v_worn_out public.job_queue[];
  v_lanes text[] := '{}';
  v_job public.job_queue;
begin
  rescued := 0;
  dead_lettered := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('exora:rescue_stale_jobs', 0)) then
    return next;
    return;
  end if;

  -- Whoever has been held, written or taken over meanwhile is locked or no longer fits; what is found here is ours
  -- until the end of the transaction.
  select
    array_agg(stale.id) filter (where stale.retry_count < stale.max_retries),
    array_agg(stale.job) filter (where stale.retry_count >= stale.max_retries)
  into v_stale, v_worn_out
  from (
    select job.id, job.retry_count, job.max_retries, job
    from public.job_queue as job
    where job.status = 'processing'
      and job.lease_expires_at < v_now
    order by job.lease_expires_at
    limit p_limit
    for update skip locked
  ) as stale;

  for v_job in
    update public.job_queue as job
    set status = 'pending',
        retry_count = job.retry_count + 1,
        -- At once: the lease that had to run out was wait enough. `now()`, not the clock: due also within this
        -- transaction. But what has lost three workers may have killed them: it comes back at another time than what
        -- died with it, which can end meanwhile.
        scheduled_at = now() + case
          when job.retry_count < 2 then interval '0'
          else random() * make_interval(secs => power(2, least(job.retry_count, 6)))
        end,
        error_details = v_error || jsonb_build_object('stage', job.job_type),
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    where job.id = any (v_stale)
      and job.attempt_token is not null
    returning job.*
  loop
    perform public.record_processing_error(v_job, v_job.scheduled_at);
    rescued := rescued + 1;
    if v_job.job_lane <> all (v_lanes) then
      v_lanes := v_lanes || v_job.job_lane;
    end if;
  end loop;
  perform public.end_job_reservations(v_stale);
  perform pg_notify('exora_jobs', lane.name) from unnest(v_lanes) as lane (name);

  foreach v_job in array coalesce(v_worn_out, '{}')
  loop
    perform public.bury_job(v_job.id, v_error || jsonb_build_object('stage', v_job.job_type));
    dead_lettered := dead_lettered + 1;
  end loop;
  return next;
end
$$;
comment on function public.rescue_stale_jobs(int) is
  'Up to p_limit jobs whose lease ran out go back to pending, or to dead letter when no retry is left; whoever got as many asks again. Any worker may call it; only one does the work.';
revoke all on function public.rescue_stale_jobs(int) from public, anon, authenticated, service_role;
grant execute on function public.rescue_stale_jobs(int) to service_role;

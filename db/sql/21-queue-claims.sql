-- How jobs come to workers: those that were scheduled get a place in the line when they are due, and the head of the
-- line goes to whoever asks.

create or replace function public.promote_due_jobs(p_job_lanes text[], p_limit int default 1000)
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_promoted int;
begin
  -- Not before what is being served now, and not all of one person's before everybody else's.
  with due as materialized (
    select later.id, later.job_lane, later.priority, later.patient_id, later.scheduled_at
    from unnest(p_job_lanes) as served (lane)
    cross join lateral (
      select job.id, job.job_lane, job.priority, job.patient_id, job.scheduled_at
      from public.job_queue as job
      where job.status = 'pending'
        and job.fair_turn is null
        and job.job_lane = served.lane
        and job.scheduled_at <= now()
      order by job.scheduled_at
      limit p_limit
      for no key update skip locked
    ) as later
  ),
  heads as materialized (
    select
      line.job_lane,
      line.priority,
      coalesce(
        (
          select head.fair_turn
          from public.job_queue as head
          where head.job_lane = line.job_lane
            and head.priority = line.priority
            and head.status = 'pending'
            and head.fair_turn is not null
          order by head.fair_turn
          limit 1
        ),
        0
      ) as fair_turn
    from (select distinct due.job_lane, due.priority from due) as line
  ),
  placed as (
    select
      due.id,
      heads.fair_turn - 1 + row_number() over (
        partition by due.job_lane, due.priority, coalesce(due.patient_id, due.id)
        order by due.scheduled_at, due.id
      ) as fair_turn
    from due
    join heads on heads.job_lane = due.job_lane and heads.priority = due.priority
  )
  update public.job_queue as job
  set fair_turn = placed.fair_turn
  from placed
  where job.id = placed.id
    -- Says the same again, so that the primary key is asked for these rows alone whatever the plan is.
    and job.id = any (array(select placed.id from placed));
  get diagnostics v_promoted = row_count;
  return v_promoted;
end
$$;
comment on function public.promote_due_jobs(text[], int) is
  'Gives jobs that were scheduled and are due now their place in the line, oldest first; how many.';
revoke all on function public.promote_due_jobs(text[], int) from public, anon, authenticated, service_role;
grant execute on function public.promote_due_jobs(text[], int) to service_role;

drop function if exists public.claim_next_job_v3(text, text[], text[], int, numeric);

-- One ordered index scan per lane, stopped at the limit: neither finished jobs nor a long queue nor what is scheduled
-- for later cost anything. The planner's other ideas (bitmap, sort, hash) win on a small table and would be kept for a
-- large one, so they are forbidden, and the plan is made once per session.
-- What does cost is a transaction somewhere that keeps an old snapshot: until it ends nothing can be cleaned up, and a
-- scan from the beginning walks past every job claimed since. `start_places` says where to begin instead.
create or replace function public.claim_next_job_v3(
  worker_id text,
  job_types text[] default null,
  job_lanes text[] default null,
  max_jobs int default 1,
  lease_seconds numeric default 30,
  start_places jsonb default null
)
returns setof public.job_queue
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_lanes constant text[] := coalesce(claim_next_job_v3.job_lanes, array['fast_queue', 'ai_queue', 'background']);
  v_ids uuid[];
begin
  if exists (
    select
    from public.job_queue as later
    where later.status = 'pending'
      and later.fair_turn is null
      and later.job_lane = any (v_lanes)
      and later.scheduled_at <= now()
  ) then
    perform public.promote_due_jobs(v_lanes);
  end if;

  if claim_next_job_v3.start_places is null then
    v_ids := array(
      select first_due.id
      from unnest(v_lanes) as served (lane)
      cross join lateral (
        select waiting.id, waiting.priority, waiting.fair_turn, waiting.scheduled_at
        from public.job_queue as waiting
        where waiting.status = 'pending'
          and waiting.fair_turn is not null
          and waiting.job_lane = served.lane
          and waiting.scheduled_at <= now()
          and (claim_next_job_v3.job_types is null or waiting.job_type = any (claim_next_job_v3.job_types))
        order by waiting.priority desc, waiting.fair_turn, waiting.scheduled_at, waiting.id
        limit claim_next_job_v3.max_jobs
        for update skip locked
      ) as first_due
      -- Nothing of what operators have paused, but for housekeeping, which seals the audit and raises the alarms: asked
      -- once a lane, before anything of it is looked at (3 µs each).
      where (select known.paused_at from public.job_lanes as known where known.job_lane = served.lane) is null
         or claim_next_job_v3.job_types = array['run_schedule']
      order by first_due.priority desc, first_due.fair_turn, first_due.scheduled_at, first_due.id
      limit claim_next_job_v3.max_jobs
    );
  else
    v_ids := array(
      select first_due.id
      from jsonb_to_recordset(claim_next_job_v3.start_places)
        as place (lane text, priority int, turn int, due_at timestamptz)
      cross join lateral (
        select waiting.id, waiting.priority, waiting.fair_turn, waiting.scheduled_at
        from public.job_queue as waiting
        where waiting.status = 'pending'
          and waiting.fair_turn is not null
          and waiting.job_lane = place.lane
          and waiting.priority = place.priority
          and (waiting.fair_turn, waiting.scheduled_at) >= (place.turn, place.due_at)
          and waiting.scheduled_at <= now()
          and (claim_next_job_v3.job_types is null or waiting.job_type = any (claim_next_job_v3.job_types))
        order by waiting.priority desc, waiting.fair_turn, waiting.scheduled_at, waiting.id
        limit claim_next_job_v3.max_jobs
        for update skip locked
      ) as first_due
      where place.lane = any (v_lanes)
        and (
          (select known.paused_at from public.job_lanes as known where known.job_lane = place.lane) is null
          or claim_next_job_v3.job_types = array['run_schedule']
        )
      order by first_due.priority desc, first_due.fair_turn, first_due.scheduled_at, first_due.id
      limit claim_next_job_v3.max_jobs
    );
  end if;
  if v_ids = '{}' then
    return;
  end if;

  -- Twice the same update: to put one job in order would cost a tenth of its claim.
  if cardinality(v_ids) = 1 then
    return query
    update public.job_queue as job
    set status = 'processing',
        worker_id = claim_next_job_v3.worker_id,
        attempt_token = gen_random_uuid(),
        started_at = now(),
        heartbeat_at = now(),
        lease_expires_at = now() + make_interval(secs => claim_next_job_v3.lease_seconds::double precision)
    where job.id = v_ids[1]
    returning job.*;
    return;
  end if;

  return query
  with claimed as (
    update public.job_queue as job
    set status = 'processing',
        worker_id = claim_next_job_v3.worker_id,
        attempt_token = gen_random_uuid(),
        started_at = now(),
        heartbeat_at = now(),
        lease_expires_at = now() + make_interval(secs => claim_next_job_v3.lease_seconds::double precision)
    -- Not as a join, for which a session that began with a small queue scans the whole primary key of a large one.
    where job.id = any (v_ids)
    returning job.*
  )
  select claimed.*
  from claimed
  order by claimed.priority desc, claimed.fair_turn, claimed.scheduled_at, claimed.id;
end
$$;
comment on function public.claim_next_job_v3(text, text[], text[], int, numeric, jsonb) is
  'Takes up to max_jobs due jobs: highest priority, then fair between patients, then age. Rows that others hold are skipped, not waited for. With start_places ([{lane, priority, turn, due_at}]) it looks only there and behind.';
revoke all on function public.claim_next_job_v3(text, text[], text[], int, numeric, jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.claim_next_job_v3(text, text[], text[], int, numeric, jsonb) to service_role;

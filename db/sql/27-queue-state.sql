-- The queue at this moment, for metrics and service levels: how many jobs live, how long they have waited, who serves them.
-- Nothing here reads finished history.

-- The head of each line is what is claimed next: how long it has been due is how long the line makes wait. Thirty looks
-- at the first entry of an index, whatever the number of jobs.
create or replace function public.queue_heads()
returns table (job_lane text, waited_seconds numeric)
language sql
stable
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  select
    lane.name,
    coalesce(greatest(max(extract(epoch from clock_timestamp() - head.scheduled_at)), 0), 0)
  from unnest(array['fast_queue', 'ai_queue', 'background']) as lane (name)
  cross join lateral (
    select placed.scheduled_at
    from generate_series(1, 10) as level (priority)
    cross join lateral (
      select job.scheduled_at
      from public.job_queue as job
      where job.status = 'pending'
        and job.fair_turn is not null
        and job.job_lane = lane.name
        and job.priority = level.priority
        and job.scheduled_at <= clock_timestamp()
      order by job.fair_turn, job.scheduled_at, job.id
      limit 1
    ) as placed
    union all
    -- Due, but nobody has come to give it its place.
    (
      select job.scheduled_at
      from public.job_queue as job
      where job.status = 'pending'
        and job.fair_turn is null
        and job.job_lane = lane.name
        and job.scheduled_at <= clock_timestamp()
      order by job.scheduled_at
      limit 1
    )
    union all
    select clock_timestamp()
  ) as head
  group by lane.name
$$;
comment on function public.queue_heads() is
  'For each lane, how long the longest waiting of the next jobs (one for each priority) has been due.';

-- Counting stops at p_at_most for each lane, so that a queue of millions costs no more than one of thousands. Only partial
-- indexes are read: whatever the planner believes of the table, finished jobs are not counted past.
create or replace function public.queue_counts(p_at_most int default 20000)
returns table (job_lane text, job_state text, jobs int)
language sql
stable
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
as $$
  select live.job_lane, live.job_state, count(*)::int
  from (
    select lane.name as job_lane, waiting.job_state
    from unnest(array['fast_queue', 'ai_queue', 'background']) as lane (name)
    cross join lateral (
      (
        select case when job.scheduled_at <= now() then 'due' else 'scheduled' end as job_state
        from public.job_queue as job
        where job.status = 'pending'
          and job.fair_turn is not null
          and job.job_lane = lane.name
        limit p_at_most
      )
      union all
      (
        select case when job.scheduled_at <= now() then 'due' else 'scheduled' end
        from public.job_queue as job
        where job.status = 'pending'
          and job.fair_turn is null
          and job.job_lane = lane.name
        order by job.scheduled_at
        limit p_at_most
      )
    ) as waiting
    union all
    (
      select job.job_lane, 'processing'
      from public.job_queue as job
      where job.status = 'processing'
      limit p_at_most
    )
    union all
    (
      select job.job_lane, 'dead_letter'
      from public.job_queue as job
      where job.status = 'dead_letter'
      limit p_at_most
    )
  ) as live
  group by live.job_lane, live.job_state
$$;
comment on function public.queue_counts(int) is
  'Jobs that have not ended well, by lane and state (due, scheduled, processing, dead_letter), for metrics. Counts no further than p_at_most.';

create or replace function public.queue_unserved()
returns table (job_lane text, job_types int)
language plpgsql
stable
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
declare
  v_silent_after constant interval :=
    make_interval(secs => public.configured_number('slo.silent_after_seconds', 90)::double precision);
begin
  return query
  with unserved as materialized (
    select known.job_lane, known.job_type
    from public.job_types as known
    where not exists (
      select
      from public.workers as worker
      where worker.last_seen_at > clock_timestamp() - v_silent_after
        and not worker.is_stopping
        and known.job_lane = any (worker.lanes)
        and (worker.job_types is null or known.job_type = any (worker.job_types))
    )
  ),
  -- Where a lane has no worker at all, the first jobs of its line are some of those. Where only a kind of job has none,
  -- they have gathered at the head of the line, since everything else is claimed from among them.
  waiting as (
    select distinct unserved.job_lane, head.job_type
    from (select distinct every.job_lane from unserved as every) as unserved
    cross join lateral (
      (
        select job.job_type
        from public.job_queue as job
        where job.status = 'pending'
          and job.fair_turn is not null
          and job.job_lane = unserved.job_lane
          and job.scheduled_at <= clock_timestamp()
        order by job.priority desc, job.fair_turn, job.scheduled_at, job.id
        limit 1000
      )
      union all
      (
        select job.job_type
        from public.job_queue as job
        where job.status = 'pending'
          and job.fair_turn is null
          and job.job_lane = unserved.job_lane
          and job.scheduled_at <= clock_timestamp()
        order by job.scheduled_at
        limit 1000
      )
    ) as head
  )
  select unserved.job_lane, count(*)::int
  from unserved
  join waiting on waiting.job_lane = unserved.job_lane and waiting.job_type = unserved.job_type
  group by unserved.job_lane;
end
$$;
comment on function public.queue_unserved() is
  'Lanes with due jobs of kinds that no living worker serves, and how many kinds those are.';

-- Of backends PostgreSQL shows everybody since when they hold vacuum back (backend_xmin), and only the privileged since what
-- time and with which statement: hence transactions, not minutes.
create or replace function public.oldest_snapshot_age()
returns int
language sql
stable
set search_path = ''
as $$
  select coalesce(max(held.age), 0)
  from (
    select age(activity.backend_xmin) as age
    from pg_catalog.pg_stat_activity as activity
    where activity.backend_xmin is not null
      and activity.pid <> pg_backend_pid()
      and (activity.datid is null or activity.datname = current_database())
    union all
    select age(prepared.transaction)
    from pg_catalog.pg_prepared_xacts as prepared
    where prepared.database = current_database()
    union all
    select age(slot.xmin)
    from pg_catalog.pg_replication_slots as slot
    where slot.xmin is not null
  ) as held
$$;
comment on function public.oldest_snapshot_age() is
  'How many transactions ago the oldest snapshot was taken that keeps vacuum from removing dead rows.';

create or replace function public.silent_workers()
returns int
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select count(*)
    from public.workers as worker
    where worker.last_seen_at < clock_timestamp()
        - make_interval(secs => public.configured_number('slo.silent_after_seconds', 90)::double precision)
      and worker.last_seen_at > clock_timestamp()
        - make_interval(mins => public.configured_number('slo.silent_news_minutes', 15)::int)
  );
end
$$;
comment on function public.silent_workers() is 'Workers that fell silent a short while ago, without having said goodbye.';

revoke all on function
  public.queue_heads(),
  public.queue_counts(int),
  public.queue_unserved(),
  public.oldest_snapshot_age(),
  public.silent_workers()
from public, anon, authenticated, service_role;

grant execute on function public.queue_heads() to service_role;
grant execute on function public.queue_counts(int) to service_role;
grant execute on function public.queue_unserved() to service_role;
grant execute on function public.oldest_snapshot_age() to service_role;
grant execute on function public.silent_workers() to service_role;

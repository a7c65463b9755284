-- What operators see of the queue, and how they replay what has died of one cause. Ids, codes and counts alone.
-- All of it is security definer, because operators are ordinary accounts, to whom these tables are closed; each function
-- asks for an operator first.

-- Security definer: see the head of this file.
create or replace function public.queue_stats(p_silent_after interval default interval '30 seconds')
returns table (
  job_lane text,
  due bigint,
  scheduled bigint,
  retrying bigint,
  running bigint,
  dead bigint,
  oldest_due_seconds double precision,
  done_in_5_minutes bigint,
  done_in_hour bigint,
  workers bigint,
  paused_seconds double precision,
  pause_reason text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
#variable_conflict use_column
begin
  perform public.require_operator();
  return query
  with pending as (
    select
      job.job_lane,
      count(*) filter (where job.scheduled_at <= now()) as due,
      count(*) filter (where job.scheduled_at > now()) as scheduled,
      count(*) filter (where job.retry_count > 0) as retrying,
      min(job.scheduled_at) filter (where job.scheduled_at <= now()) as oldest_due_at
    from public.job_queue as job
    where job.status = 'pending'
    group by job.job_lane
  ),
  processing as (
    select job.job_lane, count(*) as running
    from public.job_queue as job
    where job.status = 'processing'
    group by job.job_lane
  ),
  buried as (
    select job.job_lane, count(*) as dead
    from public.job_queue as job
    where job.status = 'dead_letter'
    group by job.job_lane
  ),
  finished as (
    select
      job.job_lane,
      count(*) filter (where job.completed_at > now() - interval '5 minutes') as done_in_5_minutes,
      count(*) as done_in_hour
    from public.job_queue as job
    where job.status = 'completed'
      and job.completed_at > now() - interval '1 hour'
    group by job.job_lane
  ),
  serving as (
    select served.job_lane, count(*) as workers
    from public.workers as worker
    cross join unnest(worker.lanes) as served (job_lane)
    where worker.last_seen_at > now() - p_silent_after
      and not worker.is_stopping
    group by served.job_lane
  )
  select
    lane.job_lane,
    coalesce(pending.due, 0),
    coalesce(pending.scheduled, 0),
    coalesce(pending.retrying, 0),
    coalesce(processing.running, 0),
    coalesce(buried.dead, 0),
    extract(epoch from now() - pending.oldest_due_at)::double precision,
    coalesce(finished.done_in_5_minutes, 0),
    coalesce(finished.done_in_hour, 0),
    coalesce(serving.workers, 0),
    extract(epoch from now() - lane.paused_at)::double precision,
    lane.pause_reason
  from public.job_lanes as lane
  left join pending on pending.job_lane = lane.job_lane
  left join processing on processing.job_lane = lane.job_lane
  left join buried on buried.job_lane = lane.job_lane
  left join finished on finished.job_lane = lane.job_lane
  left join serving on serving.job_lane = lane.job_lane
  order by array_position(array['fast_queue', 'ai_queue', 'background'], lane.job_lane), lane.job_lane;
end
$$;
comment on function public.queue_stats(interval) is
  'One row a lane: what waits, runs and has died, how fast it goes, who serves it, whether it is paused. Operators only.';

-- Security definer: see the head of this file.
create or replace function public.queue_workers(p_silent_after interval default interval '30 seconds')
returns table (
  worker_id text,
  host text,
  pid int,
  job_lanes text[],
  running int,
  concurrency int,
  version text,
  is_stopping boolean,
  is_silent boolean,
  last_seen_seconds double precision,
  started_seconds double precision
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  return query
  select
    worker.id,
    worker.host,
    worker.pid,
    worker.lanes,
    worker.running,
    worker.concurrency,
    worker.version,
    worker.is_stopping,
    worker.last_seen_at <= now() - p_silent_after,
    extract(epoch from now() - worker.last_seen_at)::double precision,
    extract(epoch from now() - worker.started_at)::double precision
  from public.workers as worker
  order by worker.last_seen_at <= now() - p_silent_after, worker.started_at, worker.id;
end
$$;
comment on function public.queue_workers(interval) is
  'The registry of workers, those that have fallen silent last. Operators only.';

-- Security definer: see the head of this file.
create or replace function public.dead_letters(
  p_job_type text default null,
  p_error_code text default null,
  p_limit int default 50
)
returns table (
  job_id uuid,
  job_type text,
  job_lane text,
  error_code text,
  error_message text,
  attempts int,
  replays int,
  dead_seconds double precision
)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  return query
  select
    job.id,
    job.job_type,
    job.job_lane,
    job.error_details ->> 'code',
    job.error_details ->> 'message',
    job.retry_count + 1,
    job.replay_count::int,
    extract(epoch from now() - job.dead_letter_at)::double precision
  from public.job_queue as job
  where job.status = 'dead_letter'
    and (p_job_type is null or job.job_type = p_job_type)
    and (p_error_code is null or job.error_details ->> 'code' = p_error_code)
  order by job.dead_letter_at desc, job.id desc
  limit p_limit;
end
$$;
comment on function public.dead_letters(text, text, int) is
  'Dead letters, newest first: what they were, the code and the safe sentence of their last error, attempts since the last of how many replays. Operators only.';

-- Security definer: see the head of this file.
create or replace function public.count_dead_letters(p_job_type text default null, p_error_code text default null)
returns table (job_type text, error_code text, dead bigint, oldest_seconds double precision, newest_seconds double precision)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform public.require_operator();
  return query
  select
    job.job_type,
    job.error_details ->> 'code',
    count(*),
    extract(epoch from now() - min(job.dead_letter_at))::double precision,
    extract(epoch from now() - max(job.dead_letter_at))::double precision
  from public.job_queue as job
  where job.status = 'dead_letter'
    and (p_job_type is null or job.job_type = p_job_type)
    and (p_error_code is null or job.error_details ->> 'code' = p_error_code)
  group by job.job_type, job.error_details ->> 'code'
  order by count(*) desc, job.job_type, job.error_details ->> 'code';
end
$$;
comment on function public.count_dead_letters(text, text) is
  'How many dead letters there are of each job type and error code, the most frequent first. Operators only.';

-- Security definer: see the head of this file.
create or replace function public.requeue_dead_letters(
  p_job_type text default null,
  p_error_code text default null,
  p_dead_before timestamptz default now(),
  p_limit int default 100
)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_job record;
  v_requeued int := 0;
begin
  perform public.require_operator();
  -- One at a time: the second operator finds what the first has left. And the lock of a patient comes before that of a
  -- job (37-processing-control.sql), so jobs are not held while others are looked at.
  perform pg_advisory_xact_lock(hashtextextended('exora:requeue_dead_letters', 0));
  for v_job in
    select job.id
    from public.job_queue as job
    where job.status = 'dead_letter'
      and job.dead_letter_at <= p_dead_before
      and (p_job_type is null or job.job_type = p_job_type)
      and (p_error_code is null or job.error_details ->> 'code' = p_error_code)
      and (
        job.patient_id is null
        or job.job_type <> all (public.pipeline_stages())
        or public.processing_allowed(job.patient_id)
      )
    order by job.dead_letter_at, job.id
    limit p_limit
  loop
    begin
      if public.requeue_dead_letter(v_job.id) then
        v_requeued := v_requeued + 1;
      end if;
    exception
      -- Stopped since we looked.
      when object_not_in_prerequisite_state then
        null;
    end;
  end loop;
  return v_requeued;
end
$$;
comment on function public.requeue_dead_letters(text, text, timestamptz, int) is
  'requeue_dead_letter for the oldest of a kind; how many. Those whose patient''s processing is stopped stay. To be repeated with the same p_dead_before until it says 0: what dies again meanwhile is not taken twice. Operators only.';

revoke all on function
  public.queue_stats(interval),
  public.queue_workers(interval),
  public.dead_letters(text, text, int),
  public.count_dead_letters(text, text),
  public.requeue_dead_letters(text, text, timestamptz, int)
from public, anon, authenticated, service_role;
grant execute on function
  public.queue_stats(interval),
  public.queue_workers(interval),
  public.dead_letters(text, text, int),
  public.count_dead_letters(text, text),
  public.requeue_dead_letters(text, text, timestamptz, int)
to authenticated, service_role;

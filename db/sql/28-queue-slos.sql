-- Service levels of the queue: what is promised, and whether it is kept. Goals are data (`slo.…` of system_configuration).
-- Windows end by index on the time, and by a number of rows. What makes alerts of it is in 29-queue-alerts.sql.

comment on table public.slo_states is
  'What each service level was when it was last evaluated, and how often in a row it was kept or missed.';
comment on table public.slo_alerts is
  'Service levels that were missed, from when the alert fired to when it was resolved; one open row at most for each.';
comment on table public.slo_alert_deliveries is 'What the webhook has been told, or is still to be told.';

insert into public.system_configuration (config_key, config_value, description)
values
  ('slo.window_minutes', '60', 'Latencies and rates are those of the jobs that ended within these minutes.'),
  ('slo.window_jobs', '20000', 'And of no more than this many that ended last.'),
  ('slo.min_jobs', '10', 'With fewer of them a latency or a rate says nothing, and counts as kept.'),
  ('slo.fire_after', '2', 'An alert fires when a service level was missed so many evaluations in a row.'),
  ('slo.resolve_after', '5', 'And is resolved when it was kept so many in a row.'),
  ('slo.fast_p95_seconds', '120', 'Goal: from upload to readable, for 95 of 100 documents.'),
  ('slo.ai_p95_seconds', '600', 'Goal: from readable to narrated, for 95 of 100 documents that no person had to look at.'),
  ('slo.failure_rate', '0.05', 'Goal: the share of attempts that failed.'),
  ('slo.dead_letter_rate', '0.01', 'Goal: the share of jobs that ended as dead letters.'),
  ('slo.queue_age_seconds.fast_queue', '60', 'Goal: how long the longest waiting next job of the lane has been due.'),
  ('slo.queue_age_seconds.ai_queue', '300', 'Goal: how long the longest waiting next job of the lane has been due.'),
  ('slo.queue_age_seconds.background', '3600', 'Goal: how long the longest waiting next job of the lane has been due.'),
  ('slo.silent_after_seconds', '90', 'A worker without a sign of life for so long is silent: it serves nobody.'),
  ('slo.silent_news_minutes', '15', 'A worker that fell silent is news for so long; then what it left undone is what counts.'),
  ('slo.silent_workers', '0', 'Goal: workers that fell silent without having said goodbye.'),
  ('slo.missing_objects', '0', 'Goal: documents whose bytes the store did not have when they were last compared.'),
  ('slo.closed_models', '0', 'Goal: models that answer nothing until an operator mends key, name or budget.'),
  ('slo.unclaimable_job_types', '0', 'Goal: kinds of due jobs that no worker serves.'),
  ('slo.snapshot_transactions', '1000000', 'Goal: how many transactions ago the oldest snapshot was taken that holds vacuum back.'),
  ('slo.dead_job_rows', '200000', 'Goal: dead rows of the queue''s table that vacuum has not removed.'),
  ('slo.notification_queue_share', '0.1', 'Goal: how full PostgreSQL''s queue of notifications is; a full one fails every NOTIFY.')
on conflict (config_key) do nothing;

-- The planner must not collect a whole window to sort it: the index gives the last ones first.
create or replace function public.ended_in_window()
returns table (job_id uuid, job_type text, shell_file_id uuid, status text, completed_at timestamptz)
language plpgsql
stable
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
  return query
  select job.id, job.job_type, job.shell_file_id, job.status, job.completed_at
  from public.job_queue as job
  where job.status in ('completed', 'cancelled')
    and job.completed_at > now() - make_interval(mins => public.configured_number('slo.window_minutes', 60)::int)
  order by job.completed_at desc
  limit public.configured_number('slo.window_jobs', 20000)::int;
end
$$;
comment on function public.ended_in_window() is
  'The jobs that ended last: within slo.window_minutes, and no more than slo.window_jobs.';

create or replace function public.queue_latencies()
returns table (slo text, p95_seconds numeric, samples int)
language sql
stable
set search_path = ''
as $$
  with ended as materialized (
    select job.job_id, job.job_type, job.shell_file_id, job.completed_at
    from public.ended_in_window() as job
    where job.status = 'completed'
      and job.job_type in ('spatial_mapping', 'pass3_narrate')
  ),
  -- The first way of a document only: run again, or stopped and resumed, it is as late as somebody wanted it.
  first_time as materialized (
    select ended.job_type, ended.completed_at, file.created_at, file.review_state, ended.shell_file_id
    from ended
    join public.shell_files as file on file.id = ended.shell_file_id
    where not exists (
      select
      from public.job_queue as other
      where other.shell_file_id = ended.shell_file_id
        and other.id <> ended.job_id
        and (other.job_type = ended.job_type or other.status = 'cancelled')
    )
  ),
  took as (
    select 'fast_p95_seconds' as slo, extract(epoch from first_time.completed_at - first_time.created_at) as seconds
    from first_time
    where first_time.job_type = 'spatial_mapping'
    union all
    select 'ai_p95_seconds', extract(epoch from first_time.completed_at - found.created_at)
    from first_time
    join lateral (
      select min(job.created_at) as created_at
      from public.job_queue as job
      where job.shell_file_id = first_time.shell_file_id
        and job.job_type = 'pass1_find'
    ) as found on found.created_at is not null
    where first_time.job_type = 'pass3_narrate'
      -- A person who has to decide takes the time that a person takes.
      and first_time.review_state = 'none'
  )
  select
    wanted.slo,
    (percentile_cont(0.95) within group (order by took.seconds))::numeric,
    count(took.seconds)::int
  from (values ('fast_p95_seconds'), ('ai_p95_seconds')) as wanted (slo)
  left join took on took.slo = wanted.slo
  group by wanted.slo
$$;
comment on function public.queue_latencies() is
  'How long 95 of 100 documents took from upload to readable, and from there to narrated, among those that ended last.';

create or replace function public.queue_rates()
returns table (slo text, rate numeric, samples int)
language plpgsql
stable
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_jobs constant int := public.configured_number('slo.window_jobs', 20000)::int;
  v_begins_at constant timestamptz :=
    now() - make_interval(mins => public.configured_number('slo.window_minutes', 60)::int);
begin
  return query
  with ended as materialized (
    select job.status, job.completed_at
    from public.ended_in_window() as job
  ),
  -- Failures are counted since the same moment as successes, also where the number of those ended the window.
  since as materialized (
    select
      case
        when (select count(*) from ended) < v_jobs then v_begins_at
        else (select min(ended.completed_at) from ended)
      end as moment
  ),
  -- Ids of this table tell the time (version 7), and are its index.
  failed as (
    select count(*) as attempts
    from public.processing_errors as error
    where error.id > (
      select (
        overlay(lpad(to_hex(floor(extract(epoch from since.moment) * 1000)::bigint), 12, '0') placing '-' from 9 for 0)
        || '-0000-0000-000000000000'
      )::uuid
      from since
    )
      -- What is missing from the store is no attempt of anything.
      and error.stage <> 'storage'
  ),
  buried as (
    select count(*) as jobs
    from public.job_queue as job
    where job.status = 'dead_letter'
      and job.dead_letter_at > (select since.moment from since)
  ),
  done as (
    select count(*) as jobs
    from ended
    where ended.status = 'completed'
  )
  select 'failure_rate', round(failed.attempts::numeric / nullif(failed.attempts + done.jobs, 0), 4),
    (failed.attempts + done.jobs)::int
  from failed, done
  union all
  select 'dead_letter_rate', round(buried.jobs::numeric / nullif(buried.jobs + done.jobs, 0), 4),
    (buried.jobs + done.jobs)::int
  from buried, done;
end
$$;
comment on function public.queue_rates() is
  'Which share of attempts failed, and of jobs ended as dead letters, among those that ended last.';

create or replace function public.missing_objects() returns bigint
language sql stable set search_path = '' as $$
  select count(distinct error.shell_file_id)
  from public.processing_errors as error
  where error.stage = 'storage'
    and error.error_code = 'object_not_found'
$$;
comment on function public.missing_objects() is
  'Documents whose bytes the store did not have when store and database were last compared.';

-- By the last document that each was asked about: one that is answered again is open again.
create or replace function public.closed_models() returns bigint
language sql stable set search_path = '' as $$
  with last_run as (
    select distinct on (run.provider, run.model_requested)
      run.unanswered_why ?| array['misconfigured', 'quota_spent'] as is_closed
    from public.ended_in_window() as job
    join public.semantic_processing_sessions as run
      on run.shell_file_id = job.shell_file_id
      and run.job_id = job.job_id
    where job.job_type in ('pass1_find', 'pass3_narrate')
      and run.prompt_version is not null
    order by run.provider, run.model_requested, job.completed_at desc
  )
  select count(*)
  from last_run
  where last_run.is_closed
$$;
comment on function public.closed_models() is
  'Models that did not answer for a wrong key, an unknown name or a spent budget when they were last asked.';

create or replace function public.measure_slos()
returns table (slo text, job_lane text, value numeric, samples int)
language sql
stable
set search_path = ''
as $$
  select latency.slo, 'all', round(latency.p95_seconds, 3), latency.samples
  from public.queue_latencies() as latency
  union all
  select rates.slo, 'all', rates.rate, rates.samples
  from public.queue_rates() as rates
  union all
  select 'queue_age_seconds', head.job_lane, round(head.waited_seconds, 3), null
  from public.queue_heads() as head
  union all
  select 'unclaimable_job_types', lane.name, coalesce(unserved.job_types, 0), null
  from unnest(array['fast_queue', 'ai_queue', 'background']) as lane (name)
  left join public.queue_unserved() as unserved on unserved.job_lane = lane.name
  union all
  select 'missing_objects', 'all', public.missing_objects(), null
  union all
  select 'closed_models', 'all', public.closed_models(), null
  union all
  select 'silent_workers', 'all', public.silent_workers(), null
  union all
  select 'snapshot_transactions', 'all', public.oldest_snapshot_age(), null
  union all
  select 'dead_job_rows', 'all', tables.n_dead_tup, null
  from pg_catalog.pg_stat_user_tables as tables
  where tables.relid = 'public.job_queue'::regclass
  union all
  select 'notification_queue_share', 'all', round(pg_notification_queue_usage()::numeric, 4), null
$$;
comment on function public.measure_slos() is
  'The present value of each service level; null where there is none. Samples: how many jobs or attempts it comes from.';

create or replace function public.evaluate_slos()
returns table (
  slo text,
  job_lane text,
  value numeric,
  goal numeric,
  holds boolean,
  samples int,
  since timestamptz
)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select
    measured.slo,
    measured.job_lane,
    measured.value,
    wanted.goal,
    measured.value is null
      or measured.value <= wanted.goal
      or coalesce(measured.samples < public.configured_number('slo.min_jobs', 10), false),
    measured.samples,
    alert.fired_at
  from public.measure_slos() as measured
  cross join lateral (
    select (setting.config_value #>> '{}')::numeric as goal
    from public.system_configuration as setting
    where setting.config_key in ('slo.' || measured.slo, 'slo.' || measured.slo || '.' || measured.job_lane)
      and jsonb_typeof(setting.config_value) = 'number'
    order by length(setting.config_key) desc
    limit 1
  ) as wanted
  left join public.slo_alerts as alert
    on alert.slo = measured.slo
    and alert.job_lane = measured.job_lane
    and alert.resolved_at is null;
end
$$;
comment on function public.evaluate_slos() is
  'Every service level with its goal and whether it is kept now; since: when its alert fired, if one is open. Without a goal (its key deleted, or not a number) it is not evaluated.';

revoke all on function
  public.ended_in_window(),
  public.queue_latencies(),
  public.queue_rates(),
  public.missing_objects(),
  public.closed_models(),
  public.measure_slos(),
  public.evaluate_slos()
from public, anon, authenticated, service_role;

grant execute on function public.ended_in_window() to service_role;
grant execute on function public.queue_latencies() to service_role;
grant execute on function public.queue_rates() to service_role;
grant execute on function public.missing_objects() to service_role;
grant execute on function public.closed_models() to service_role;
grant execute on function public.measure_slos() to service_role;
grant execute on function public.evaluate_slos() to service_role;

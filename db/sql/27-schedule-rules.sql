-- The rules of recurring work: when the slots of a schedule are, and job_schedules as the workers' code has them. How a
-- slot becomes a job is in 28-schedules.sql. All times are the database's.

insert into public.system_configuration (config_key, config_value, description)
values
  ('schedules.time_zone', '"UTC"', 'The time zone of what is done once a day at an hour, such as retention.')
on conflict (config_key) do nothing;

create or replace function public.schedule_slot_at(
  p_every_seconds int,
  p_daily_at time,
  p_time_zone text,
  p_instant timestamptz
)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select case
    when p_every_seconds is not null then
      to_timestamp((floor(extract(epoch from p_instant) / p_every_seconds) * p_every_seconds)::double precision)
    else (
      -- PostgreSQL gives each local time one instant: of two, the later; of none, the time that the clock would have shown.
      select max(day.slot_at)
      from (
        select ((p_instant at time zone p_time_zone)::date + day.away + p_daily_at) at time zone p_time_zone as slot_at
        from generate_series(-2, 1) as day (away)
      ) as day
      where day.slot_at <= p_instant
    )
  end
$$;
comment on function public.schedule_slot_at(int, time, text, timestamptz) is
  'The newest slot of a rule that is not after an instant. A local time that a day does not have, or has twice, is one slot.';

create or replace function public.next_schedule_slot(
  p_every_seconds int,
  p_daily_at time,
  p_time_zone text,
  p_instant timestamptz
)
returns timestamptz
language sql
stable
set search_path = ''
as $$
  select case
    when p_every_seconds is not null then
      public.schedule_slot_at(p_every_seconds, null, null, p_instant) + make_interval(secs => p_every_seconds)
    else (
      select min(day.slot_at)
      from (
        select ((p_instant at time zone p_time_zone)::date + day.away + p_daily_at) at time zone p_time_zone as slot_at
        from generate_series(-1, 2) as day (away)
      ) as day
      where day.slot_at > p_instant
    )
  end
$$;
comment on function public.next_schedule_slot(int, time, text, timestamptz) is
  'The first slot of a rule after an instant.';

create or replace function public.keep_schedules(p_schedules jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  with house as materialized (
    select coalesce(
      (
        select setting.config_value #>> '{}'
        from public.system_configuration as setting
        where setting.config_key = 'schedules.time_zone'
          and public.is_time_zone(setting.config_value #>> '{}')
      ),
      'UTC'
    ) as time_zone
  ),
  given as materialized (
    select
      rule.name,
      rule.every_seconds,
      rule.daily_at,
      case when rule.daily_at is not null then coalesce(rule.time_zone, house.time_zone) end as time_zone,
      rule.catch_up,
      rule.max_missed,
      rule.grace_seconds
    from house
    cross join jsonb_to_recordset(p_schedules) as rule (
      name text, every_seconds int, daily_at time, time_zone text, catch_up text, max_missed int, grace_seconds int
    )
  ),
  -- Read first: an upsert locks also what it then leaves alone, and every worker comes by here every few seconds.
  changed as materialized (
    select given.*
    from given
    left join public.job_schedules as known on known.schedule_name = given.name
    where known.schedule_name is null
       or known.removed_at is not null
       or (known.every_seconds, known.daily_at, known.time_zone, known.catch_up, known.max_missed, known.grace_seconds)
          is distinct from
          (given.every_seconds, given.daily_at, given.time_zone, given.catch_up, given.max_missed, given.grace_seconds)
    order by given.name
  )
  insert into public.job_schedules as known (
    schedule_name, every_seconds, daily_at, time_zone, catch_up, max_missed, grace_seconds
  )
  select
    changed.name, changed.every_seconds, changed.daily_at, changed.time_zone, changed.catch_up, changed.max_missed,
    changed.grace_seconds
  from changed
  on conflict (schedule_name) do update
  set every_seconds = excluded.every_seconds,
      daily_at = excluded.daily_at,
      time_zone = excluded.time_zone,
      catch_up = excluded.catch_up,
      max_missed = excluded.max_missed,
      grace_seconds = excluded.grace_seconds,
      removed_at = null,
      next_slot_at = null,
      -- A day that has had its run does not get another by a rule with another hour or zone.
      slots_from = case
        when (known.every_seconds, known.daily_at, known.time_zone)
             is not distinct from (excluded.every_seconds, excluded.daily_at, excluded.time_zone)
          then known.slots_from
        when excluded.daily_at is not null
          then ((known.last_slot_at at time zone excluded.time_zone)::date + 1)::timestamp at time zone excluded.time_zone
      end
$$;
comment on function public.keep_schedules(jsonb) is
  'Writes the rules of the workers'' code into job_schedules where they differ. What is daily and names no zone follows schedules.time_zone.';

create or replace function public.remove_other_schedules(p_names text[])
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_removed int;
begin
  update public.job_schedules as known
  set removed_at = clock_timestamp(),
      next_slot_at = null
  where known.schedule_name <> all (p_names)
    and known.removed_at is null;
  get diagnostics v_removed = row_count;
  return v_removed;
end
$$;
comment on function public.remove_other_schedules(text[]) is
  'Says of schedules that the code of a worker that starts does not have, that they are removed. One that still has them takes that back.';

revoke all on function
  public.schedule_slot_at(int, time, text, timestamptz),
  public.next_schedule_slot(int, time, text, timestamptz),
  public.keep_schedules(jsonb),
  public.remove_other_schedules(text[])
from public, anon, authenticated, service_role;

grant execute on function public.schedule_slot_at(int, time, text, timestamptz) to service_role;
grant execute on function public.next_schedule_slot(int, time, text, timestamptz) to service_role;
grant execute on function public.keep_schedules(jsonb) to service_role;
grant execute on function public.remove_other_schedules(text[]) to service_role;

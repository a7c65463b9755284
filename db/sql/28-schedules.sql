-- Recurring work. A schedule is a rule in the workers' code that says when its slots are; a slot that begins is a job,
-- made in the transaction that moves last_slot_at on, so that it is run once however many workers look, and rescued,
-- tried again and given up like any other. All times are the database's.

comment on table public.job_schedules is
  'Recurring work: its rule as the workers'' code has it, its last slot, how that went, and the next. Written by begin_due_slots and finish_schedule_slot.';
comment on column public.job_schedules.catch_up is
  'Of slots that passed while nobody could begin them: latest = the newest is run; each = one after the other, up to max_missed; skip = none that is older than grace_seconds.';
comment on column public.job_schedules.last_job_id is
  'The job of last_slot_at. While it waits or runs no other slot begins; once the next has begun, it is gone.';

drop function if exists public.begin_schedule_slot(text, int);

create or replace function public.slot_to_begin(p_schedule public.job_schedules, p_now timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  v_after constant timestamptz := greatest(
    p_schedule.last_slot_at, p_schedule.slots_from - interval '1 microsecond', '-infinity'
  );
  v_slot_at timestamptz := public.schedule_slot_at(
    p_schedule.every_seconds, p_schedule.daily_at, p_schedule.time_zone, p_now
  );
  v_earlier_at timestamptz;
begin
  if v_slot_at <= v_after then
    return null;
  end if;
  if p_schedule.catch_up = 'skip' and p_now - v_slot_at > make_interval(secs => p_schedule.grace_seconds) then
    return null;
  end if;
  if p_schedule.catch_up = 'each' and p_schedule.last_slot_at is not null then
    for i in 2 .. p_schedule.max_missed loop
      v_earlier_at := public.schedule_slot_at(
        p_schedule.every_seconds, p_schedule.daily_at, p_schedule.time_zone, v_slot_at - interval '1 microsecond'
      );
      exit when v_earlier_at <= v_after;
      v_slot_at := v_earlier_at;
    end loop;
  end if;
  return v_slot_at;
end
$$;
comment on function public.slot_to_begin(public.job_schedules, timestamptz) is
  'Which slot of a schedule is to be run at an instant, by its rule and by what it does about slots that it missed; null for none.';

create or replace function public.make_way_for_slot(p_schedule public.job_schedules)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_status text;
begin
  select job.status into v_status from public.job_queue as job where job.id = p_schedule.last_job_id;
  if v_status in ('pending', 'processing') then
    return false;
  end if;
  if v_status = 'dead_letter' then
    -- Each of its slots counts, in their order: an operator decides about this one first.
    if p_schedule.catch_up = 'each' then
      return false;
    end if;
    if not public.take_job_out(p_schedule.last_job_id, array['dead_letter'], null, 'the next slot has begun') then
      return false;
    end if;
  end if;
  delete from public.job_queue as job
  where job.id = p_schedule.last_job_id
    and job.status in ('completed', 'cancelled');
  return true;
end
$$;
comment on function public.make_way_for_slot(public.job_schedules) is
  'May the next slot begin? Then the job of the last is gone, so that schedules have one job each, ever. False while it has not ended.';

create or replace function public.begin_due_slots(p_schedules jsonb)
returns table (begun text[], waiting int, next_in_ms double precision)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_names constant text[] := array(select jsonb_array_elements(p_schedules) ->> 'name');
  v_schedule public.job_schedules;
  v_now timestamptz;
  v_slot_at timestamptz;
  v_job_id uuid;
  v_begun text[] := '{}';
begin
  perform public.keep_schedules(p_schedules);

  -- A row that somebody holds is just being looked at by another worker.
  for v_schedule in
    select known.*
    from public.job_schedules as known
    where known.schedule_name = any (v_names)
      and (known.next_slot_at is null or known.next_slot_at <= clock_timestamp())
    order by known.schedule_name
    for no key update skip locked
  loop
    v_now := clock_timestamp();
    v_slot_at := public.slot_to_begin(v_schedule, v_now);
    if v_slot_at is null then
      update public.job_schedules as known
      set next_slot_at = public.next_schedule_slot(
        known.every_seconds, known.daily_at, known.time_zone,
        greatest(v_now, known.slots_from - interval '1 microsecond')
      )
      where known.schedule_name = v_schedule.schedule_name;
      continue;
    end if;
    continue when not public.make_way_for_slot(v_schedule);

    v_job_id := public.enqueue_job_v3(
      job_type => 'run_schedule',
      job_name => v_schedule.schedule_name,
      job_category => 'maintenance',
      priority => 8,
      job_payload => jsonb_build_object(
        'schedule', v_schedule.schedule_name,
        'slot_at', to_char(v_slot_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
      ),
      idempotency_key => format('schedule:%s:%s', v_schedule.schedule_name, extract(epoch from v_slot_at)::bigint)
    );
    update public.job_schedules as known
    set last_slot_at = v_slot_at,
        last_job_id = v_job_id,
        next_slot_at = public.next_schedule_slot(known.every_seconds, known.daily_at, known.time_zone, v_slot_at)
    where known.schedule_name = v_schedule.schedule_name;
    v_begun := v_begun || v_schedule.schedule_name;
  end loop;

  return query
  select
    v_begun,
    count(*) filter (where job.status = 'pending' and job.scheduled_at <= now())::int,
    (
      extract(epoch from least(
        min(known.next_slot_at) filter (where known.next_slot_at > clock_timestamp()),
        min(job.scheduled_at) filter (where job.status = 'pending' and job.scheduled_at > now())
      ) - clock_timestamp()) * 1000
    )::double precision
  from public.job_schedules as known
  left join public.job_queue as job on job.id = known.last_job_id
  where known.schedule_name = any (v_names);
end
$$;
comment on function public.begin_due_slots(jsonb) is
  'Makes a job of each slot that is due, one per slot whatever the number of callers; says which, how many such jobs wait, and when to look again.';

create or replace function public.finish_schedule_slot(p_schedule_name text, p_duration_ms int, p_error_code text default null)
returns void
language sql
volatile
set search_path = ''
as $$
  update public.job_schedules as known
  set last_finished_at = clock_timestamp(),
      last_duration_ms = p_duration_ms,
      last_error_code = p_error_code
  where known.schedule_name = p_schedule_name
$$;
comment on function public.finish_schedule_slot(text, int, text) is 'Notes how a run of a schedule ended.';

create or replace function public.is_schedule_removed(p_schedule_name text)
returns boolean
language sql
stable
set search_path = ''
as $$
  select not exists (
    select
    from public.job_schedules as known
    where known.schedule_name = p_schedule_name
      and known.removed_at is null
  )
$$;
comment on function public.is_schedule_removed(text) is
  'Does no worker that started lately know this schedule? Tells what was removed from what is newer than the asking worker.';

revoke all on function
  public.slot_to_begin(public.job_schedules, timestamptz),
  public.make_way_for_slot(public.job_schedules),
  public.begin_due_slots(jsonb),
  public.finish_schedule_slot(text, int, text),
  public.is_schedule_removed(text)
from public, anon, authenticated, service_role;

grant execute on function public.slot_to_begin(public.job_schedules, timestamptz) to service_role;
grant execute on function public.make_way_for_slot(public.job_schedules) to service_role;
grant execute on function public.begin_due_slots(jsonb) to service_role;
grant execute on function public.finish_schedule_slot(text, int, text) to service_role;
grant execute on function public.is_schedule_removed(text) to service_role;

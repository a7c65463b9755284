-- Alerts: what becomes of a service level that is missed. State is in tables and one statement decides, so that any number
-- of workers, evaluating at once, make one alert of it.

-- Definer: services write no notifications; operators are told by this function alone. The service is asked for first.
create or replace function public.evaluate_alerts(p_slot timestamptz default date_trunc('minute', clock_timestamp()))
returns table (alert_id uuid, alert_state text, slo text, job_lane text, value numeric, goal numeric)
language plpgsql
volatile
security definer
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_fire_after constant int := public.configured_number('slo.fire_after', 2)::int;
  v_resolve_after constant int := public.configured_number('slo.resolve_after', 5)::int;
begin
  if not public.acting_as_service() then
    raise exception 'only the service evaluates service levels' using errcode = '42501';
  end if;
  return query
  with evaluated as materialized (
    select now_is.*
    from public.evaluate_slos() as now_is
    order by now_is.slo, now_is.job_lane
  ),
  -- Whoever comes second to a slot waits here for the first, then changes nothing.
  counted as (
    insert into public.slo_states as state (slo, job_lane, last_slot_at, value, goal, missed_in_row, kept_in_row)
    select
      evaluated.slo,
      evaluated.job_lane,
      p_slot,
      evaluated.value,
      evaluated.goal,
      (not evaluated.holds)::int,
      evaluated.holds::int
    from evaluated
    on conflict on constraint slo_states_pkey do update
    set last_slot_at = excluded.last_slot_at,
        value = excluded.value,
        goal = excluded.goal,
        missed_in_row = (state.missed_in_row + 1) * excluded.missed_in_row,
        kept_in_row = (state.kept_in_row + 1) * excluded.kept_in_row
    where state.last_slot_at < excluded.last_slot_at
    returning state.*
  ),
  fired as (
    insert into public.slo_alerts as alert (slo, job_lane, value, goal)
    select counted.slo, counted.job_lane, counted.value, counted.goal
    from counted
    where counted.missed_in_row >= v_fire_after
    on conflict (slo, job_lane) where resolved_at is null do nothing
    returning alert.id, 'firing' as state, alert.slo, alert.job_lane, alert.value, alert.goal
  ),
  resolved as (
    update public.slo_alerts as alert
    set resolved_at = clock_timestamp()
    from public.slo_alerts as open_alert
    left join counted on counted.slo = open_alert.slo and counted.job_lane = open_alert.job_lane
    where alert.id = open_alert.id
      and alert.resolved_at is null
      and (
        counted.kept_in_row >= v_resolve_after
        -- Nobody asks for it any more.
        or not exists (
          select from evaluated where evaluated.slo = alert.slo and evaluated.job_lane = alert.job_lane
        )
      )
    returning alert.id, 'resolved' as state, alert.slo, alert.job_lane, counted.value, coalesce(counted.goal, alert.goal) as goal
  ),
  changed as (
    select fired.* from fired
    union all
    select resolved.* from resolved
  ),
  to_deliver as (
    insert into public.slo_alert_deliveries (alert_id, alert_state, value, goal)
    select changed.id, changed.state, changed.value, changed.goal
    from changed
  ),
  told as (
    insert into public.system_notifications (account_id, kind, subject_id)
    select held.account_id, 'slo_missed', fired.id
    from fired
    cross join public.account_roles as held
    where held.role = 'operator'
  ),
  -- What is over need not be read any more.
  cleared as (
    update public.system_notifications as notification
    set read_at = clock_timestamp()
    from resolved
    where notification.subject_id = resolved.id
      and notification.kind = 'slo_missed'
      and notification.read_at is null
      and notification.account_id in (
        select held.account_id from public.account_roles as held where held.role = 'operator'
      )
  )
  select changed.id, changed.state, changed.slo, changed.job_lane, changed.value, changed.goal
  from changed
  order by changed.slo, changed.job_lane;
end
$$;
comment on function public.evaluate_alerts(timestamptz) is
  'Evaluates every service level, once for each slot of time whoever asks; fires and resolves alerts, tells operators, and returns what changed.';

-- Definer: operators are ordinary accounts, to whom these tables are closed.
create or replace function public.get_slo_status()
returns table (
  slo text,
  job_lane text,
  value numeric,
  goal numeric,
  holds boolean,
  firing_since timestamptz,
  evaluated_at timestamptz
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
    state.slo,
    state.job_lane,
    state.value,
    state.goal,
    state.missed_in_row = 0,
    alert.fired_at,
    state.last_slot_at
  from public.slo_states as state
  left join public.slo_alerts as alert
    on alert.slo = state.slo
    and alert.job_lane = state.job_lane
    and alert.resolved_at is null
  order by alert.fired_at nulls last, state.slo, state.job_lane;
end
$$;
comment on function public.get_slo_status() is
  'Every service level as it was last evaluated, those with an open alert first. Operators only.';

create or replace function public.claim_alert_deliveries(p_limit int default 10)
returns table (
  alert_id uuid,
  alert_state text,
  slo text,
  job_lane text,
  value numeric,
  goal numeric,
  occurred_at timestamptz,
  attempts int
)
language sql
volatile
set search_path = ''
as $$
  with open_delivery as materialized (
    select delivery.alert_id, delivery.alert_state, delivery.occurred_at, delivery.next_attempt_at, alert.slo, alert.job_lane
    from public.slo_alert_deliveries as delivery
    join public.slo_alerts as alert on alert.id = delivery.alert_id
    where delivery.delivered_at is null
      and delivery.occurred_at > now() - interval '1 day'
  ),
  due as materialized (
    select delivery.alert_id, delivery.alert_state
    from public.slo_alert_deliveries as delivery
    join open_delivery as mine on mine.alert_id = delivery.alert_id and mine.alert_state = delivery.alert_state
    where delivery.delivered_at is null
      and delivery.next_attempt_at <= clock_timestamp()
      -- Of one service level in order: nobody hears that something is over before hearing of it.
      and not exists (
        select
        from open_delivery as earlier
        where earlier.slo = mine.slo
          and earlier.job_lane = mine.job_lane
          and earlier.occurred_at < mine.occurred_at
      )
    order by mine.occurred_at
    limit p_limit
    for update of delivery skip locked
  )
  update public.slo_alert_deliveries as delivery
  set attempts = delivery.attempts + 1,
      -- Whoever takes it has this long; then somebody else does.
      next_attempt_at = clock_timestamp() + interval '2 minutes'
  from due, public.slo_alerts as alert
  where delivery.alert_id = due.alert_id
    and delivery.alert_state = due.alert_state
    and alert.id = due.alert_id
  returning
    delivery.alert_id, delivery.alert_state, alert.slo, alert.job_lane, delivery.value, delivery.goal,
    delivery.occurred_at, delivery.attempts::int
$$;
comment on function public.claim_alert_deliveries(int) is
  'What the webhook is to be told now, taken for two minutes. After a day it is not told any more.';

create or replace function public.finish_alert_delivery(p_alert_id uuid, p_alert_state text, p_error_code text default null)
returns void
language sql
volatile
set search_path = ''
as $$
  update public.slo_alert_deliveries as delivery
  set delivered_at = case when p_error_code is null then clock_timestamp() end,
      last_error_code = left(p_error_code, 100),
      -- 30 s, 1, 2, 4, … minutes, an hour at most; from half to one and a half of it.
      next_attempt_at = clock_timestamp()
        + make_interval(secs => least(3600, 30 * power(2, least(delivery.attempts, 10) - 1)) * (0.5 + random()))
  where delivery.alert_id = p_alert_id
    and delivery.alert_state = p_alert_state
    and delivery.delivered_at is null
$$;
comment on function public.finish_alert_delivery(uuid, text, text) is
  'The webhook has taken it, or (with a code) has not: then it is told again later.';

revoke all on function
  public.evaluate_alerts(timestamptz),
  public.get_slo_status(),
  public.claim_alert_deliveries(int),
  public.finish_alert_delivery(uuid, text, text)
from public, anon, authenticated, service_role;

grant execute on function public.evaluate_alerts(timestamptz) to service_role;
grant execute on function public.get_slo_status() to authenticated, service_role;
grant execute on function public.claim_alert_deliveries(int) to service_role;
grant execute on function public.finish_alert_delivery(uuid, text, text) to service_role;

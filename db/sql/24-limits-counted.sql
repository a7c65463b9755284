-- What outside services may still be asked for, one truth for the whole fleet.
-- A minute is a sliding one, counted in tenths of a second: each gives its room back as it leaves the window, and no 60
-- seconds, wherever they begin, hold more than the limit (docs/decisions/0005-a-sliding-minute.md). What a day may use
-- is counted by the day of UTC.

alter table public.api_rate_limits set (fillfactor = 50);
alter table public.api_usage_slots set (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_vacuum_threshold = 500
);
alter table public.api_daily_use set (fillfactor = 50);
alter table public.api_capacity_reservations set (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_vacuum_threshold = 500
);

comment on table public.api_rate_limits is
  'Limits and budgets of outside services, as data: operators change them, workers follow within seconds. Null means no limit.';
comment on table public.api_usage_slots is
  'Requests and tokens granted in each tenth of a second; what is older than the window no longer counts and is swept.';
comment on table public.api_daily_use is
  'Requests, tokens and cost of each day of UTC, against the budgets of the day.';
comment on table public.api_capacity_reservations is
  'Outside calls under way. Each ends by release or, when its worker dies, with the lease of its job.';

-- Slots were half seconds once (numbers below 5e9 until the year 2049); their last tenth is the cautious one.
update public.api_usage_slots set slot = slot * 5 + 4 where slot < 5000000000;
update public.api_capacity_reservations set slot = slot * 5 + 4 where slot < 5000000000 and released_at is null;

insert into public.api_rate_limits as known
  (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
values
  ('openai', 'gpt-4o-mini', 500, 200000, 50),
  -- Its tokens are pictures: https://cloud.google.com/vision/quotas limits both.
  ('google', 'vision-api', 1800, 1800, 100)
on conflict (provider_name, api_endpoint) do nothing;

create or replace function public.counted_limit(p_configured int, p_reported int, p_reported_at timestamptz)
returns int
language sql
stable
set search_path = ''
as $$
  select case
    when p_reported_at > clock_timestamp() - interval '1 hour' then least(p_configured, p_reported)
    else p_configured
  end
$$;
comment on function public.counted_limit(int, int, timestamptz) is
  'The smaller of what was configured and what the provider said within the last hour.';
revoke all on function public.counted_limit(int, int, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.counted_limit(int, int, timestamptz) to service_role;

-- Why a day has no room left, or null. The cost of calls under way is not known: each is taken for the day's average.
create or replace function public.spent_for_today(
  p_limit public.api_rate_limits,
  p_estimated_tokens bigint,
  p_under_way bigint
)
returns boolean
language sql
stable
set search_path = ''
as $$
  select coalesce(
    (
      select coalesce(today.requests + 1 > p_limit.requests_per_day, false)
          or coalesce(today.tokens + p_estimated_tokens > p_limit.tokens_per_day, false)
          or coalesce(
               today.cost_usd + (p_under_way + 1) * today.cost_usd / greatest(1, today.requests - p_under_way)
                 > p_limit.budget_usd_per_day,
               false
             )
      from public.api_daily_use as today
      where today.rate_limit_id = p_limit.id
        and today.day = (clock_timestamp() at time zone 'UTC')::date
    ),
    false
  )
    or coalesce(p_limit.requests_per_day < 1, false)
    or coalesce(p_limit.tokens_per_day < p_estimated_tokens, false)
    or coalesce(p_limit.budget_usd_per_day <= 0, false)
$$;
comment on function public.spent_for_today(public.api_rate_limits, bigint, bigint) is
  'Would one more call be above what this day of UTC may use of the endpoint?';
revoke all on function public.spent_for_today(public.api_rate_limits, bigint, bigint)
  from public, anon, authenticated, service_role;
grant execute on function public.spent_for_today(public.api_rate_limits, bigint, bigint) to service_role;

-- A turn of its own for each caller that is refused and will wait: the first slot whose leaving makes room that nobody
-- else was promised. Without it all come back in the same tenth of a second, one gets through and the others asked in
-- vain. It is a hint alone: room belongs to whoever asks when it is there.
create or replace function public.give_turn(
  p_limit public.api_rate_limits,
  p_oldest_slot bigint,
  p_last_promised_slot bigint,
  p_missing_requests bigint,
  p_missing_tokens bigint,
  p_estimated_tokens bigint
)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- Below the window nothing has been promised: the first in line needs what is missing now, the others their own size.
  v_line_slot bigint := p_limit.line_slot;
  v_requests bigint;
  v_tokens bigint;
  v_turn record;
begin
  for v_round in 1..2 loop
    v_requests := case
      when coalesce(p_missing_requests, 0) <= 0 then 0
      when v_line_slot < p_oldest_slot then p_missing_requests
      else p_limit.line_requests + 1
    end;
    v_tokens := case
      when coalesce(p_missing_tokens, 0) <= 0 then 0
      when v_line_slot < p_oldest_slot then p_missing_tokens
      else p_limit.line_tokens + p_estimated_tokens
    end;
    select
      leaving.slot,
      v_requests - (leaving.requests_so_far - leaving.requests) as requests,
      v_tokens - (leaving.tokens_so_far - leaving.tokens) as tokens
    into v_turn
    from (
      select
        spent.slot,
        spent.requests,
        spent.tokens,
        sum(spent.requests) over so_far as requests_so_far,
        sum(spent.tokens) over so_far as tokens_so_far
      from public.api_usage_slots as spent
      where spent.rate_limit_id = p_limit.id
        and spent.slot >= greatest(v_line_slot, p_oldest_slot)
      window so_far as (order by spent.slot)
    ) as leaving
    where leaving.requests_so_far >= v_requests
      and leaving.tokens_so_far >= v_tokens
    order by leaving.slot
    limit 1;
    exit when found;
    -- All is promised: from the start again. Somebody may not come, and those who do in vain come spread.
    v_line_slot := 0;
  end loop;
  -- Who comes back later than that may be late, and room that waits for them is nobody's.
  if v_turn.slot is null or v_turn.slot > p_last_promised_slot then
    return v_turn.slot;
  end if;
  update public.api_rate_limits as known
  set line_slot = v_turn.slot,
      line_requests = greatest(0, v_turn.requests),
      line_tokens = greatest(0, v_turn.tokens)
  where known.id = p_limit.id;
  return v_turn.slot;
end
$$;
comment on function public.give_turn(public.api_rate_limits, bigint, bigint, bigint, bigint, bigint) is
  'When a refused caller may come back: the slot that has to leave first. Null when nothing that leaves would be enough. The endpoint''s row is locked.';
revoke all on function public.give_turn(public.api_rate_limits, bigint, bigint, bigint, bigint, bigint)
  from public, anon, authenticated, service_role;
grant execute on function public.give_turn(public.api_rate_limits, bigint, bigint, bigint, bigint, bigint) to service_role;

-- What providers say of themselves, what is used at this moment, and forgetting what no longer counts.

create or replace function public.record_provider_limits(
  p_provider_name text,
  p_api_endpoint text,
  p_retry_after_ms int,
  p_requests_per_minute int default null,
  p_tokens_per_minute int default null
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- A day at most: a broken header must not switch a provider off for good.
  v_pause_until timestamptz := v_now + make_interval(secs => least(p_retry_after_ms, 86400000) / 1000.0);
begin
  perform 1
  from public.api_rate_limits as known
  where known.provider_name = p_provider_name
    and known.api_endpoint = p_api_endpoint;
  if not found then
    raise exception 'no rate limit is configured for %/%', p_provider_name, p_api_endpoint using errcode = '22023';
  end if;

  -- Only what is new: a report that is repeated at every call must not cost a write at every call.
  update public.api_rate_limits as known
  set blocked_until = v_pause_until
  where known.provider_name = p_provider_name
    and known.api_endpoint = p_api_endpoint
    and p_retry_after_ms > 0
    and (known.blocked_until is null or known.blocked_until < v_pause_until);

  update public.api_rate_limits as known
  set reported_requests_per_minute = coalesce(p_requests_per_minute, known.reported_requests_per_minute),
      reported_tokens_per_minute = coalesce(p_tokens_per_minute, known.reported_tokens_per_minute),
      reported_at = v_now
  where known.provider_name = p_provider_name
    and known.api_endpoint = p_api_endpoint
    and (p_requests_per_minute is not null or p_tokens_per_minute is not null)
    and (
      known.reported_at is null
      or known.reported_at < v_now - interval '10 minutes'
      or known.reported_requests_per_minute is distinct from
         coalesce(p_requests_per_minute, known.reported_requests_per_minute)
      or known.reported_tokens_per_minute is distinct from
         coalesce(p_tokens_per_minute, known.reported_tokens_per_minute)
    );
end
$$;
comment on function public.record_provider_limits(text, text, int, int, int) is
  'What a provider said of itself: everybody waits out a 429, and the smaller of configured and reported limits counts.';
revoke all on function public.record_provider_limits(text, text, int, int, int)
  from public, anon, authenticated, service_role;
grant execute on function public.record_provider_limits(text, text, int, int, int) to service_role;

-- Columns were added: a function's answer cannot be changed in place.
drop function if exists public.get_api_capacity();
create function public.get_api_capacity()
returns table (
  provider_name text,
  api_endpoint text,
  concurrent_requests int,
  requests_per_minute int,
  tokens_per_minute int,
  under_way int,
  requests_used int,
  tokens_used bigint,
  blocked_ms int,
  is_active boolean,
  requests_per_day int,
  tokens_per_day bigint,
  budget_usd_per_day numeric,
  requests_today int,
  tokens_today bigint,
  cost_usd_today numeric
)
language sql
stable
set search_path = ''
as $$
  select
    known.provider_name,
    known.api_endpoint,
    known.concurrent_requests,
    public.counted_limit(known.requests_per_minute, known.reported_requests_per_minute, known.reported_at),
    public.counted_limit(known.tokens_per_minute, known.reported_tokens_per_minute, known.reported_at),
    (
      select count(*)::int
      from public.api_capacity_reservations as reservation
      where reservation.rate_limit_id = known.id
        and reservation.released_at is null
        and reservation.expires_at > clock_timestamp()
    ),
    coalesce(spent.requests, 0)::int,
    coalesce(spent.tokens, 0)::bigint,
    coalesce(greatest(0, ceil(extract(epoch from known.blocked_until - clock_timestamp()) * 1000)), 0)::int,
    known.is_active,
    known.requests_per_day,
    known.tokens_per_day,
    known.budget_usd_per_day,
    coalesce(today.requests, 0),
    coalesce(today.tokens, 0),
    coalesce(today.cost_usd, 0)
  from public.api_rate_limits as known
  left join lateral (
    select sum(slots.requests) as requests, sum(slots.tokens) as tokens
    from public.api_usage_slots as slots
    where slots.rate_limit_id = known.id
      and slots.slot > floor(extract(epoch from clock_timestamp()) * 10) - 607
  ) as spent on true
  left join public.api_daily_use as today
    on today.rate_limit_id = known.id
   and today.day = (clock_timestamp() at time zone 'UTC')::date
$$;
comment on function public.get_api_capacity() is 'Limits and their use at this moment, for pool sizes, health and metrics.';
revoke all on function public.get_api_capacity() from public, anon, authenticated, service_role;
grant execute on function public.get_api_capacity() to service_role;

create or replace function public.sweep_api_capacity()
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  delete from public.api_usage_slots as spent
  where spent.slot < floor(extract(epoch from clock_timestamp()) * 10) - 1200;
  delete from public.api_daily_use as spent
  where spent.day < (clock_timestamp() at time zone 'UTC')::date - 92;
  delete from public.api_capacity_reservations as reservation
  where coalesce(reservation.released_at, reservation.expires_at) < clock_timestamp() - interval '10 minutes';
end
$$;
comment on function public.sweep_api_capacity() is 'Forgets what no longer counts.';
revoke all on function public.sweep_api_capacity() from public, anon, authenticated, service_role;
grant execute on function public.sweep_api_capacity() to service_role;

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
begin
  update public.api_rate_limits as known
  set blocked_until = case
        when p_retry_after_ms > 0 then greatest(
          known.blocked_until,
          -- A day at most: a broken header must not switch a provider off for good.
          clock_timestamp() + make_interval(secs => least(p_retry_after_ms, 86400000) / 1000.0)
        )
        else known.blocked_until
      end,
      reported_requests_per_minute = coalesce(p_requests_per_minute, known.reported_requests_per_minute),
      reported_tokens_per_minute = coalesce(p_tokens_per_minute, known.reported_tokens_per_minute),
      updated_at = clock_timestamp()
  where known.provider_name = p_provider_name
    and known.api_endpoint = p_api_endpoint;
  if not found then
    raise exception 'no rate limit is configured for %/%', p_provider_name, p_api_endpoint using errcode = '22023';
  end if;
end
$$;
comment on function public.record_provider_limits(text, text, int, int, int) is
  'What a provider said of itself: everybody waits out a 429, and the smaller of configured and reported limits counts.';
revoke all on function public.record_provider_limits(text, text, int, int, int)
  from public, anon, authenticated, service_role;
grant execute on function public.record_provider_limits(text, text, int, int, int) to service_role;

create or replace function public.get_api_capacity()
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
  is_active boolean
)
language sql
stable
set search_path = ''
as $$
  select
    known.provider_name,
    known.api_endpoint,
    known.concurrent_requests,
    least(known.requests_per_minute, known.reported_requests_per_minute),
    least(known.tokens_per_minute, known.reported_tokens_per_minute),
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
    known.is_active
  from public.api_rate_limits as known
  left join lateral (
    select sum(slots.requests) as requests, sum(slots.tokens) as tokens
    from public.api_usage_slots as slots
    where slots.rate_limit_id = known.id
      and slots.slot > floor(extract(epoch from clock_timestamp()) * 2) - 122
  ) as spent on true
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
  where spent.slot < floor(extract(epoch from clock_timestamp()) * 2) - 240;
  delete from public.api_capacity_reservations as reservation
  where coalesce(reservation.released_at, reservation.expires_at) < clock_timestamp() - interval '10 minutes';
end
$$;
comment on function public.sweep_api_capacity() is 'Forgets what no longer counts.';
revoke all on function public.sweep_api_capacity() from public, anon, authenticated, service_role;
grant execute on function public.sweep_api_capacity() to service_role;

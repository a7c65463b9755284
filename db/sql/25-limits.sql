-- Asking for one outside call. What is counted, and how, stands in 24-limits-counted.sql.

create or replace function public.ask_api_capacity(
  p_provider_name text,
  p_api_endpoint text,
  p_estimated_tokens int default 1000,
  p_job_id uuid default null,
  p_worker_id text default null,
  p_ttl_seconds int default 120
)
returns table (granted boolean, reservation_id uuid, retry_after_ms int, refused_for text, waited_ms numeric)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_limit public.api_rate_limits;
  v_requests_limit bigint;
  v_tokens_limit bigint;
  v_began timestamptz := clock_timestamp();
  v_now timestamptz;
  v_today date;
  v_slot bigint;
  v_window_ms bigint;
  v_window bigint;
  v_under_way bigint;
  v_requests bigint;
  v_tokens bigint;
  v_turn bigint;
  v_expires_at timestamptz;
  v_reservation_id uuid;
begin
  if p_estimated_tokens is null or p_estimated_tokens < 0 then
    raise exception 'p_estimated_tokens must not be negative' using errcode = '22023';
  end if;

  if p_job_id is null then
    v_expires_at := clock_timestamp() + make_interval(secs => p_ttl_seconds);
  else
    select job.lease_expires_at into v_expires_at
    from public.job_queue as job
    where job.id = p_job_id
      and job.status = 'processing'
      and (p_worker_id is null or job.worker_id = p_worker_id);
    if not found then
      raise exception 'job % does not run on this worker (any more)', p_job_id using errcode = '55000';
    end if;
  end if;

  select known.* into v_limit
  from public.api_rate_limits as known
  where known.provider_name = p_provider_name
    and known.api_endpoint = p_api_endpoint
  for no key update;
  if not found then
    raise exception 'no rate limit is configured for %/%', p_provider_name, p_api_endpoint using errcode = '22023';
  end if;

  -- Read after the lock has been got, as are the counts: the holder before us has just changed them.
  v_now := clock_timestamp();
  v_slot := floor(extract(epoch from v_now) * 10);
  v_today := (v_now at time zone 'UTC')::date;
  v_requests_limit := public.counted_limit(
    v_limit.requests_per_minute, v_limit.reported_requests_per_minute, v_limit.reported_at
  );
  v_tokens_limit := public.counted_limit(
    v_limit.tokens_per_minute, v_limit.reported_tokens_per_minute, v_limit.reported_at
  );
  -- A window holds one request at least, or it is longer.
  v_window_ms := least(60000, greatest(v_limit.window_ms, ceil(60000.0 / nullif(v_requests_limit, 0))));
  v_requests_limit := v_requests_limit * v_window_ms / 60000;
  v_tokens_limit := v_tokens_limit * v_window_ms / 60000;
  -- The tenth that has begun, and six more: a call starts a moment after its grant (measured without: 301 calls in one
  -- of the caller's minutes at a limit of 300). Workers do not use a grant that is older. Costs 1.1 % of the limit.
  v_window := ceil(v_window_ms / 100.0) + 7;

  if not v_limit.is_active then
    return query select false, null::uuid, 60000, 'switched_off', 0.0;
    return;
  end if;
  if v_limit.blocked_until > v_now then
    return query
    select
      false,
      null::uuid,
      ceil(extract(epoch from v_limit.blocked_until - v_now) * 1000)::int,
      'pause',
      0.0;
    return;
  end if;
  if p_estimated_tokens > v_tokens_limit then
    raise exception 'a request of % tokens can never fit into the % a minute of %/%',
      p_estimated_tokens, v_tokens_limit, p_provider_name, p_api_endpoint using errcode = '22023';
  end if;

  select count(*) into v_under_way
  from public.api_capacity_reservations as reservation
  where reservation.rate_limit_id = v_limit.id
    and reservation.released_at is null
    and reservation.expires_at > v_now;

  if public.spent_for_today(v_limit, p_estimated_tokens, v_under_way) then
    -- Until tomorrow, but operators who raise a budget are heard within minutes.
    return query
    select
      false,
      null::uuid,
      least(
        300000,
        1 + floor(extract(epoch from (v_today + 1)::timestamp at time zone 'UTC' - v_now) * 1000)
      )::int,
      'day',
      0.0;
    return;
  end if;
  if v_limit.concurrent_requests <= v_under_way then
    -- When a call will end is not known; a worker whose own call ends asks at once.
    return query select false, null::uuid, (250 + random() * 500)::int, 'at_once', 0.0;
    return;
  end if;

  select coalesce(sum(spent.requests), 0), coalesce(sum(spent.tokens), 0)
  into v_requests, v_tokens
  from public.api_usage_slots as spent
  where spent.rate_limit_id = v_limit.id
    and spent.slot > v_slot - v_window;

  if v_requests + 1 > v_requests_limit or v_tokens + p_estimated_tokens > v_tokens_limit then
    v_turn := public.give_turn(
      v_limit,
      v_slot - v_window + 1,
      v_slot - v_window + 25,
      v_requests + 1 - v_requests_limit,
      v_tokens + p_estimated_tokens - v_tokens_limit,
      p_estimated_tokens
    );
    return query
    select
      false,
      null::uuid,
      case
        when v_turn is null then v_window_ms
        else greatest(1, ceil((v_turn + v_window) * 100 - extract(epoch from v_now) * 1000))
      end::int,
      case when v_requests + 1 > v_requests_limit then 'requests' else 'tokens' end,
      0.0;
    return;
  end if;

  insert into public.api_usage_slots as spent (rate_limit_id, slot, requests, tokens)
  values (v_limit.id, v_slot, 1, p_estimated_tokens)
  on conflict (rate_limit_id, slot) do update
  set requests = spent.requests + 1,
      tokens = spent.tokens + excluded.tokens;

  insert into public.api_daily_use as today (rate_limit_id, day, requests, tokens)
  values (v_limit.id, v_today, 1, p_estimated_tokens)
  on conflict (rate_limit_id, day) do update
  set requests = today.requests + 1,
      tokens = today.tokens + excluded.tokens;

  insert into public.api_capacity_reservations as reservation
    (rate_limit_id, job_id, worker_id, slot, estimated_tokens, acquired_at, expires_at)
  values
    (v_limit.id, p_job_id, p_worker_id, v_slot, p_estimated_tokens, v_now, v_expires_at)
  returning reservation.id into v_reservation_id;
  return query
  select true, v_reservation_id, 0, null::text, round(extract(epoch from v_now - v_began) * 1000, 3);
end
$$;
comment on function public.ask_api_capacity(text, text, int, uuid, text, int) is
  'May one call be made now? Requests, tokens, concurrency and the day at once; a refusal says why and when to come back, a grant how long its lock was waited for. Keep the transaction short: the endpoint''s row is locked.';
revoke all on function public.ask_api_capacity(text, text, int, uuid, text, int)
  from public, anon, authenticated, service_role;
grant execute on function public.ask_api_capacity(text, text, int, uuid, text, int) to service_role;

create or replace function public.acquire_api_capacity(
  p_provider_name text,
  p_api_endpoint text,
  p_estimated_tokens int default 1000,
  p_job_id uuid default null,
  p_worker_id text default null,
  p_ttl_seconds int default 120
)
returns table (granted boolean, reservation_id uuid, retry_after_ms int)
language sql
volatile
set search_path = ''
as $$
  select answer.granted, answer.reservation_id, answer.retry_after_ms
  from public.ask_api_capacity(
    p_provider_name, p_api_endpoint, p_estimated_tokens, p_job_id, p_worker_id, p_ttl_seconds
  ) as answer
$$;
comment on function public.acquire_api_capacity(text, text, int, uuid, text, int) is
  'ask_api_capacity in the shape of the contract.';
revoke all on function public.acquire_api_capacity(text, text, int, uuid, text, int)
  from public, anon, authenticated, service_role;
grant execute on function public.acquire_api_capacity(text, text, int, uuid, text, int) to service_role;

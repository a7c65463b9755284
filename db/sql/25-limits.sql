-- What outside services may still be asked for, one truth for the whole fleet.
-- A minute is a sliding one, counted in half seconds: no 60 seconds, wherever they begin, hold more than the limit. (A
-- bucket that refills lets its content and its refill through in one minute; a fixed window both sides of its edge.)

alter table public.api_rate_limits set (fillfactor = 50);
alter table public.api_usage_slots set (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_vacuum_threshold = 500
);
alter table public.api_capacity_reservations set (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.1,
  autovacuum_vacuum_threshold = 500
);

comment on table public.api_rate_limits is
  'Limits of outside services, as data: operators change them, workers follow within seconds. Null means no limit.';
comment on table public.api_usage_slots is
  'Requests and tokens granted in each half second; what is older than a minute no longer counts and is swept.';
comment on table public.api_capacity_reservations is
  'Outside calls under way. Each ends by release or, when its worker dies, with the lease of its job.';

insert into public.api_rate_limits as known
  (provider_name, api_endpoint, requests_per_minute, tokens_per_minute, concurrent_requests)
values
  ('openai', 'gpt-4o-mini', 500, 200000, 50),
  ('google', 'vision-api', 1800, null, 100)
on conflict (provider_name, api_endpoint) do nothing;

create or replace function public.acquire_api_capacity(
  p_provider_name text,
  p_api_endpoint text,
  p_estimated_tokens int default 1000,
  p_job_id uuid default null,
  p_worker_id text default null,
  p_ttl_seconds int default 120
)
returns table (granted boolean, reservation_id uuid, retry_after_ms int)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_limit public.api_rate_limits;
  v_requests_limit int;
  v_tokens_limit int;
  v_now timestamptz;
  v_slot bigint;
  v_requests bigint;
  v_tokens bigint;
  v_free_slot bigint;
  v_expires_at timestamptz;
  v_reservation_id uuid;
  -- 60 s, the half second that has begun, and one more: a call starts a moment after its grant (measured without it:
  -- 301 calls in one of the caller's minutes at a limit of 300). Costs at most 1.6 % of the limit.
  v_window constant int := 122;
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
  v_slot := floor(extract(epoch from v_now) * 2);
  v_requests_limit := least(v_limit.requests_per_minute, v_limit.reported_requests_per_minute);
  v_tokens_limit := least(v_limit.tokens_per_minute, v_limit.reported_tokens_per_minute);

  if not v_limit.is_active then
    return query select false, null::uuid, 60000;
    return;
  end if;
  if v_limit.blocked_until > v_now then
    return query
    select false, null::uuid, ceil(extract(epoch from v_limit.blocked_until - v_now) * 1000)::int;
    return;
  end if;
  if p_estimated_tokens > v_tokens_limit then
    raise exception 'a request of % tokens can never fit into the % a minute of %/%',
      p_estimated_tokens, v_tokens_limit, p_provider_name, p_api_endpoint using errcode = '22023';
  end if;

  if v_limit.concurrent_requests <= (
    select count(*)
    from public.api_capacity_reservations as under_way
    where under_way.rate_limit_id = v_limit.id
      and under_way.released_at is null
      and under_way.expires_at > v_now
  ) then
    -- When a call will end is not known; a fraction of a usual one.
    return query select false, null::uuid, 250;
    return;
  end if;

  select coalesce(sum(spent.requests), 0), coalesce(sum(spent.tokens), 0)
  into v_requests, v_tokens
  from public.api_usage_slots as spent
  where spent.rate_limit_id = v_limit.id
    and spent.slot > v_slot - v_window;

  if v_requests + 1 > v_requests_limit or v_tokens + p_estimated_tokens > v_tokens_limit then
    -- The first half second that, once out of the window, makes room enough.
    select min(leaving.slot) into v_free_slot
    from (
      select
        spent.slot,
        sum(spent.requests) over so_far as requests,
        sum(spent.tokens) over so_far as tokens
      from public.api_usage_slots as spent
      where spent.rate_limit_id = v_limit.id
        and spent.slot > v_slot - v_window
      window so_far as (order by spent.slot)
    ) as leaving
    where (v_requests_limit is null or v_requests - leaving.requests + 1 <= v_requests_limit)
      and (v_tokens_limit is null or v_tokens - leaving.tokens + p_estimated_tokens <= v_tokens_limit);
    return query
    select
      false,
      null::uuid,
      coalesce(
        greatest(1, ceil((v_free_slot + v_window) * 500 - extract(epoch from v_now) * 1000))::int,
        60000
      );
    return;
  end if;

  insert into public.api_usage_slots as spent (rate_limit_id, slot, requests, tokens)
  values (v_limit.id, v_slot, 1, p_estimated_tokens)
  on conflict (rate_limit_id, slot) do update
  set requests = spent.requests + 1,
      tokens = spent.tokens + excluded.tokens;

  insert into public.api_capacity_reservations as reservation
    (rate_limit_id, job_id, worker_id, slot, estimated_tokens, acquired_at, expires_at)
  values
    (v_limit.id, p_job_id, p_worker_id, v_slot, p_estimated_tokens, v_now, v_expires_at)
  returning reservation.id into v_reservation_id;
  return query select true, v_reservation_id, 0;
end
$$;
comment on function public.acquire_api_capacity(text, text, int, uuid, text, int) is
  'May one call be made now? Requests, tokens and concurrency at once; a refusal says when to come back. Keep the transaction short: the endpoint''s row is locked.';
revoke all on function public.acquire_api_capacity(text, text, int, uuid, text, int)
  from public, anon, authenticated, service_role;
grant execute on function public.acquire_api_capacity(text, text, int, uuid, text, int) to service_role;

create or replace function public.release_api_capacity(
  p_provider_name text,
  p_api_endpoint text,
  p_estimated_tokens int,
  p_actual_tokens int default null,
  p_reservation_id uuid default null
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_reservation public.api_capacity_reservations;
begin
  update public.api_capacity_reservations as reservation
  set released_at = clock_timestamp(),
      actual_tokens = p_actual_tokens
  where reservation.id = coalesce(
      p_reservation_id,
      -- Who did not keep the id gives back the oldest call of that size.
      (
        select oldest.id
        from public.api_capacity_reservations as oldest
        join public.api_rate_limits as known on known.id = oldest.rate_limit_id
        where known.provider_name = p_provider_name
          and known.api_endpoint = p_api_endpoint
          and oldest.estimated_tokens = p_estimated_tokens
          and oldest.job_id is null
          and oldest.released_at is null
        order by oldest.acquired_at
        limit 1
        for update of oldest skip locked
      )
    )
    and reservation.actual_tokens is null
    and (reservation.released_at is null or p_actual_tokens is not null)
  returning reservation.* into v_reservation;
  if not found or p_actual_tokens is null then
    return;
  end if;

  -- The truth counts where the estimate was counted, in the half second of the call.
  update public.api_usage_slots as spent
  set tokens = greatest(0, spent.tokens + p_actual_tokens - v_reservation.estimated_tokens)
  where spent.rate_limit_id = v_reservation.rate_limit_id
    and spent.slot = v_reservation.slot;
end
$$;
comment on function public.release_api_capacity(text, text, int, int, uuid) is
  'Ends a call and settles estimate against truth. Calling it again changes nothing.';
revoke all on function public.release_api_capacity(text, text, int, int, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.release_api_capacity(text, text, int, int, uuid) to service_role;

create or replace function public.end_job_reservations(p_job_ids uuid[])
returns void
language sql
volatile
set search_path = ''
as $$
  -- Their tokens stay counted as estimated: nobody knows any better.
  update public.api_capacity_reservations as reservation
  set released_at = clock_timestamp()
  where reservation.job_id = any (p_job_ids)
    and reservation.released_at is null
$$;
comment on function public.end_job_reservations(uuid[]) is
  'A job that no longer runs makes no outside calls: whatever it still held is free again.';
revoke all on function public.end_job_reservations(uuid[]) from public, anon, authenticated, service_role;
grant execute on function public.end_job_reservations(uuid[]) to service_role;

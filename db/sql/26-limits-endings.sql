-- How an outside call ends: with the truth, not made at all, or with its job.

drop function if exists public.release_api_capacity(text, text, int, int, uuid);
create or replace function public.release_api_capacity(
  p_provider_name text,
  p_api_endpoint text,
  p_estimated_tokens int,
  p_actual_tokens int default null,
  p_reservation_id uuid default null,
  p_actual_cost_usd numeric default null
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
  if not found or (p_actual_tokens is null and p_actual_cost_usd is null) then
    return;
  end if;

  -- In the order in which a grant counts, or the two would wait for each other: first the tenth of a second of the call,
  -- where the estimate was counted, then the day.
  if p_actual_tokens is not null then
    update public.api_usage_slots as spent
    set tokens = greatest(0, spent.tokens + p_actual_tokens - v_reservation.estimated_tokens)
    where spent.rate_limit_id = v_reservation.rate_limit_id
      and spent.slot = v_reservation.slot;
  end if;
  update public.api_daily_use as that_day
  set tokens = greatest(
        0, that_day.tokens + coalesce(p_actual_tokens - v_reservation.estimated_tokens, 0)
      ),
      cost_usd = that_day.cost_usd + coalesce(p_actual_cost_usd, 0)
  where that_day.rate_limit_id = v_reservation.rate_limit_id
    and that_day.day = (v_reservation.acquired_at at time zone 'UTC')::date;
end
$$;
comment on function public.release_api_capacity(text, text, int, int, uuid, numeric) is
  'Ends a call and settles estimate against truth. Calling it again changes nothing.';
revoke all on function public.release_api_capacity(text, text, int, int, uuid, numeric)
  from public, anon, authenticated, service_role;
grant execute on function public.release_api_capacity(text, text, int, int, uuid, numeric) to service_role;

create or replace function public.return_api_capacity(p_reservation_id uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_reservation public.api_capacity_reservations;
begin
  delete from public.api_capacity_reservations as reservation
  where reservation.id = p_reservation_id
    and reservation.released_at is null
  returning reservation.* into v_reservation;
  if not found then
    return false;
  end if;
  update public.api_usage_slots as spent
  set requests = spent.requests - 1,
      tokens = spent.tokens - v_reservation.estimated_tokens
  where spent.rate_limit_id = v_reservation.rate_limit_id
    and spent.slot = v_reservation.slot;
  update public.api_daily_use as that_day
  set requests = that_day.requests - 1,
      tokens = that_day.tokens - v_reservation.estimated_tokens
  where that_day.rate_limit_id = v_reservation.rate_limit_id
    and that_day.day = (v_reservation.acquired_at at time zone 'UTC')::date;
  return true;
end
$$;
comment on function public.return_api_capacity(uuid) is
  'A grant whose call was never made, as if it had not been asked for.';
revoke all on function public.return_api_capacity(uuid) from public, anon, authenticated, service_role;
grant execute on function public.return_api_capacity(uuid) to service_role;

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

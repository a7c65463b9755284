-- What callers of the API may still ask for, shared by all servers: token buckets. See server/plugins/request-limits.

-- A level that is lost after a crash is a whole budget. Without the log a statement waits for no disk.
do $$
begin
  if (select relpersistence from pg_catalog.pg_class where oid = 'public.request_allowances'::regclass) <> 'u' then
    alter table public.request_allowances set unlogged;
  end if;
end
$$;
-- Rows change several times a minute and live for minutes: room beside each, so that no index is touched.
alter table public.request_allowances set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

comment on table public.request_allowances is
  'When the budget of a caller (a hash of account or address, and kind of request) will be whole again. Unlogged: lost after a crash, and then whole.';

create or replace function public.take_request_allowances(
  p_caller_keys uuid[],
  p_per_minute int[],
  p_spent int[],
  p_wanted int[]
)
returns table (caller_key uuid, granted int, available float8, retry_after_ms int)
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  -- In one order, here and below: two servers that name the same callers wait for each other, and never in a circle.
  insert into public.request_allowances (caller_key, full_at)
  select asked.caller_key, clock_timestamp()
  from unnest(p_caller_keys) as asked (caller_key)
  order by asked.caller_key
  on conflict do nothing;

  perform
  from public.request_allowances as held
  where held.caller_key = any (p_caller_keys)
  order by held.caller_key
  for no key update;

  v_now := clock_timestamp();
  return query
  with asked as (
    select each.caller_key, 60000.0 / each.per_minute as refill_ms, each.per_minute, each.spent, each.wanted
    from unnest(p_caller_keys, p_per_minute, p_spent, p_wanted) as each (caller_key, per_minute, spent, wanted)
  ),
  levels as (
    select
      asked.*,
      -- A debt has an end: it may come from a time in which nobody could be asked.
      greatest(
        least(
          asked.per_minute
            - greatest(extract(epoch from held.full_at - v_now) * 1000.0, 0) / asked.refill_ms
            - asked.spent,
          asked.per_minute
        ),
        asked.per_minute * -0.1
      ) as level
    from asked
    join public.request_allowances as held on held.caller_key = asked.caller_key
  ),
  grants as (
    select levels.*, least(levels.wanted, greatest(floor(levels.level), 0))::int as granted
    from levels
  )
  update public.request_allowances as held
  set full_at = v_now
    + make_interval(secs => (grants.per_minute - grants.level + grants.granted) * grants.refill_ms / 1000.0)
  from grants
  where held.caller_key = grants.caller_key
  returning
    held.caller_key,
    grants.granted,
    (grants.level - grants.granted)::float8,
    greatest(ceil((1 - grants.level + grants.granted) * grants.refill_ms), 1)::int;
end
$$;
comment on function public.take_request_allowances(uuid[], int[], int[], int[]) is
  'Books what a server let through (or gives back: negative) and hands it as many of the wanted requests as each budget still has.';
revoke all on function public.take_request_allowances(uuid[], int[], int[], int[])
  from public, anon, authenticated, service_role;
grant execute on function public.take_request_allowances(uuid[], int[], int[], int[]) to service_role;

create or replace function public.forget_whole_allowances(p_limit int)
returns bigint
language sql
volatile
set search_path = ''
as $$
  with whole as materialized (
    select held.caller_key
    from public.request_allowances as held
    where held.full_at <= clock_timestamp()
    limit p_limit
    for update skip locked
  ),
  forgotten as (
    delete from public.request_allowances as held
    using whole
    where held.caller_key = whole.caller_key
    returning 1
  )
  select count(*) from forgotten
$$;
comment on function public.forget_whole_allowances(int) is
  'Budgets that are whole again say nothing. Returns how many were forgotten.';
revoke all on function public.forget_whole_allowances(int) from public, anon, authenticated, service_role;
grant execute on function public.forget_whole_allowances(int) to service_role;

-- Sealing the audit: a chain of hashes per month, made by `seal_audit_log` after the rows are committed. Chaining at
-- insert would make every writer in the system wait for every other. docs/sql.md says what the chain proves and what it
-- cannot.

-- Text that does not depend on the session: times as seconds, jsonb in its one canonical form.
create or replace function public.audit_row_hash(p_previous bytea, p_position bigint, p_row public.audit_log) returns bytea
language sql stable set search_path = '' as $$
  select sha256(p_previous || convert_to(
    jsonb_build_array(
      p_position, p_row.id, extract(epoch from p_row.changed_at)::text, p_row.table_name, p_row.record_id,
      p_row.operation, p_row.old_values, p_row.new_values, p_row.reason, p_row.compliance_category, p_row.patient_id,
      p_row.changed_by, p_row.actor_role, p_row.job_id, p_row.correlation_id, host(p_row.ip_address)
    )::text,
    'UTF8'
  ))
$$;
comment on function public.audit_row_hash(bytea, bigint, public.audit_log) is
  'Hash of a row, its place and the hash before it: what sealing writes and verifying computes again.';

create or replace function public.audit_chain_start(p_chain text) returns bytea
language sql immutable set search_path = '' as $$
  select sha256(convert_to('exora audit chain ' || p_chain, 'UTF8'))
$$;
comment on function public.audit_chain_start(text) is 'What stands before the first row of a chain.';

-- Definer: the only way to the chain's columns and to the seals.
create or replace function public.seal_audit_log(p_limit int default 10000) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_row public.audit_log;
  v_seal public.audit_seals;
  v_sealed int := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('audit seal', 0));
  -- A row that commits late is sealed late: the order of the chain is that of sealing, so nothing is passed over.
  for v_row in
    select unsealed.*
    from public.audit_log as unsealed
    where unsealed.row_hash is null
    order by unsealed.changed_at, unsealed.id
    limit p_limit
  loop
    if v_seal.chain is distinct from public.audit_chain_of(v_row.changed_at) then
      perform public.keep_seal(v_seal);
      v_seal := public.last_seal(public.audit_chain_of(v_row.changed_at));
    end if;
    v_seal.last_position := v_seal.last_position + 1;
    v_seal.last_hash := public.audit_row_hash(v_seal.last_hash, v_seal.last_position, v_row);
    v_seal.last_row_id := v_row.id;
    update public.audit_log as sealed
    set chain_position = v_seal.last_position,
        row_hash = v_seal.last_hash
    where sealed.id = v_row.id and sealed.changed_at = v_row.changed_at;
    v_sealed := v_sealed + 1;
  end loop;
  perform public.keep_seal(v_seal);
  return v_sealed;
end
$$;
comment on function public.seal_audit_log(int) is
  'Gives rows their place and hash in the chain of their month, oldest first; returns how many. Run it every minute.';

create or replace function public.last_seal(p_chain text) returns public.audit_seals
language plpgsql stable set search_path = '' as $$
declare
  v_seal public.audit_seals;
begin
  select * into v_seal
  from public.audit_seals as seal
  where seal.chain = p_chain
  order by seal.last_position desc
  limit 1;
  if not found then
    v_seal.chain := p_chain;
    v_seal.last_position := 0;
    v_seal.last_hash := public.audit_chain_start(p_chain);
  end if;
  return v_seal;
end
$$;
comment on function public.last_seal(text) is 'How far a chain was sealed; an unwritten seal at place 0 for a new one.';

create or replace function public.keep_seal(p_seal public.audit_seals) returns void
language sql volatile set search_path = '' as $$
  insert into public.audit_seals (chain, last_position, last_row_id, last_hash)
  select p_seal.chain, p_seal.last_position, p_seal.last_row_id, p_seal.last_hash
  where p_seal.last_position > 0
$$;
comment on function public.keep_seal(public.audit_seals) is 'Writes how far a chain is sealed now.';

create or replace function public.audit_closing_hash(p_previous bytea, p_closing public.audit_seals) returns bytea
language sql immutable set search_path = '' as $$
  select sha256(p_previous || convert_to(
    jsonb_build_array(
      'dropped', p_closing.last_position, p_closing.last_row_id, extract(epoch from p_closing.dropped_at)::text
    )::text,
    'UTF8'
  ))
$$;
comment on function public.audit_closing_hash(bytea, public.audit_seals) is
  'Hash of the seal that closes a dropped month: it follows the last row''s, and names the audit row that tells of the dropping.';

-- A month that was dropped when its years were over (74-audit-retention.sql) is not broken: a last seal closes it, and
-- an audit row of the month in which it was dropped says so, as long as that month itself is kept.
create or replace function public.broken_closing(p_closing public.audit_seals) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  v_month timestamptz := public.audit_month_of(p_closing.chain);
  v_stray uuid;
begin
  select stray.id into v_stray
  from public.audit_log as stray
  where stray.changed_at >= v_month
    and stray.changed_at < (v_month at time zone 'UTC' + interval '1 month') at time zone 'UTC'
  order by stray.changed_at, stray.id
  limit 1;
  if found then
    return v_stray;
  end if;
  if not exists (
      select from public.audit_seals as seal
      where seal.chain = p_closing.chain
        and seal.last_position = p_closing.last_position - 1
        and p_closing.last_hash = public.audit_closing_hash(seal.last_hash, p_closing)
    )
    or not exists (
      select from public.audit_log as told
      where told.id = p_closing.last_row_id
        and told.table_name = 'audit_log'
        and told.record_id = p_closing.chain
        and told.operation = 'DELETE'
      union all
      select from public.audit_seals as later
      where later.chain = public.audit_chain_of(p_closing.dropped_at) and later.dropped_at is not null
    ) then
    return p_closing.last_row_id;
  end if;
  return null;
end
$$;
comment on function public.broken_closing(public.audit_seals) is
  'Where a dropped month does not hold: a row that came back, or the row that should tell of the dropping. Null = it holds.';

create or replace function public.first_broken_audit_row(p_chain text) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  v_row public.audit_log;
  v_seal public.audit_seals := public.last_seal(p_chain);
  v_position bigint := 0;
  v_hash bytea := public.audit_chain_start(p_chain);
  v_month timestamptz := public.audit_month_of(p_chain);
begin
  if v_seal.dropped_at is not null then
    return public.broken_closing(v_seal);
  end if;
  for v_row in
    select sealed.*
    from public.audit_log as sealed
    where sealed.changed_at >= v_month
      and sealed.changed_at < (v_month at time zone 'UTC' + interval '1 month') at time zone 'UTC'
      and (sealed.row_hash is not null or sealed.chain_position is not null)
    order by sealed.chain_position nulls first, sealed.id
  loop
    v_position := v_position + 1;
    v_hash := public.audit_row_hash(v_hash, v_position, v_row);
    if (v_row.chain_position, v_row.row_hash) is distinct from (v_position, v_hash) then
      return v_row.id;
    end if;
  end loop;
  -- Whole so far; but is it all that was sealed?
  if (v_position, v_hash) is distinct from (v_seal.last_position, v_seal.last_hash) then
    return coalesce(v_seal.last_row_id, v_row.id);
  end if;
  return null;
end
$$;
comment on function public.first_broken_audit_row(text) is
  'Walks a chain from its start; the row at which it, or its last seal, does not hold. Null = whole.';

-- Definer: the seals are open to nobody. Names of parts first: to look for months in the rows would be to read the whole log once more.
create or replace function public.audit_chains() returns setof text
language sql stable security definer set search_path = '' as $$
  select class.relname::text
  from pg_catalog.pg_inherits as part
  join pg_catalog.pg_class as class on class.oid = part.inhrelid
  where part.inhparent = 'public.audit_log'::regclass and class.relname <> 'audit_log_default'
  union
  select public.audit_chain_of(stray.changed_at)
  from public.audit_log as stray
  where stray.tableoid = to_regclass('public.audit_log_default')
  union
  select seal.chain from public.audit_seals as seal
  order by 1
$$;
comment on function public.audit_chains() is
  'The months of the log, whether they are there or only their seals tell of them.';

create or replace function public.audit_month_end(p_chain text) returns timestamptz
language sql stable set search_path = '' as $$
  select (public.audit_month_of(p_chain) at time zone 'UTC' + interval '1 month') at time zone 'UTC'
$$;
comment on function public.audit_month_end(text) is 'When the month after that of a chain begins (UTC).';

-- Definer: reads the seals, which are open to nobody.
create or replace function public.verify_audit_chain(p_chain text)
returns table (rows bigint, unsealed bigint, first_broken uuid, last_position bigint, last_hash bytea)
language sql stable security definer set search_path = '' as $$
  select counted.rows, counted.unsealed, public.first_broken_audit_row(p_chain), seal.last_position, seal.last_hash
  from (
    select count(*) as rows, count(*) filter (where log.row_hash is null) as unsealed
    from public.audit_log as log
    -- As InitPlans: once for the statement, not once for each row.
    where log.changed_at >= (select public.audit_month_of(p_chain))
      and log.changed_at < (select public.audit_month_end(p_chain))
  ) as counted
  cross join public.last_seal(p_chain) as seal
$$;
comment on function public.verify_audit_chain(text) is
  'Computes the chain of one month again; with its newest seal (place 0 = never sealed), which can be kept where nobody here reaches it.';

-- Definer: as the one before. Of the row, not of the seal: what is verified by computing is what must equal the kept one.
-- Of a month that was dropped only the seals are left.
create or replace function public.audit_hash_at(p_chain text, p_position bigint) returns bytea
language sql stable security definer set search_path = '' as $$
  select coalesce(
    (
      select log.row_hash
      from public.audit_log as log
      where log.changed_at >= (select public.audit_month_of(p_chain))
        and log.changed_at < (select public.audit_month_end(p_chain))
        and log.chain_position = p_position
      limit 1
    ),
    (
      select seal.last_hash
      from public.audit_seals as seal
      where seal.chain = p_chain
        and seal.last_position = p_position
        and exists (
          select from public.audit_seals as closing
          where closing.chain = p_chain and closing.dropped_at is not null
        )
    )
  )
$$;
comment on function public.audit_hash_at(text, bigint) is
  'The hash at a place of a chain: to be compared with a seal that was kept elsewhere. Null if there is no such place.';

create or replace function public.verify_audit_log()
returns table (partition text, rows bigint, unsealed bigint, first_broken uuid)
language sql stable set search_path = '' as $$
  select chain.name, verified.rows, verified.unsealed, verified.first_broken
  from public.audit_chains() as chain (name)
  cross join lateral public.verify_audit_chain(chain.name) as verified
  -- A month that has not begun is no chain yet.
  where verified.rows > 0 or verified.last_position > 0
  order by chain.name
$$;
comment on function public.verify_audit_log() is
  'Computes every chain again: names, month by month, the first row that was altered, removed or slipped in.';

revoke all on function
  public.audit_row_hash(bytea, bigint, public.audit_log),
  public.audit_chain_start(text),
  public.seal_audit_log(int),
  public.last_seal(text),
  public.keep_seal(public.audit_seals),
  public.audit_closing_hash(bytea, public.audit_seals),
  public.broken_closing(public.audit_seals),
  public.first_broken_audit_row(text),
  public.audit_chains(),
  public.audit_month_end(text),
  public.verify_audit_chain(text),
  public.audit_hash_at(text, bigint),
  public.verify_audit_log()
from public, anon, authenticated, service_role;

grant execute on function public.seal_audit_log(int) to service_role;
grant execute on function public.audit_chains() to service_role;
grant execute on function public.verify_audit_chain(text) to service_role;
grant execute on function public.audit_hash_at(text, bigint) to service_role;
grant execute on function public.verify_audit_log() to service_role;

-- Keeping the audit: rows that nobody changes or removes, in parts by month (UTC) that exist before they are needed.

-- Grants already keep every role out; this holds for the owner too. The one change there is: taking a place in the chain.
create or replace function public.guard_audit_row() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  if tg_op = 'UPDATE'
    and old.row_hash is null
    and old.chain_position is null
    and new.row_hash is not null
    and new.chain_position is not null
    and to_jsonb(new) - 'row_hash' - 'chain_position' = to_jsonb(old) - 'row_hash' - 'chain_position' then
    return new;
  end if;
  raise exception 'Audit rows are never changed or removed.' using errcode = 'insufficient_privilege';
end
$$;
comment on function public.guard_audit_row() is 'Audit rows are append-only; sealing sets the two columns of the chain, once.';
drop trigger if exists append_only on public.audit_log;
create trigger append_only before update or delete on public.audit_log
  for each row execute function public.guard_audit_row();
drop trigger if exists append_only on public.audit_seals;
create trigger append_only before update or delete on public.audit_seals
  for each row execute function public.refuse_change();
drop trigger if exists no_truncate on public.audit_seals;
create trigger no_truncate before truncate on public.audit_seals
  for each statement execute function public.refuse_change();

create or replace function public.audit_chain_of(p_at timestamptz) returns text
language sql immutable set search_path = '' as $$
  select 'audit_log_' || to_char(p_at at time zone 'UTC', 'YYYY_MM')
$$;
comment on function public.audit_chain_of(timestamptz) is 'The month (UTC) of a row: the name of its chain, and of its partition.';

create or replace function public.audit_month_of(p_chain text) returns timestamptz
language sql stable set search_path = '' as $$
  select to_timestamp(p_chain || ' 01 +00', '"audit_log_"YYYY_MM DD TZH')
$$;
comment on function public.audit_month_of(text) is 'When the month of a chain begins.';

create or replace function public.attach_audit_partition(p_name text, p_bounds text) returns void
language plpgsql volatile set search_path = '' as $$
begin
  execute format(
    'create table public.%I (like public.audit_log including defaults including constraints including comments)', p_name
  );
  perform public.protect_table(format('public.%I', p_name)::regclass);
  execute format(
    'create trigger no_truncate before truncate on public.%I for each statement execute function public.refuse_change()',
    p_name
  );
  execute format('comment on table public.%I is %L', p_name, 'Part of audit_log.');
  -- Attaching locks the log more lightly than creating in place.
  execute format('alter table public.audit_log attach partition public.%I %s', p_name, p_bounds);
end
$$;
comment on function public.attach_audit_partition(text, text) is
  'A new part of the log: closed to every role, with row level security of its own, since a part can be named directly.';

-- Definer: makes tables.
create or replace function public.ensure_audit_partitions(p_months_ahead int default null) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_ahead int := coalesce(p_months_ahead, public.configured_number('audit.partition_months_ahead', 3)::int);
  v_stray boolean := false;
  v_month timestamp;
  v_made int := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('audit partitions', 0));
  -- Rows of a month that nobody made a part for (a clock far off, a schedule that did not run) stand in the default
  -- part and would forbid to make it: the default is taken off, and its rows are written again through the log.
  if to_regclass('public.audit_log_default') is not null then
    execute 'select exists (select from public.audit_log_default)' into v_stray;
  end if;
  if v_stray then
    alter table public.audit_log detach partition public.audit_log_default;
    alter table public.audit_log_default rename to audit_log_strays;
  end if;
  if to_regclass('public.audit_log_default') is null then
    perform public.attach_audit_partition('audit_log_default', 'default');
  end if;

  for v_month in execute
    'select date_trunc(''month'', now() at time zone ''UTC'') + make_interval(months => step)
     from generate_series(0, $1) as step'
    || case when v_stray then
      ' union select date_trunc(''month'', stray.changed_at at time zone ''UTC'') from public.audit_log_strays as stray'
      else '' end
    using v_ahead
  loop
    if to_regclass('public.' || public.audit_chain_of(v_month at time zone 'UTC')) is null then
      perform public.attach_audit_partition(
        public.audit_chain_of(v_month at time zone 'UTC'),
        format('for values from (%L) to (%L)', v_month || '+00', (v_month + interval '1 month') || '+00')
      );
      v_made := v_made + 1;
    end if;
  end loop;

  if v_stray then
    execute 'insert into public.audit_log select stray.* from public.audit_log_strays as stray';
    execute 'drop table public.audit_log_strays';
  end if;
  return v_made;
end
$$;
comment on function public.ensure_audit_partitions(int) is
  'Makes the months of the log that are missing, ahead of time, and empties the default part; returns how many it made.';

select public.ensure_audit_partitions();

revoke all on function
  public.guard_audit_row(),
  public.audit_chain_of(timestamptz),
  public.audit_month_of(text),
  public.attach_audit_partition(text, text),
  public.ensure_audit_partitions(int)
from public, anon, authenticated, service_role;

grant execute on function public.ensure_audit_partitions(int) to service_role;

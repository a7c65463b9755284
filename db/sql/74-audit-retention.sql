-- The end of the audit: months are dropped whole when their years are over (retention_rules), seals are kept for ever.

-- Definer: drops tables. Taking a part off needs the log for itself: whoever writes is waited for two seconds at most, and
-- if that is not enough, the next day will do.
create or replace function public.drop_old_audit_partitions() returns setof text
language plpgsql volatile security definer set search_path = '' set lock_timeout = '2s' as $$
declare
  v_before constant timestamptz := now() - public.retention_period('audit_log');
  v_chain text;
  v_seal public.audit_seals;
begin
  perform pg_advisory_xact_lock(hashtextextended('audit partitions', 0));
  perform pg_advisory_xact_lock(hashtextextended('audit seal', 0));
  for v_chain in
    select part.relname
    from pg_catalog.pg_inherits as inherited
    join pg_catalog.pg_class as part on part.oid = inherited.inhrelid
    where inherited.inhparent = 'public.audit_log'::regclass and part.relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$'
    order by part.relname
  loop
    exit when (public.audit_month_of(v_chain) at time zone 'UTC' + interval '1 month') at time zone 'UTC' > v_before
      or v_before is null;
    -- What was not sealed, or does not hold, is kept: somebody has to look at it first.
    continue when public.has_unsealed_rows(v_chain) or public.first_broken_audit_row(v_chain) is not null;

    v_seal := public.last_seal(v_chain);
    v_seal.last_row_id := public.log_audit_event(
      p_table_name => 'audit_log',
      p_record_id => v_chain,
      p_operation => 'DELETE',
      p_old_values => jsonb_build_object('rows', v_seal.last_position, 'last_hash', encode(v_seal.last_hash, 'hex')),
      p_reason => 'its years are over',
      p_compliance_category => 'configuration'
    );
    if v_seal.last_position > 0 then
      v_seal.last_position := v_seal.last_position + 1;
      v_seal.dropped_at := clock_timestamp();
      insert into public.audit_seals (chain, last_position, last_row_id, last_hash, dropped_at)
      values (v_chain, v_seal.last_position, v_seal.last_row_id, public.audit_closing_hash(v_seal.last_hash, v_seal),
        v_seal.dropped_at);
    end if;
    execute format('alter table public.audit_log detach partition public.%I', v_chain);
    execute format('drop table public.%I', v_chain);
    return next v_chain;
  end loop;
end
$$;
comment on function public.drop_old_audit_partitions() is
  'Drops months of the log that are older than their rule, sealed and whole; writes that into the log and closes their chains. Returns their names.';

create or replace function public.has_unsealed_rows(p_chain text) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from public.audit_log as row_of_month
    where row_of_month.changed_at >= public.audit_month_of(p_chain)
      and row_of_month.changed_at < (public.audit_month_of(p_chain) at time zone 'UTC' + interval '1 month') at time zone 'UTC'
      and row_of_month.row_hash is null
  )
$$;
comment on function public.has_unsealed_rows(text) is 'Is there a row of this month that has no place in its chain yet?';

revoke all on function
  public.drop_old_audit_partitions(),
  public.has_unsealed_rows(text)
from public, anon, authenticated, service_role;

grant execute on function public.drop_old_audit_partitions() to service_role;

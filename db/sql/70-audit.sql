-- Audit: exactly one row for each change of state, in the transaction that changes it, or the change does not happen.
--
-- Rows hold ids, states, sizes and names of columns, never what people or documents say. They are partitioned by month
-- (UTC) and sealed into a chain of hashes per month afterwards, by `seal_audit_log`: chaining at insert would make every
-- writer in the system wait for every other. docs/sql.md says what the chain proves and what it cannot.

-- Writing ----------------------------------------------------------------------------------------------------------

-- Definer: no role may insert into the log; what may be said is what this function takes, and who says it is derived.
create or replace function public.log_audit_event(
  p_table_name text,
  p_record_id text,
  p_operation text,
  p_old_values jsonb default null,
  p_new_values jsonb default null,
  p_reason text default null,
  p_compliance_category text default null,
  p_patient_id uuid default null
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_audit_id uuid;
begin
  insert into public.audit_log
    (table_name, record_id, operation, old_values, new_values, reason, compliance_category, patient_id,
      changed_by, actor_role, job_id, correlation_id, ip_address)
  select p_table_name, p_record_id, p_operation, p_old_values, p_new_values, p_reason, p_compliance_category, p_patient_id,
    context.actor_id, context.actor_role, context.job_id, context.correlation_id, context.client_address
  from public.request_context() as context
  returning id into strict v_audit_id;
  return v_audit_id;
end
$$;
comment on function public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid) is
  'Writes an audit row with the actor, job and correlation of this transaction; raises when it cannot. Server side only.';

create or replace function public.pick_columns(p_row jsonb, p_columns text[]) returns jsonb
language sql immutable set search_path = '' as $$
  select coalesce(jsonb_object_agg(field.key, field.value), '{}')
  from jsonb_each(p_row) as field (key, value)
  where field.key = any (p_columns)
$$;
comment on function public.pick_columns(jsonb, text[]) is 'These columns of a row, and no others.';

create or replace function public.changed_columns(p_old jsonb, p_new jsonb) returns text[]
language sql immutable set search_path = '' as $$
  select coalesce(array_agg(field.key order by field.key), '{}')
  from jsonb_each(p_new) as field (key, value)
  where field.value is distinct from p_old -> field.key
$$;
comment on function public.changed_columns(jsonb, jsonb) is 'Names of the columns in which two versions of a row differ.';

-- Definer: clients who edit their profile write the log through it.
-- Arguments: category, key columns, column of the patient ('' = none, 'shell_file_id' = the file's), columns whose
-- values may be kept, columns that are derived from another audited row and count as no change.
create or replace function public.audit_row_change() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  v_new jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  v_row jsonb := coalesce(v_new, v_old);
  v_kept text[] := string_to_array(tg_argv[3], ',');
  v_changed text[];
  v_unsaid text[];
  v_patient_id uuid;
begin
  if tg_op = 'UPDATE' then
    select array(select unnest(public.changed_columns(v_old, v_new)) except select unnest(string_to_array(tg_argv[4], ',')))
    into v_changed;
    if v_changed = '{}' then
      return null;
    end if;
    v_unsaid := array(select unnest(v_changed) except select unnest(v_kept) order by 1);
    v_kept := array(select unnest(v_changed) intersect select unnest(v_kept));
  end if;

  if tg_argv[2] = 'shell_file_id' then
    select file.patient_id into v_patient_id
    from public.shell_files as file
    where file.id = (v_row ->> 'shell_file_id')::uuid;
  else
    v_patient_id := (v_row ->> tg_argv[2])::uuid;
  end if;

  perform public.log_audit_event(
    p_table_name => tg_table_name,
    p_record_id => (
      select string_agg(v_row ->> part.name, '/' order by part.place)
      from unnest(string_to_array(tg_argv[1], ',')) with ordinality as part (name, place)
    ),
    p_operation => tg_op,
    p_old_values => case when v_old is not null then public.pick_columns(v_old, v_kept) end,
    p_new_values => case when v_new is not null then public.pick_columns(v_new, v_kept)
      || case when v_unsaid <> '{}' then jsonb_build_object('changed', v_unsaid) else '{}' end
    end,
    p_compliance_category => tg_argv[0],
    p_patient_id => v_patient_id
  );
  return null;
end
$$;
comment on function public.audit_row_change() is
  'One audit row for a changed row: allowed values, and the names alone of the other columns that changed.';

-- What is audited. Rows that are made in bulk are covered by the row that they hang off: stages as they are made, pages,
-- texts, words, sources and code candidates by their file or fact; new spokes by their event; counters by the ledger;
-- the ways of a job by its stage (dead letters and what operators do to jobs are written by 20-queue.sql).
do $$
declare
  v_rule record;
begin
  for v_rule in
    select *
    from (values
      ('user_profiles', 'insert or update or delete', '', 'identity', 'id', 'id',
        'account_owner_id,profile_type,archived_at', 'updated_at'),
      ('profile_access_permissions', 'insert or update or delete', '', 'access_control', 'id', 'profile_id',
        'profile_id,account_id,permission_level,granted_by,starts_at,ends_at,accepted_at,revoked_at', ''),
      ('account_roles', 'insert or update or delete', '', 'access_control', 'account_id,role', '', 'account_id,role', ''),
      ('shell_files', 'insert or update or delete', '', 'document', 'id', 'patient_id',
        'patient_id,uploaded_by,mime_type,size_bytes,sha256,review_state,page_count,quality_grade,is_kept_copy,deleted_at',
        'status,processing_error,updated_at'),
      ('shell_file_stages', 'update', 'when (old.status is distinct from new.status)', 'document',
        'shell_file_id,stage', 'shell_file_id', 'status,version', 'pages_done,pages_total,started_at,finished_at'),
      ('manual_review_queue', 'insert or update or delete', '', 'identity', 'id', 'patient_id',
        'shell_file_id,review_type,status,decided_by,decided_at', ''),
      ('entity_processing_audit_v2', 'update', 'when (old.review is distinct from new.review)', 'clinical_data', 'id',
        'patient_id', 'shell_file_id,decision,review,reviewed_by,event_id', 'updated_at'),
      ('healthcare_encounters', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id', 'shell_file_id', ''),
      ('patient_clinical_events', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id',
        'shell_file_id,encounter_id,event_type,review,archived_at', 'updated_at'),
      ('patient_observations', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_medications', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_conditions', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_allergies', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_immunizations', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('patient_interventions', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('family_history', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('social_history', 'update or delete', '', 'clinical_data', 'event_id', 'patient_id', '', ''),
      ('clinical_narratives', 'insert or update or delete', '', 'clinical_data', 'id', 'patient_id', 'shell_file_id', ''),
      ('account_subscriptions', 'insert or update or delete', '', 'usage', 'id', '',
        'account_id,plan_type,effective_from,effective_to', ''),
      ('subscription_plans', 'insert or update or delete', '', 'configuration', 'plan_type', '',
        'shell_files_limit,pages_limit,ai_tokens_limit,storage_mb_limit,monthly_price', ''),
      ('feature_flags', 'insert or update or delete', '', 'configuration', 'feature_name', '', 'enabled', 'updated_at'),
      ('system_configuration', 'insert or update or delete', '', 'configuration', 'config_key', '', 'config_value',
        'updated_at'),
      ('api_rate_limits',
        'insert or update of requests_per_minute, tokens_per_minute, concurrent_requests, is_active or delete', '',
        'configuration', 'id', '',
        'provider_name,api_endpoint,requests_per_minute,tokens_per_minute,concurrent_requests,is_active', 'updated_at')
    ) as audited (table_name, events, condition, category, key_columns, patient_column, kept, derived)
  loop
    execute format('drop trigger if exists audit on public.%I', v_rule.table_name);
    execute format(
      'create trigger audit after %s on public.%I for each row %s execute function public.audit_row_change(%L, %L, %L, %L, %L)',
      v_rule.events, v_rule.table_name, v_rule.condition,
      v_rule.category, v_rule.key_columns, v_rule.patient_column, v_rule.kept, v_rule.derived
    );
  end loop;
end
$$;

-- Keeping ----------------------------------------------------------------------------------------------------------

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

-- Sealing ----------------------------------------------------------------------------------------------------------

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

create or replace function public.first_broken_audit_row(p_chain text) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  v_row public.audit_log;
  v_seal public.audit_seals := public.last_seal(p_chain);
  v_position bigint := 0;
  v_hash bytea := public.audit_chain_start(p_chain);
  v_month timestamptz := to_timestamp(p_chain || ' 01 +00', '"audit_log_"YYYY_MM DD TZH');
begin
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

-- Definer: reads the seals, which are open to nobody.
create or replace function public.verify_audit_log()
returns table (partition text, rows bigint, unsealed bigint, first_broken uuid)
language sql stable security definer set search_path = '' as $$
  with counted as (
    select public.audit_chain_of(log.changed_at) as chain, count(*) as rows, count(*) filter (where log.row_hash is null) as unsealed
    from public.audit_log as log
    group by 1
  ),
  chains as (
    select counted.chain from counted
    union
    select seal.chain from public.audit_seals as seal
  )
  select chains.chain, coalesce(counted.rows, 0), coalesce(counted.unsealed, 0), public.first_broken_audit_row(chains.chain)
  from chains
  left join counted using (chain)
  order by chains.chain
$$;
comment on function public.verify_audit_log() is
  'Computes every chain again: names, month by month, the first row that was altered, removed or slipped in.';

select public.ensure_audit_partitions();

revoke all on function
  public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid),
  public.pick_columns(jsonb, text[]),
  public.changed_columns(jsonb, jsonb),
  public.audit_row_change(),
  public.guard_audit_row(),
  public.audit_chain_of(timestamptz),
  public.attach_audit_partition(text, text),
  public.ensure_audit_partitions(int),
  public.audit_row_hash(bytea, bigint, public.audit_log),
  public.audit_chain_start(text),
  public.seal_audit_log(int),
  public.last_seal(text),
  public.keep_seal(public.audit_seals),
  public.first_broken_audit_row(text),
  public.verify_audit_log()
from public, anon, authenticated, service_role;

grant execute on function public.log_audit_event(text, text, text, jsonb, jsonb, text, text, uuid) to service_role;
grant execute on function public.ensure_audit_partitions(int) to service_role;
grant execute on function public.seal_audit_log(int) to service_role;
grant execute on function public.verify_audit_log() to service_role;

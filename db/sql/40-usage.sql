-- Usage: plans, the ledger of what was used, the counters derived from it, and what an account may still do.
--
-- An account pays for all its profiles. A month (cycle) is one of the account holder's own calendar: the time zone of
-- the self profile. Files, pages and tokens are counted per cycle; storage is a gauge, the sum over all cycles.
-- Limits are enforced only with the flag on, and only where something new is added: reading and exporting are free.

insert into public.subscription_plans
  (plan_type, display_name, shell_files_limit, pages_limit, ai_tokens_limit, storage_mb_limit, monthly_price, sort_order)
values
  ('free', 'Free', 10, 100, 50000, 100, 0, 1),
  ('basic', 'Basic', 100, 1000, 500000, 1000, 9.99, 2),
  ('premium', 'Premium', 500, 5000, 2500000, 5000, 29.99, 3),
  ('enterprise', 'Enterprise', null, null, null, null, 99.99, 4)
on conflict (plan_type) do nothing;

insert into public.feature_flags (feature_name, enabled, description)
values
  ('usage_tracking_enabled', true, 'Uploads and AI work are written to the usage ledger.'),
  ('usage_limits_enforced', false, 'An upload past the limits of its plan is refused instead of answered with a warning.'),
  ('upgrade_prompts_enabled', false, 'People near a limit are shown the larger plans.'),
  ('billing_enabled', false, 'Plans are charged for.')
on conflict (feature_name) do nothing;

insert into public.system_configuration (config_key, config_value, description)
values
  ('usage.warning_percentage', '80', 'From this share of a limit on, usage answers carry a warning.'),
  ('idempotency.keep_hours', '48', 'How long the answer to an upload is kept for replays of its key; never under 24.'),
  ('audit.partition_months_ahead', '3', 'How many months of audit partitions exist before they are needed.')
on conflict (config_key) do nothing;

drop trigger if exists touch on public.feature_flags;
create trigger touch before update on public.feature_flags
  for each row execute function public.touch_updated_at();
drop trigger if exists touch on public.system_configuration;
create trigger touch before update on public.system_configuration
  for each row execute function public.touch_updated_at();

create or replace function public.feature_enabled(p_feature_name text) returns boolean
language sql stable set search_path = '' as $$
  select coalesce((select flag.enabled from public.feature_flags as flag where flag.feature_name = p_feature_name), false)
$$;
comment on function public.feature_enabled(text) is 'Is this switch on? An unknown switch is off.';

create or replace function public.configured_number(p_config_key text, p_default numeric) returns numeric
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select (setting.config_value #>> '{}')::numeric
      from public.system_configuration as setting
      where setting.config_key = p_config_key and jsonb_typeof(setting.config_value) = 'number'
    ),
    p_default
  )
$$;
comment on function public.configured_number(text, numeric) is 'A number that operators may change while everything runs.';

-- Account, cycle, plan ---------------------------------------------------------------------------------------------

create or replace function public.account_of_profile(p_profile_id uuid) returns uuid
language sql stable set search_path = '' as $$
  select profile.account_owner_id from public.user_profiles as profile where profile.id = p_profile_id
$$;
comment on function public.account_of_profile(uuid) is 'Who pays for a profile; derived, never an argument.';

create or replace function public.account_time_zone(p_account_id uuid) returns text
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select profile.time_zone
      from public.user_profiles as profile
      where profile.account_owner_id = p_account_id and profile.profile_type = 'self'
    ),
    'UTC'
  )
$$;
comment on function public.account_time_zone(uuid) is 'The calendar by which an account''s months are counted.';

create or replace function public.usage_cycle(p_account_id uuid, p_at timestamptz default now())
returns table (first_day date, last_day date, resets_at timestamptz)
language sql stable set search_path = '' as $$
  select
    month.start::date,
    (month.start + interval '1 month' - interval '1 day')::date,
    (month.start + interval '1 month') at time zone month.zone
  from (
    select date_trunc('month', p_at at time zone account.zone) as start, account.zone
    from (select public.account_time_zone(p_account_id)) as account (zone)
  ) as month
$$;
comment on function public.usage_cycle(uuid, timestamptz) is
  'The month that an instant falls into for this account, and the instant at which the next begins.';

create or replace function public.account_plan(p_account_id uuid) returns setof public.subscription_plans
language sql stable set search_path = '' as $$
  select plan.*
  from public.subscription_plans as plan
  where plan.plan_type = coalesce(
    (
      select subscription.plan_type
      from public.account_subscriptions as subscription
      where subscription.account_id = p_account_id
        and subscription.effective_from <= now()
        and (subscription.effective_to is null or subscription.effective_to > now())
      order by subscription.effective_from desc
      limit 1
    ),
    'free'
  )
$$;
comment on function public.account_plan(uuid) is 'The plan that holds for an account now; without a subscription, free.';

-- Definer: takes the lock that no role may call by itself.
create or replace function public.set_account_plan(p_account_id uuid, p_plan_type text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_subscription_id uuid;
begin
  perform public.lock_usage_account(p_account_id);
  update public.account_subscriptions as current
  set effective_to = now()
  where current.account_id = p_account_id and current.effective_to is null;
  insert into public.account_subscriptions (account_id, plan_type)
  values (p_account_id, p_plan_type)
  returning id into v_subscription_id;
  return v_subscription_id;
end
$$;
comment on function public.set_account_plan(uuid, text) is 'From now on this account has this plan; the earlier one ends.';

-- The ledger and its counters --------------------------------------------------------------------------------------

create or replace function public.refuse_change() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  raise exception 'Rows of % are never changed or removed.', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
comment on function public.refuse_change() is 'Guards append-only tables, against their owner too.';

drop trigger if exists append_only on public.usage_events;
create trigger append_only before update or delete on public.usage_events
  for each row execute function public.refuse_change();
drop trigger if exists no_truncate on public.usage_events;
create trigger no_truncate before truncate on public.usage_events
  for each statement execute function public.refuse_change();

-- Definer: the ledger decides who pays and in which month, and no role writes the counters.
create or replace function public.settle_usage_event() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  if tg_when = 'BEFORE' then
    new.account_id := public.account_of_profile(new.profile_id);
    select cycle.first_day into new.cycle_start from public.usage_cycle(new.account_id, new.occurred_at) as cycle;
    return new;
  end if;

  insert into public.user_usage_tracking as counter
    (account_id, profile_id, cycle_start, shell_files, pages, ai_tokens, ai_seconds, storage_bytes)
  values
    (new.account_id, new.profile_id, new.cycle_start, new.shell_files, new.pages, new.ai_tokens, new.ai_seconds,
      new.storage_bytes)
  on conflict (account_id, cycle_start, profile_id) do update
  set shell_files = counter.shell_files + excluded.shell_files,
      pages = counter.pages + excluded.pages,
      ai_tokens = counter.ai_tokens + excluded.ai_tokens,
      ai_seconds = counter.ai_seconds + excluded.ai_seconds,
      storage_bytes = counter.storage_bytes + excluded.storage_bytes,
      updated_at = now();
  return null;
end
$$;
comment on function public.settle_usage_event() is
  'Fills in who pays and the month before a ledger row is written, and adds it to the counters after.';
drop trigger if exists derive on public.usage_events;
create trigger derive before insert on public.usage_events
  for each row execute function public.settle_usage_event();
drop trigger if exists count on public.usage_events;
create trigger count after insert on public.usage_events
  for each row execute function public.settle_usage_event();

-- Limits -----------------------------------------------------------------------------------------------------------

create or replace function public.lock_usage_account(p_account_id uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('usage account ' || p_account_id, 0))
$$;
comment on function public.lock_usage_account(uuid) is
  'One upload of an account after the other while limits are enforced: two cannot both take what only one may have.';

create or replace function public.account_meters(p_account_id uuid)
returns table (meter text, used numeric, allowed numeric)
language sql stable set search_path = '' as $$
  with counted as (
    select
      coalesce(sum(counter.shell_files) filter (where counter.cycle_start = cycle.first_day), 0) as shell_files,
      coalesce(sum(counter.pages) filter (where counter.cycle_start = cycle.first_day), 0) as pages,
      coalesce(sum(counter.ai_tokens) filter (where counter.cycle_start = cycle.first_day), 0) as ai_tokens,
      coalesce(sum(counter.storage_bytes), 0) as storage_bytes
    from public.usage_cycle(p_account_id) as cycle
    left join public.user_usage_tracking as counter on counter.account_id = p_account_id
  )
  select meter.name, meter.used, meter.allowed
  from counted
  cross join public.account_plan(p_account_id) as plan
  cross join lateral (values
    ('shell_files', counted.shell_files::numeric, plan.shell_files_limit::numeric),
    ('pages', counted.pages::numeric, plan.pages_limit::numeric),
    ('ai_tokens', counted.ai_tokens::numeric, plan.ai_tokens_limit::numeric),
    ('storage', counted.storage_bytes::numeric, plan.storage_mb_limit::numeric * 1048576)
  ) as meter (name, used, allowed)
$$;
comment on function public.account_meters(uuid) is
  'What an account has used of what its plan allows; storage in bytes, over all months; null allowed = unlimited.';

create or replace function public.upload_limits_passed(p_account_id uuid, p_size_bytes bigint, p_pages int)
returns table (meter text, used numeric, allowed numeric, requested numeric)
language sql stable set search_path = '' as $$
  select meter.meter, meter.used, meter.allowed, wanted.requested
  from public.account_meters(p_account_id) as meter
  join (values
    ('shell_files', 1::numeric),
    ('pages', greatest(p_pages, 1)::numeric),
    ('storage', p_size_bytes::numeric)
  ) as wanted (meter, requested) using (meter)
  where meter.used + wanted.requested > meter.allowed
$$;
comment on function public.upload_limits_passed(uuid, bigint, int) is
  'The limits that one more upload of this size would pass; AI tokens are not among them, since reading costs none.';

create or replace function public.require_upload_allowance(p_profile_id uuid, p_size_bytes bigint, p_pages int)
returns void language plpgsql volatile set search_path = '' as $$
declare
  v_account_id uuid := public.account_of_profile(p_profile_id);
  v_detail jsonb;
begin
  if not public.feature_enabled('usage_limits_enforced') then
    return;
  end if;
  perform public.lock_usage_account(v_account_id);
  select jsonb_build_object(
    'limit_name', passed.meter,
    'used', passed.used,
    'limit', passed.allowed,
    'requested', passed.requested,
    'resets_at', case when passed.meter <> 'storage' then cycle.resets_at end
  )
  into v_detail
  from public.upload_limits_passed(v_account_id, p_size_bytes, p_pages) as passed
  cross join public.usage_cycle(v_account_id) as cycle
  order by array_position(array['shell_files', 'pages', 'storage'], passed.meter)
  limit 1;
  if found then
    raise exception 'A limit of the plan is reached.' using errcode = 'EX402', detail = v_detail::text;
  end if;
end
$$;
comment on function public.require_upload_allowance(uuid, bigint, int) is
  'Where limits are enforced: raises EX402 with used, limit and reset in the detail, and makes other uploads wait till this one ends.';

-- Definer: reads counters of the account that pays, which for a delegate is another one.
create or replace function public.check_upload_allowed(p_profile_id uuid, p_size_bytes bigint, p_pages int) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_account_id uuid := public.account_of_profile(p_profile_id);
  v_enforced boolean := public.feature_enabled('usage_limits_enforced');
  v_passed jsonb;
begin
  perform public.require_profile_access(p_profile_id, 'read_write');
  select coalesce(jsonb_agg(jsonb_build_object(
    'limit_name', passed.meter,
    'used', passed.used,
    'limit', passed.allowed,
    'requested', passed.requested,
    'resets_at', case when passed.meter <> 'storage' then cycle.resets_at end
  )), '[]')
  into v_passed
  from public.upload_limits_passed(v_account_id, p_size_bytes, p_pages) as passed
  cross join public.usage_cycle(v_account_id) as cycle;
  return jsonb_build_object(
    'allowed', not v_enforced or v_passed = '[]',
    'enforced', v_enforced,
    'passed', v_passed,
    'usage', public.get_user_usage_status(p_profile_id)
  );
end
$$;
comment on function public.check_upload_allowed(uuid, bigint, int) is
  'May a file of this size and length be uploaded now? Answers without reserving; register_shell_file decides for good.';

create or replace function public.usage_percentage(p_used numeric, p_allowed numeric) returns numeric
language sql immutable set search_path = '' as $$
  select case when p_allowed > 0 then round(100 * p_used / p_allowed, 1) when p_allowed = 0 then 100 end
$$;
comment on function public.usage_percentage(numeric, numeric) is 'Share of a limit in per cent; null where there is no limit.';

-- Definer: reads counters of the account that pays, which for a delegate is another one.
create or replace function public.get_user_usage_status(p_profile_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_account_id uuid := public.account_of_profile(p_profile_id);
  v_status jsonb;
begin
  perform public.require_profile_access(p_profile_id, 'read_only');
  select jsonb_build_object(
    'current_period', jsonb_build_object(
      'start', cycle.first_day,
      'end', cycle.last_day,
      'resets_at', cycle.resets_at
    ),
    'usage', (
      select jsonb_object_agg(
        meter.meter,
        case
          when meter.meter = 'storage' then jsonb_build_object(
            'used_mb', round(meter.used / 1048576, 2),
            'limit_mb', (meter.allowed / 1048576)::bigint,
            'percentage', public.usage_percentage(meter.used, meter.allowed)
          )
          else jsonb_build_object(
            'used', meter.used,
            'limit', meter.allowed,
            'percentage', public.usage_percentage(meter.used, meter.allowed)
          )
        end
      )
      from public.account_meters(v_account_id) as meter
    ),
    'status', (
      select jsonb_build_object(
        'plan_type', plan.plan_type,
        'over_limit', coalesce(bool_or(meter.used > meter.allowed), false),
        'upgrade_required', coalesce(bool_or(meter.used >= meter.allowed), false),
        'enforced', public.feature_enabled('usage_limits_enforced')
      )
      from public.account_plan(v_account_id) as plan
      cross join public.account_meters(v_account_id) as meter
      group by plan.plan_type
    ),
    'warnings', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'limit_name', meter.meter,
        'level', case when meter.used > meter.allowed then 'over' when meter.used = meter.allowed then 'reached' else 'near' end
      )), '[]')
      from public.account_meters(v_account_id) as meter
      where public.usage_percentage(meter.used, meter.allowed) >= public.configured_number('usage.warning_percentage', 80)
    )
  )
  into v_status
  from public.usage_cycle(v_account_id) as cycle;
  return v_status;
end
$$;
comment on function public.get_user_usage_status(uuid) is
  'What the account behind a profile has used this month of what its plan allows. Totals of the account: limits are per account. Reads, never writes.';

-- Recording --------------------------------------------------------------------------------------------------------

create or replace function public.record_usage(p_event public.usage_events) returns jsonb
language plpgsql volatile set search_path = '' as $$
begin
  if not public.feature_enabled('usage_tracking_enabled') then
    return jsonb_build_object('tracked', false, 'counted', false, 'usage', public.get_user_usage_status(p_event.profile_id));
  end if;
  insert into public.usage_events
    (account_id, profile_id, event_type, source_id, shell_files, pages, ai_tokens, ai_seconds, storage_bytes,
      cycle_start, occurred_at)
  values
    (public.account_of_profile(p_event.profile_id), p_event.profile_id, p_event.event_type, p_event.source_id,
      coalesce(p_event.shell_files, 0), coalesce(p_event.pages, 0), coalesce(p_event.ai_tokens, 0),
      coalesce(p_event.ai_seconds, 0), coalesce(p_event.storage_bytes, 0), current_date,
      coalesce(p_event.occurred_at, now()))
  on conflict (event_type, source_id) do nothing;
  return jsonb_build_object('tracked', true, 'counted', found, 'usage', public.get_user_usage_status(p_event.profile_id));
end
$$;
comment on function public.record_usage(public.usage_events) is
  'One ledger row for one thing used; told twice, it is counted once.';

-- Definer: the ledger is closed to every role. Size and pages come from the file where there is one, not from the caller.
create or replace function public.track_shell_file_upload_usage(
  p_profile_id uuid,
  p_shell_file_id uuid,
  p_file_size_bytes bigint,
  p_estimated_pages int default 1
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_event public.usage_events;
begin
  perform public.require_profile_access(p_profile_id, 'read_write');
  select * into v_file from public.shell_files as file where file.id = p_shell_file_id;
  -- A file without a row (yet) may be counted by a service, and by an account at its own expense; by no delegate.
  if v_file.patient_id <> p_profile_id
    or (v_file.id is null
      and not public.acting_as_service()
      and auth.uid() is distinct from public.account_of_profile(p_profile_id)) then
    raise exception 'There is no such document in this profile.' using errcode = 'no_data_found';
  end if;
  v_event.profile_id := p_profile_id;
  v_event.event_type := 'file_uploaded';
  v_event.source_id := p_shell_file_id::text;
  v_event.shell_files := 1;
  v_event.pages := greatest(coalesce(v_file.estimated_pages, p_estimated_pages, 1), 1);
  v_event.storage_bytes := coalesce(v_file.size_bytes, greatest(p_file_size_bytes, 0));
  return public.record_usage(v_event);
end
$$;
comment on function public.track_shell_file_upload_usage(uuid, uuid, bigint, int) is
  'Counts an upload once, for the account that owns the profile, whoever uploaded and however often it is told.';

-- Definer: the ledger is closed to every role.
-- An upload is counted with the pages that the client expects. Once the file has been opened the truth is known, and
-- the difference is booked, in the month of the upload.
create or replace function public.settle_measured_pages() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event public.usage_events;
begin
  v_event.profile_id := new.patient_id;
  v_event.event_type := 'pages_measured';
  v_event.source_id := new.id::text;
  v_event.pages := new.page_count - new.estimated_pages;
  v_event.occurred_at := new.created_at;
  perform public.record_usage(v_event);
  return null;
end
$$;
comment on function public.settle_measured_pages() is
  'The pages of a file count as they are, not as the client said: the difference is booked when they are first counted.';
drop trigger if exists settle_pages on public.shell_files;
create trigger settle_pages after update of page_count on public.shell_files
  for each row when (old.page_count is null and new.page_count <> new.estimated_pages)
  execute function public.settle_measured_pages();

-- Definer: the ledger is closed to every role.
create or replace function public.track_ai_processing_usage(
  p_profile_id uuid,
  p_job_id uuid,
  p_tokens_used int,
  p_processing_seconds int default 0
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event public.usage_events;
begin
  if exists (select from public.job_queue as job where job.id = p_job_id and job.patient_id <> p_profile_id) then
    raise exception 'The job belongs to another profile.' using errcode = 'no_data_found';
  end if;
  v_event.profile_id := p_profile_id;
  v_event.event_type := 'ai_processed';
  v_event.source_id := p_job_id || ':' || coalesce(
    (select job.job_type from public.job_queue as job where job.id = p_job_id), 'unknown'
  );
  v_event.ai_tokens := greatest(p_tokens_used, 0);
  v_event.ai_seconds := greatest(p_processing_seconds, 0);
  return public.record_usage(v_event);
end
$$;
comment on function public.track_ai_processing_usage(uuid, uuid, int, int) is
  'Counts the tokens and seconds of a job once, for the account that owns the profile.';

revoke all on function
  public.feature_enabled(text),
  public.configured_number(text, numeric),
  public.account_of_profile(uuid),
  public.account_time_zone(uuid),
  public.usage_cycle(uuid, timestamptz),
  public.account_plan(uuid),
  public.set_account_plan(uuid, text),
  public.refuse_change(),
  public.settle_usage_event(),
  public.lock_usage_account(uuid),
  public.account_meters(uuid),
  public.upload_limits_passed(uuid, bigint, int),
  public.require_upload_allowance(uuid, bigint, int),
  public.check_upload_allowed(uuid, bigint, int),
  public.usage_percentage(numeric, numeric),
  public.get_user_usage_status(uuid),
  public.record_usage(public.usage_events),
  public.settle_measured_pages(),
  public.track_shell_file_upload_usage(uuid, uuid, bigint, int),
  public.track_ai_processing_usage(uuid, uuid, int, int)
from public, anon, authenticated, service_role;

grant execute on function public.feature_enabled(text) to service_role;
grant execute on function public.configured_number(text, numeric) to service_role;
grant execute on function public.set_account_plan(uuid, text) to service_role;
grant execute on function public.check_upload_allowed(uuid, bigint, int) to authenticated;
grant execute on function public.get_user_usage_status(uuid) to authenticated, service_role;
grant execute on function public.track_shell_file_upload_usage(uuid, uuid, bigint, int) to authenticated, service_role;
grant execute on function public.track_ai_processing_usage(uuid, uuid, int, int) to service_role;

-- Limits of plans: what an account may still do, and what it is told.
--
-- Limits are enforced only with the flag on, and only where something new is added: reading and exporting are free.

create or replace function public.account_usage(p_account_id uuid)
returns table (
  plan_type text, first_day date, last_day date, resets_at timestamptz,
  shell_files bigint, shell_files_limit bigint, pages bigint, pages_limit bigint,
  ai_tokens bigint, ai_tokens_limit bigint, storage_bytes bigint, storage_bytes_limit bigint
)
language sql stable set search_path = '' as $$
  select
    plan.plan_type, cycle.first_day, cycle.last_day, cycle.resets_at,
    coalesce(counted.shell_files, 0)::bigint, plan.shell_files_limit::bigint,
    coalesce(counted.pages, 0)::bigint, plan.pages_limit::bigint,
    coalesce(counted.ai_tokens, 0)::bigint, plan.ai_tokens_limit::bigint,
    coalesce(counted.storage_bytes, 0)::bigint, plan.storage_mb_limit::bigint * 1048576
  from public.usage_cycle(p_account_id) as cycle
  cross join public.account_plan(p_account_id) as plan
  cross join lateral (
    select
      sum(counter.shell_files) filter (where counter.cycle_start = cycle.first_day) as shell_files,
      sum(counter.pages) filter (where counter.cycle_start = cycle.first_day) as pages,
      sum(counter.ai_tokens) filter (where counter.cycle_start = cycle.first_day) as ai_tokens,
      sum(counter.storage_bytes) as storage_bytes
    from public.user_usage_tracking as counter
    where counter.account_id = p_account_id
  ) as counted
$$;
comment on function public.account_usage(uuid) is
  'What an account has used of what its plan allows, and of which month: storage over all months; a limit of null = unlimited.';

-- It is part of account_usage and of usage_status now.
drop function if exists public.account_meters(uuid);

create or replace function public.lock_usage_account(p_account_id uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('usage account ' || p_account_id, 0))
$$;
comment on function public.lock_usage_account(uuid) is
  'One upload of an account after the other while limits are enforced: two cannot both take what only one may have.';

-- The shape of these has changed since they were first installed.
drop function if exists public.upload_limits_passed(uuid, bigint, int);
drop function if exists public.require_upload_allowance(uuid, bigint, int);
drop function if exists public.usage_percentage(numeric, numeric);
do $$
begin
  if exists (select from pg_catalog.pg_proc
             where oid = to_regprocedure('public.limits_passed(uuid, int, int, bigint)')
               and 'numeric'::regtype = any (proallargtypes)) then
    drop function public.limits_passed(uuid, int, int, bigint);
  end if;
end
$$;

create or replace function public.limits_passed(p_account_id uuid, p_shell_files int, p_pages int, p_size_bytes bigint)
returns table (meter text, used bigint, allowed bigint, requested bigint, resets_at timestamptz)
language sql stable set search_path = '' as $$
  select meter.name, meter.used, meter.allowed, meter.requested, meter.resets_at
  from public.account_usage(p_account_id) as account
  cross join lateral (values
    ('shell_files', account.shell_files, account.shell_files_limit, p_shell_files::bigint, account.resets_at, 1),
    ('pages', account.pages, account.pages_limit, p_pages::bigint, account.resets_at, 2),
    ('storage', account.storage_bytes, account.storage_bytes_limit, p_size_bytes, null, 3)
  ) as meter (name, used, allowed, requested, resets_at, place)
  where meter.requested > 0 and meter.used + meter.requested > meter.allowed
  order by meter.place
$$;
comment on function public.limits_passed(uuid, int, int, bigint) is
  'The limits that this much more would pass; AI tokens are not among them, since reading costs none.';

create or replace function public.refuse_passed_limit(
  p_account_id uuid,
  p_shell_files int,
  p_pages int,
  p_size_bytes bigint
) returns void language plpgsql stable set search_path = '' as $$
declare
  v_detail jsonb;
begin
  select to_jsonb(passed) - 'meter' - 'allowed' || jsonb_build_object('limit_name', passed.meter, 'limit', passed.allowed)
  into v_detail
  from public.limits_passed(p_account_id, p_shell_files, p_pages, p_size_bytes) as passed
  limit 1;
  if found then
    raise exception 'A limit of the plan is reached.' using errcode = 'EX402', detail = v_detail::text;
  end if;
end
$$;
comment on function public.refuse_passed_limit(uuid, int, int, bigint) is
  'Raises EX402 with used, limit and reset in the detail where this much more would pass a limit.';

create or replace function public.require_allowance(
  p_profile_id uuid,
  p_shell_files int,
  p_pages int,
  p_size_bytes bigint
) returns void language plpgsql volatile set search_path = '' as $$
declare
  v_account_id uuid;
begin
  if public.feature_enabled('usage_limits_enforced') then
    v_account_id := public.account_of_profile(p_profile_id);
    perform public.lock_usage_account(v_account_id);
    -- Asked anew under the lock, by a snapshot of its own.
    perform public.refuse_passed_limit(v_account_id, p_shell_files, p_pages, p_size_bytes);
  end if;
end
$$;
comment on function public.require_allowance(uuid, int, int, bigint) is
  'Where limits are enforced: refuse_passed_limit, and makes whoever adds something else to the account wait till this transaction ends.';

-- Definer: reads counters of the account that pays, which for a delegate is another one.
create or replace function public.check_upload_allowed(p_profile_id uuid, p_size_bytes bigint, p_pages int) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_account_id uuid := public.account_of_profile(p_profile_id);
  v_enforced boolean := public.feature_enabled('usage_limits_enforced');
  v_passed jsonb;
begin
  perform public.require_profile_access(p_profile_id, 'read_write', 'document');
  select coalesce(jsonb_agg(jsonb_build_object(
    'limit_name', passed.meter,
    'used', passed.used,
    'limit', passed.allowed,
    'requested', passed.requested,
    'resets_at', passed.resets_at
  )), '[]')
  into v_passed
  from public.limits_passed(v_account_id, 1, greatest(p_pages, 1), p_size_bytes) as passed;
  return jsonb_build_object(
    'allowed', not v_enforced or v_passed = '[]',
    'enforced', v_enforced,
    'passed', v_passed,
    'usage', public.usage_status(v_account_id)
  );
end
$$;
comment on function public.check_upload_allowed(uuid, bigint, int) is
  'May a file of this size and length be uploaded now? Answers without reserving; register_shell_file decides for good.';

create or replace function public.usage_percentage(p_used bigint, p_allowed bigint) returns numeric
language sql immutable set search_path = '' as $$
  select case when p_allowed > 0 then round(100.0 * p_used / p_allowed, 1) when p_allowed = 0 then 100 end
$$;
comment on function public.usage_percentage(bigint, bigint) is 'Share of a limit in per cent; null where there is no limit.';

create or replace function public.usage_status(p_account_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  with account as materialized (
    select used.*, public.configured_number('usage.warning_percentage', 80) as warning_percentage
    from public.account_usage(p_account_id) as used
  )
  select jsonb_build_object(
    'current_period', jsonb_build_object(
      'start', account.first_day,
      'end', account.last_day,
      'resets_at', account.resets_at
    ),
    'usage', metered.usage || jsonb_build_object('storage', jsonb_build_object(
      'used_mb', round(account.storage_bytes / 1048576.0, 2),
      'limit_mb', account.storage_bytes_limit / 1048576,
      'percentage', metered.usage -> 'storage' -> 'percentage'
    )),
    'status', jsonb_build_object(
      'plan_type', account.plan_type,
      'over_limit', metered.is_over,
      'upgrade_required', metered.is_reached,
      'enforced', public.feature_enabled('usage_limits_enforced'),
      'upgrade_prompt', metered.warnings <> '[]' and public.feature_enabled('upgrade_prompts_enabled')
    ),
    'warnings', metered.warnings
  )
  from account
  cross join lateral (
    select
      jsonb_object_agg(meter.name, jsonb_build_object(
        'used', meter.used, 'limit', meter.allowed, 'percentage', measured.percentage
      )) as usage,
      coalesce(bool_or(meter.used > meter.allowed), false) as is_over,
      coalesce(bool_or(meter.used >= meter.allowed), false) as is_reached,
      coalesce(
        jsonb_agg(jsonb_build_object(
          'limit_name', meter.name,
          'level', case
            when meter.used > meter.allowed then 'over'
            when meter.used = meter.allowed then 'reached'
            else 'near'
          end
        )) filter (where measured.percentage >= account.warning_percentage),
        '[]'
      ) as warnings
    from (values
      ('shell_files', account.shell_files, account.shell_files_limit),
      ('pages', account.pages, account.pages_limit),
      ('ai_tokens', account.ai_tokens, account.ai_tokens_limit),
      ('storage', account.storage_bytes, account.storage_bytes_limit)
    ) as meter (name, used, allowed)
    -- Not flattened, or each share would be reckoned for every place where it is used.
    cross join lateral (select public.usage_percentage(meter.used, meter.allowed) offset 0) as measured (percentage)
  ) as metered
$$;
comment on function public.usage_status(uuid) is
  'What an account has used this month of what its plan allows. Totals of the account: limits are per account.';

-- Definer: reads counters of the account that pays, which for a delegate is another one.
create or replace function public.get_user_usage_status(p_profile_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  perform public.require_profile_access(p_profile_id, 'read_only', 'usage');
  return public.usage_status(public.account_of_profile(p_profile_id));
end
$$;
comment on function public.get_user_usage_status(uuid) is
  'usage_status of the account behind a profile, for who reaches the profile. Reads, never writes.';

revoke all on function
  public.account_usage(uuid),
  public.lock_usage_account(uuid),
  public.limits_passed(uuid, int, int, bigint),
  public.refuse_passed_limit(uuid, int, int, bigint),
  public.require_allowance(uuid, int, int, bigint),
  public.check_upload_allowed(uuid, bigint, int),
  public.usage_percentage(bigint, bigint),
  public.usage_status(uuid),
  public.get_user_usage_status(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.check_upload_allowed(uuid, bigint, int) to authenticated;
grant execute on function public.get_user_usage_status(uuid) to authenticated, service_role;

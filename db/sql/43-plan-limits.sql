-- Limits of plans: what an account may still do, and what it is told.
--
-- Limits are enforced only with the flag on, and only where something new is added: reading and exporting are free.

create or replace function public.account_meters(p_account_id uuid)
returns table (meter text, used numeric, allowed numeric)
language sql stable set search_path = '' as $$
  with cycle as materialized (
    select month.first_day
    from public.usage_cycle(p_account_id) as month
  ),
  counted as materialized (
    select
      coalesce(sum(counter.shell_files) filter (where counter.cycle_start = cycle.first_day), 0) as shell_files,
      coalesce(sum(counter.pages) filter (where counter.cycle_start = cycle.first_day), 0) as pages,
      coalesce(sum(counter.ai_tokens) filter (where counter.cycle_start = cycle.first_day), 0) as ai_tokens,
      coalesce(sum(counter.storage_bytes), 0) as storage_bytes
    from cycle
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

create or replace function public.lock_usage_account(p_account_id uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('usage account ' || p_account_id, 0))
$$;
comment on function public.lock_usage_account(uuid) is
  'One upload of an account after the other while limits are enforced: two cannot both take what only one may have.';

-- The shape of these has changed since they were first installed.
drop function if exists public.upload_limits_passed(uuid, bigint, int);
drop function if exists public.require_upload_allowance(uuid, bigint, int);

create or replace function public.limits_passed(p_account_id uuid, p_shell_files int, p_pages int, p_size_bytes bigint)
returns table (meter text, used numeric, allowed numeric, requested numeric, resets_at timestamptz)
language sql stable set search_path = '' as $$
  select meter.meter, meter.used, meter.allowed, wanted.requested,
    case when meter.meter <> 'storage' then cycle.resets_at end
  from public.account_meters(p_account_id) as meter
  join (values
    ('shell_files', p_shell_files::numeric, 1),
    ('pages', p_pages::numeric, 2),
    ('storage', p_size_bytes::numeric, 3)
  ) as wanted (meter, requested, place) using (meter)
  cross join public.usage_cycle(p_account_id) as cycle
  where wanted.requested > 0 and meter.used + wanted.requested > meter.allowed
  order by wanted.place
$$;
comment on function public.limits_passed(uuid, int, int, bigint) is
  'The limits that this much more would pass; AI tokens are not among them, since reading costs none.';

create or replace function public.require_allowance(
  p_profile_id uuid,
  p_shell_files int,
  p_pages int,
  p_size_bytes bigint
) returns void language plpgsql volatile set search_path = '' as $$
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
    'resets_at', passed.resets_at
  )
  into v_detail
  from public.limits_passed(v_account_id, p_shell_files, p_pages, p_size_bytes) as passed
  limit 1;
  if found then
    raise exception 'A limit of the plan is reached.' using errcode = 'EX402', detail = v_detail::text;
  end if;
end
$$;
comment on function public.require_allowance(uuid, int, int, bigint) is
  'Where limits are enforced: raises EX402 with used, limit and reset in the detail, and makes whoever adds something else to the account wait till this transaction ends.';

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
  perform public.require_profile_access(p_profile_id, 'read_only', 'usage');
  with meters as materialized (
    select meter.meter, meter.used, meter.allowed, public.usage_percentage(meter.used, meter.allowed) as percentage
    from public.account_meters(v_account_id) as meter
  ),
  warned as materialized (
    select meters.meter, meters.used, meters.allowed
    from meters
    where meters.percentage >= public.configured_number('usage.warning_percentage', 80)
  )
  select jsonb_build_object(
    'current_period', jsonb_build_object(
      'start', cycle.first_day,
      'end', cycle.last_day,
      'resets_at', cycle.resets_at
    ),
    'usage', (
      select jsonb_object_agg(
        meters.meter,
        case
          when meters.meter = 'storage' then jsonb_build_object(
            'used_mb', round(meters.used / 1048576, 2),
            'limit_mb', (meters.allowed / 1048576)::bigint,
            'percentage', meters.percentage
          )
          else jsonb_build_object('used', meters.used, 'limit', meters.allowed, 'percentage', meters.percentage)
        end
      )
      from meters
    ),
    'status', (
      select jsonb_build_object(
        'plan_type', plan.plan_type,
        'over_limit', coalesce(bool_or(meters.used > meters.allowed), false),
        'upgrade_required', coalesce(bool_or(meters.used >= meters.allowed), false),
        'enforced', public.feature_enabled('usage_limits_enforced'),
        'upgrade_prompt', public.feature_enabled('upgrade_prompts_enabled') and exists (select from warned)
      )
      from public.account_plan(v_account_id) as plan
      cross join meters
      group by plan.plan_type
    ),
    'warnings', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'limit_name', warned.meter,
        'level', case when warned.used > warned.allowed then 'over' when warned.used = warned.allowed then 'reached' else 'near' end
      )), '[]')
      from warned
    )
  )
  into v_status
  from public.usage_cycle(v_account_id) as cycle;
  return v_status;
end
$$;
comment on function public.get_user_usage_status(uuid) is
  'What the account behind a profile has used this month of what its plan allows. Totals of the account: limits are per account. Reads, never writes.';

revoke all on function
  public.account_meters(uuid),
  public.lock_usage_account(uuid),
  public.limits_passed(uuid, int, int, bigint),
  public.require_allowance(uuid, int, int, bigint),
  public.check_upload_allowed(uuid, bigint, int),
  public.usage_percentage(numeric, numeric),
  public.get_user_usage_status(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.check_upload_allowed(uuid, bigint, int) to authenticated;
grant execute on function public.get_user_usage_status(uuid) to authenticated, service_role;

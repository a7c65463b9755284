-- Plans: what an account may use, and by which calendar.
--
-- An account pays for all its profiles. A month (cycle) is one of the account holder's own calendar: the time zone of
-- the self profile.

insert into public.subscription_plans
  (plan_type, display_name, shell_files_limit, pages_limit, ai_tokens_limit, storage_mb_limit, monthly_price, sort_order)
values
  ('free', 'Free', 10, 100, 50000, 100, 0, 1),
  ('basic', 'Basic', 100, 1000, 500000, 1000, 9.99, 2),
  ('premium', 'Premium', 500, 5000, 2500000, 5000, 29.99, 3),
  ('enterprise', 'Enterprise', null, null, null, null, 99.99, 4)
on conflict (plan_type) do nothing;

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
  -- Materialized, or the zone would be looked up for every place where it is used.
  with account as materialized (
    select public.account_time_zone(p_account_id) as zone
  ),
  month as materialized (
    select date_trunc('month', p_at at time zone account.zone) as start, account.zone
    from account
  )
  select
    month.start::date,
    (month.start + interval '1 month' - interval '1 day')::date,
    (month.start + interval '1 month') at time zone month.zone
  from month
$$;
comment on function public.usage_cycle(uuid, timestamptz) is
  'The month that an instant falls into for this account, and the instant at which the next begins.';

-- The shape of these has changed since they were first installed.
drop function if exists public.account_plan(uuid);
drop function if exists public.set_account_plan(uuid, text);

create or replace function public.account_plan(p_account_id uuid, p_at timestamptz default now())
returns setof public.subscription_plans
language sql stable set search_path = '' as $$
  select plan.*
  from public.subscription_plans as plan
  where plan.plan_type = coalesce(
    (
      select subscription.plan_type
      from public.account_subscriptions as subscription
      where subscription.account_id = p_account_id
        and subscription.effective_from <= p_at
        and (subscription.effective_to is null or subscription.effective_to > p_at)
      order by subscription.effective_from desc
      limit 1
    ),
    'free'
  )
$$;
comment on function public.account_plan(uuid, timestamptz) is
  'The plan that holds, held or will hold for an account at an instant; before its first subscription, free.';

-- Deletion is not guarded here but granted to nobody: subscriptions go with their account and not before.
create or replace function public.guard_subscription_period() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  if to_jsonb(new) - 'effective_to' <> to_jsonb(old) - 'effective_to'
    or old.effective_to <= now()
    or new.effective_to < now() then
    raise exception 'What plan an account had is never rewritten.' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
comment on function public.guard_subscription_period() is
  'Of a period only its end changes, as long as that has not come, and never to a time that is over.';
drop trigger if exists guard on public.account_subscriptions;
create trigger guard before update on public.account_subscriptions
  for each row execute function public.guard_subscription_period();

-- Definer: a deferred trigger must see all periods, not what the policies of the role that commits let it see.
create or replace function public.require_meeting_periods() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from (
    select
      period.effective_from,
      lag(period.effective_to) over line as ended,
      row_number() over line as place
    from public.account_subscriptions as period
    where period.account_id = new.account_id
    window line as (order by period.effective_from, period.effective_to nulls last)
  ) as following
  where following.place > 1 and following.ended is distinct from following.effective_from;
  if found then
    raise exception 'The periods of an account''s plans overlap, or leave a gap.'
      using errcode = 'check_violation', constraint = 'account_subscriptions_meet', table = 'account_subscriptions';
  end if;
  return null;
end
$$;
comment on function public.require_meeting_periods() is
  'Refuses, at commit, periods of one account that overlap or leave a gap between them.';
drop trigger if exists periods_meet on public.account_subscriptions;
create constraint trigger periods_meet after insert or update on public.account_subscriptions
  deferrable initially deferred
  for each row execute function public.require_meeting_periods();

-- Definer: operators are ordinary accounts, to whom the table is closed, and no role may take the lock by itself.
create or replace function public.set_account_plan(
  p_account_id uuid,
  p_plan_type text,
  p_effective_from timestamptz default now()
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_from timestamptz;
  v_current public.account_subscriptions;
  v_subscription_id uuid;
begin
  perform public.require_operator();
  if p_effective_from is null or p_effective_from < now() then
    raise exception 'A plan begins now or later.' using errcode = 'invalid_parameter_value';
  elsif not exists (select from auth.users as account where account.id = p_account_id) then
    raise exception 'There is no such account.' using errcode = 'no_data_found';
  end if;
  perform public.lock_usage_account(p_account_id);

  -- `now()` is when this transaction began: one that began later and came first has begun a period since.
  select greatest(p_effective_from, max(begun.effective_from)) into v_from
  from public.account_subscriptions as begun
  where begun.account_id = p_account_id and begun.effective_from <= clock_timestamp();
  delete from public.account_subscriptions as scheduled
  where scheduled.account_id = p_account_id
    and scheduled.effective_from >= v_from
    and scheduled.effective_from > clock_timestamp();

  select * into v_current
  from public.account_subscriptions as current
  where current.account_id = p_account_id
    and current.effective_from <= v_from
    -- What was to end just then, too: it goes on, if its plan does.
    and (current.effective_to is null or current.effective_to >= v_from)
  order by current.effective_from desc, current.effective_to desc nulls first
  limit 1;
  if v_current.plan_type = p_plan_type then
    update public.account_subscriptions as current
    set effective_to = null
    where current.id = v_current.id and current.effective_to is not null;
    return v_current.id;
  end if;
  update public.account_subscriptions as current
  set effective_to = v_from
  where current.id = v_current.id and current.effective_to is distinct from v_from;
  insert into public.account_subscriptions (account_id, plan_type, effective_from)
  values (p_account_id, p_plan_type, v_from)
  returning id into v_subscription_id;
  return v_subscription_id;
end
$$;
comment on function public.set_account_plan(uuid, text, timestamptz) is
  'From that instant on this account has this plan, instead of whatever was to come after it. Operators only; audited.';

-- Definer: operators may not read the subscriptions of others.
create or replace function public.schedule_plan_change(
  p_account_id uuid,
  p_plan_type text,
  p_when text default 'now'
) returns setof public.account_subscriptions
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_from timestamptz := now();
  v_id uuid;
begin
  perform public.require_operator();
  if p_when = 'next_cycle' then
    select cycle.resets_at into v_from from public.usage_cycle(p_account_id) as cycle;
  elsif p_when is distinct from 'now' then
    raise exception 'A plan changes now or with the next cycle.' using errcode = 'invalid_parameter_value';
  end if;
  v_id := public.set_account_plan(p_account_id, p_plan_type, v_from);
  return query select subscription.* from public.account_subscriptions as subscription where subscription.id = v_id;
end
$$;
comment on function public.schedule_plan_change(uuid, text, text) is
  'Changes the plan of an account now or with the account''s next month, as for a downgrade that was paid till then; returns the period in which the plan holds. Operators only.';

revoke all on function
  public.account_of_profile(uuid),
  public.account_time_zone(uuid),
  public.usage_cycle(uuid, timestamptz),
  public.account_plan(uuid, timestamptz),
  public.guard_subscription_period(),
  public.require_meeting_periods(),
  public.set_account_plan(uuid, text, timestamptz),
  public.schedule_plan_change(uuid, text, text)
from public, anon, authenticated, service_role;

grant execute on function public.set_account_plan(uuid, text, timestamptz) to service_role;
grant execute on function public.schedule_plan_change(uuid, text, text) to authenticated, service_role;

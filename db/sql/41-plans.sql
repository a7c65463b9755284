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

revoke all on function
  public.account_of_profile(uuid),
  public.account_time_zone(uuid),
  public.usage_cycle(uuid, timestamptz),
  public.account_plan(uuid),
  public.set_account_plan(uuid, text)
from public, anon, authenticated, service_role;

grant execute on function public.set_account_plan(uuid, text) to service_role;

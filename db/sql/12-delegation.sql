-- Delegation: a manager (owner or full_access) gives, the grantee accepts or leaves, nobody gives more than they hold.
--
-- Changes to who reaches a profile queue at the profile's row, which is held before any row of a permission: what the
-- caller holds cannot end between the question and the change. What somebody gave ends no later than what they hold.

create or replace function public.require_managing_level(p_profile_id uuid, p_level text, p_ends_at timestamptz)
returns void language plpgsql stable set search_path = '' as $$
begin
  perform from public.profile_grants_of(auth.uid()) as held
  where held.profile_id = p_profile_id
    and public.access_level_rank(held.level) >= public.access_level_rank('full_access')
    and public.access_level_rank(held.level) >= public.access_level_rank(p_level)
    and (held.ends_at is null or p_ends_at <= held.ends_at);
  if not found then
    raise exception 'This account may not manage such access to this profile.' using errcode = 'insufficient_privilege';
  end if;
end
$$;
comment on function public.require_managing_level(uuid, text, timestamptz) is
  'Raises unless the caller manages the profile and itself holds at least this level for at least this long.';

create or replace function public.require_power_over(p_permission public.profile_access_permissions) returns void
language plpgsql stable set search_path = '' as $$
begin
  perform public.require_managing_level(p_permission.profile_id, p_permission.permission_level, now());
  if p_permission.capacity = 'guardian' and not exists (
    select from public.profile_grants_of(auth.uid()) as held
    where held.profile_id = p_permission.profile_id
      and (held.basis = 'owner' or (held.basis = 'guardian' and p_permission.granted_by = auth.uid()))
  ) then
    raise exception 'This account may not end a guardianship.' using errcode = 'insufficient_privilege';
  end if;
end
$$;
comment on function public.require_power_over(public.profile_access_permissions) is
  'Raises unless the caller may end this access of somebody else: it holds at least its level, and a guardianship is ended by the account that owns the profile or by the guardian who gave it.';

drop function if exists public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz);

-- Definer: clients have no write on the table; this is the only way in.
create or replace function public.grant_profile_access(
  p_profile_id uuid,
  p_account_id uuid,
  p_permission_level text,
  p_starts_at timestamptz default now(),
  p_ends_at timestamptz default null,
  p_capacity text default 'delegate'
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_replaced public.profile_access_permissions;
  v_permission_id uuid;
begin
  perform public.require_managing_level(p_profile_id, p_permission_level, p_ends_at);
  perform from public.user_profiles as profile where profile.id = p_profile_id for no key update;
  -- Asked again: it may have ended while this waited.
  perform public.require_managing_level(p_profile_id, p_permission_level, p_ends_at);
  perform public.require_guardian_terms(p_profile_id, p_permission_level, p_capacity);
  if p_account_id = auth.uid()
    or exists (select from public.user_profiles as profile
               where profile.id = p_profile_id and profile.account_owner_id = p_account_id)
    or not exists (select from auth.users as account where account.id = p_account_id) then
    raise exception 'Access is given to another account.' using errcode = 'invalid_parameter_value';
  end if;

  select * into v_replaced
  from public.profile_access_permissions as live
  where live.profile_id = p_profile_id
    and live.account_id = p_account_id
    and live.revoked_at is null;
  -- Replacing is revoking too: a delegate cannot push down somebody above it. What has run out is in nobody's way.
  if v_replaced.id is not null and coalesce(v_replaced.ends_at > now(), true) then
    perform public.require_power_over(v_replaced);
  end if;

  -- One statement, so that the trigger, which runs after it, finds the new access in the place of the old.
  with replaced as (
    update public.profile_access_permissions as live
    set revoked_at = now()
    where live.id = v_replaced.id and live.revoked_at is null
    returning live.id
  )
  insert into public.profile_access_permissions
    (profile_id, account_id, permission_level, capacity, granted_by, starts_at, ends_at)
  select p_profile_id, p_account_id, p_permission_level, p_capacity, auth.uid(),
    greatest(coalesce(p_starts_at, now()), now()), p_ends_at
  from (select count(*) from replaced) as ended
  returning id into v_permission_id;
  perform public.notify_account(p_account_id, 'access_offered', p_profile_id, v_permission_id);
  return v_permission_id;
end
$$;
comment on function public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz, text) is
  'Offers an account access to a profile; nothing is open until the account accepts. Replaces an earlier offer or grant.';

create or replace function public.require_guardian_terms(p_profile_id uuid, p_level text, p_capacity text) returns void
language plpgsql stable set search_path = '' as $$
begin
  if p_capacity = 'delegate' then
    return;
  elsif p_capacity is distinct from 'guardian' then
    raise exception 'Access is given to a delegate or to a guardian.' using errcode = 'invalid_parameter_value';
  end if;
  perform public.require_decision_capacity(p_profile_id);
  if p_level <> 'owner' or not exists (
    select from public.user_profiles as profile
    where profile.id = p_profile_id and profile.profile_type in ('child', 'dependent')
  ) then
    raise exception 'A guardian is given the level owner, of a child or a dependent.'
      using errcode = 'invalid_parameter_value';
  end if;
end
$$;
comment on function public.require_guardian_terms(uuid, text, text) is
  'Raises unless the caller may make somebody this to the profile: guardians are made by those who decide for it.';

-- Definer: clients have no write on the table. Only the grantee's own row is touched.
create or replace function public.accept_profile_access(p_permission_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.profile_access_permissions as offer
  set accepted_at = coalesce(offer.accepted_at, now())
  where offer.id = p_permission_id
    and offer.account_id = auth.uid()
    and offer.revoked_at is null
    and (offer.ends_at is null or offer.ends_at > now());
  if not found then
    raise exception 'There is no such offer for this account.' using errcode = 'no_data_found';
  end if;
end
$$;
comment on function public.accept_profile_access(uuid) is 'The grantee takes an offered access.';

-- Definer: clients have no write on the table. Declining, leaving and withdrawing are one thing.
create or replace function public.revoke_profile_access(p_permission_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_permission public.profile_access_permissions;
begin
  select * into v_permission
  from public.profile_access_permissions as live
  where live.id = p_permission_id
    and live.revoked_at is null
    and (live.account_id = auth.uid() or live.profile_id = any (public.accessible_profile_ids('full_access', 'access')));
  if not found then
    raise exception 'There is no such access.' using errcode = 'no_data_found';
  end if;
  perform from public.user_profiles as profile where profile.id = v_permission.profile_id for no key update;
  if v_permission.account_id is distinct from auth.uid() then
    perform public.require_power_over(v_permission);
  end if;
  update public.profile_access_permissions as live
  set revoked_at = now()
  where live.id = p_permission_id and live.revoked_at is null;
  if not found then
    raise exception 'There is no such access.' using errcode = 'no_data_found';
  end if;
end
$$;
comment on function public.revoke_profile_access(uuid) is
  'Ends an access at once, and with it what its holder had given: by a manager who holds at least its level, or by the grantee.';

create or replace function public.end_given_access() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  update public.profile_access_permissions as given
  set revoked_at = new.revoked_at
  where given.profile_id = new.profile_id
    and given.granted_by = new.account_id
    and given.revoked_at is null
    and not exists (
      select from public.profile_access_permissions as held
      where held.profile_id = new.profile_id
        and held.account_id = new.account_id
        and held.revoked_at is null
        and held.starts_at <= now()
        and public.access_level_rank(held.permission_level) >= public.access_level_rank('full_access')
        and public.access_level_rank(held.permission_level) >= public.access_level_rank(given.permission_level)
        and (held.ends_at is null or given.ends_at <= held.ends_at)
        and (given.capacity <> 'guardian' or held.capacity = 'guardian')
    );
  return null;
end
$$;
comment on function public.end_given_access() is
  'Who loses an access loses what they gave by it, offers too, down to the last; unless what replaces it could have given the same.';
drop trigger if exists end_given on public.profile_access_permissions;
create trigger end_given after update of revoked_at on public.profile_access_permissions
  for each row when (old.revoked_at is null and new.revoked_at is not null)
  execute function public.end_given_access();

revoke all on function
  public.require_managing_level(uuid, text, timestamptz),
  public.require_power_over(public.profile_access_permissions),
  public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz, text),
  public.require_guardian_terms(uuid, text, text),
  public.accept_profile_access(uuid),
  public.revoke_profile_access(uuid),
  public.end_given_access()
from public, anon, authenticated, service_role;

grant execute on function public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz, text) to authenticated;
grant execute on function public.accept_profile_access(uuid) to authenticated;
grant execute on function public.revoke_profile_access(uuid) to authenticated;

-- Delegation: a manager (owner or full_access) gives, the grantee accepts or leaves, nobody gives more than they hold.

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

-- Definer: clients have no write on the table; this is the only way in.
create or replace function public.grant_profile_access(
  p_profile_id uuid,
  p_account_id uuid,
  p_permission_level text,
  p_starts_at timestamptz default now(),
  p_ends_at timestamptz default null
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_permission_id uuid;
  v_replaced_level text;
begin
  perform public.require_managing_level(p_profile_id, p_permission_level, p_ends_at);
  if p_account_id = auth.uid()
    or exists (select from public.user_profiles as profile
               where profile.id = p_profile_id and profile.account_owner_id = p_account_id) then
    raise exception 'Access is given to another account.' using errcode = 'invalid_parameter_value';
  end if;

  update public.profile_access_permissions as live
  set revoked_at = now()
  where live.profile_id = p_profile_id
    and live.account_id = p_account_id
    and live.revoked_at is null
  returning live.permission_level into v_replaced_level;
  -- Replacing is revoking too: a delegate cannot push down somebody above it.
  if v_replaced_level is not null then
    perform public.require_managing_level(p_profile_id, v_replaced_level, now());
  end if;

  insert into public.profile_access_permissions
    (profile_id, account_id, permission_level, granted_by, starts_at, ends_at)
  values (p_profile_id, p_account_id, p_permission_level, auth.uid(), p_starts_at, p_ends_at)
  returning id into v_permission_id;
  return v_permission_id;
end
$$;
comment on function public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz) is
  'Offers an account access to a profile; nothing is open until the account accepts. Replaces an earlier offer or grant.';

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
    and (live.account_id = auth.uid() or live.profile_id in (select public.accessible_profile_ids('full_access', 'access')))
  for update;
  if not found then
    raise exception 'There is no such access.' using errcode = 'no_data_found';
  end if;
  if v_permission.account_id is distinct from auth.uid() then
    perform public.require_managing_level(v_permission.profile_id, v_permission.permission_level, now());
  end if;
  update public.profile_access_permissions as live set revoked_at = now() where live.id = p_permission_id;
end
$$;
comment on function public.revoke_profile_access(uuid) is
  'Ends an access at once: by a manager who holds at least its level, or by the grantee.';

revoke all on function
  public.require_managing_level(uuid, text, timestamptz),
  public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz),
  public.accept_profile_access(uuid),
  public.revoke_profile_access(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz) to authenticated;
grant execute on function public.accept_profile_access(uuid) to authenticated;
grant execute on function public.revoke_profile_access(uuid) to authenticated;

-- Profiles: what must hold of one, and how an account gets its first.

create or replace function public.is_time_zone(p_time_zone text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  perform now() at time zone p_time_zone;
  return p_time_zone ~ '^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$';
exception when invalid_parameter_value then
  return false;
end
$$;
comment on function public.is_time_zone(text) is 'Is this the name of a time zone that the server knows?';

create or replace function public.guard_user_profile() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.updated_at := now();
  if public.is_time_zone(new.time_zone) is not true then
    raise exception 'The time zone is not known.' using errcode = 'check_violation', constraint = 'user_profiles_time_zone_check';
  end if;
  return new;
end
$$;
comment on function public.guard_user_profile() is
  'A profile''s time zone exists (the account''s months are counted by it), and updated_at is true.';
drop trigger if exists guard on public.user_profiles;
create trigger guard before insert or update on public.user_profiles
  for each row execute function public.guard_user_profile();

-- Definer: writes auth.users, which no API role may.
create or replace function public.provision_account(p_account_id uuid, p_email text, p_display_name text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_profile_id uuid;
  v_is_ours boolean;
begin
  -- An account that was erased is not made again by a token that outlived it.
  perform public.require_open_account(p_account_id);
  select profile.id into v_profile_id
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id and profile.profile_type = 'self';
  if found then
    return v_profile_id;
  end if;

  -- On Supabase the table is theirs, and the row was there first. One of our making would lack what their service needs
  -- (it fails on every listing of accounts that meets such a row), and would bring back who was deleted while a token ran.
  if not exists (select from auth.users as account where account.id = p_account_id) then
    select class.relowner = current_user::regrole into v_is_ours
    from pg_catalog.pg_class as class
    where class.oid = 'auth.users'::regclass;
    if not v_is_ours then
      raise sqlstate 'PT401' using message = 'This account does not exist any more.', hint = 'unauthenticated';
    end if;
    insert into auth.users (id, email) values (p_account_id, p_email) on conflict do nothing;
  end if;

  insert into public.user_profiles (account_owner_id, profile_type, relationship, display_name)
  values (p_account_id, 'self', 'self', left(coalesce(nullif(btrim(p_display_name), ''), 'Me'), 200))
  on conflict (account_owner_id) where profile_type = 'self' do nothing
  returning id into v_profile_id;
  -- Another request was first: its row is committed now, and a new statement sees it.
  if v_profile_id is null then
    select profile.id into strict v_profile_id
    from public.user_profiles as profile
    where profile.account_owner_id = p_account_id and profile.profile_type = 'self';
  end if;
  return v_profile_id;
end
$$;
comment on function public.provision_account(uuid, text, text) is
  'Makes the account (where accounts are kept here) and its self profile where they are missing; returns the profile. Any number of calls, one profile.';

-- Definer: the server's login role signs people up and may not write profiles or auth.users itself.
create or replace function public.provision_login_user() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.provision_account(new.id, new.email, new.name);
  return null;
end
$$;
comment on function public.provision_login_user() is
  'An embedded account gets its self profile in the transaction that signs it up.';
drop trigger if exists provision on login.users;
create trigger provision after insert on login.users
  for each row execute function public.provision_login_user();

revoke all on function
  public.is_time_zone(text),
  public.guard_user_profile(),
  public.provision_account(uuid, text, text),
  public.provision_login_user()
from public, anon, authenticated, service_role;

grant execute on function public.is_time_zone(text) to authenticated, service_role;
grant execute on function public.provision_account(uuid, text, text) to service_role;

-- Identity: who acts, what they may reach, how access is given and taken, and how an account gets its first profile.
--
-- One set decides everything: `profile_grants_of(account)`. Policies, functions and the server ask it in different
-- words (`accessible_profile_ids`, `has_profile_access_level`, ...), but nothing else in the system knows the rule.

-- What is made later starts closed. Supabase opens new objects to its API roles; here they are granted one by one.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;
revoke create on schema public from public, anon, authenticated, service_role;
grant usage on schema public to authenticated, service_role;

-- The service is workers, and the owner as whom security definer functions run. Row level security is forced, so both
-- need to be let through by name, on every table there is. What services may do is said by the grants of 90-policies.sql.
create or replace function public.protect_table(p_table regclass) returns void
language plpgsql volatile set search_path = '' as $$
begin
  execute format('alter table %s enable row level security', p_table);
  execute format('alter table %s force row level security', p_table);
  execute format('drop policy if exists service on %s', p_table);
  execute format(
    'create policy service on %s for all to service_role, %I using (true) with check (true)', p_table, current_user
  );
  execute format('revoke all on %s from public, anon, authenticated, service_role', p_table);
end
$$;
comment on function public.protect_table(regclass) is
  'Row level security enabled and forced, open to the service and to definer functions, closed to everybody else.';

do $$
declare
  v_table regclass;
begin
  for v_table in
    select class.oid::regclass
    from pg_catalog.pg_class as class
    where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p')
  loop
    perform public.protect_table(v_table);
  end loop;

  -- The embedded login belongs to the server's login role, which no request can take.
  for v_table in
    select class.oid::regclass
    from pg_catalog.pg_class as class
    where class.relnamespace = 'login'::regnamespace and class.relkind = 'r'
  loop
    execute format('alter table %s enable row level security', v_table);
    execute format('alter table %s force row level security', v_table);
    execute format('drop policy if exists login on %s', v_table);
    if exists (select from pg_catalog.pg_roles where rolname = 'exora_app') then
      execute format(
        'create policy login on %s for all to exora_app, %I using (true) with check (true)', v_table, current_user
      );
    else
      execute format('create policy login on %s for all to %I using (true) with check (true)', v_table, current_user);
    end if;
  end loop;
end
$$;

-- Whoever may act as service_role, and does. The role setting is asked, not the claims: claims are text that came with
-- a request, the role was set by the server, and it keeps its value inside security definer functions.
create or replace function public.acting_as_service() returns boolean
language sql stable set search_path = '' as $$
  select case
    when acting.role_name in ('anon', 'authenticated') then false
    else pg_has_role(acting.role_name::name, 'service_role', 'usage')
  end
  from (select coalesce(nullif(current_setting('role', true), 'none'), session_user::text)) as acting (role_name)
$$;
comment on function public.acting_as_service() is
  'True for workers and for the owner of the database, whatever the claims say.';

-- The settings that db/actor.ts makes for a transaction, read in one place.
create or replace function public.request_context()
returns table (actor_id uuid, actor_role text, job_id uuid, correlation_id text, client_address inet)
language sql stable set search_path = '' as $$
  select
    case
      when public.acting_as_service() then nullif(current_setting('exora.initiated_by', true), '')::uuid
      else auth.uid()
    end,
    coalesce(nullif(current_setting('role', true), 'none'), session_user::text),
    nullif(current_setting('exora.job_id', true), '')::uuid,
    nullif(current_setting('exora.correlation_id', true), ''),
    nullif(current_setting('exora.client_address', true), '')::inet
$$;
comment on function public.request_context() is
  'Who acts in this transaction, for which job and request: what the audit writes beside each change.';

create or replace function public.access_level_rank(p_level text) returns int
language sql immutable set search_path = '' as $$
  select array_position(array['read_only', 'read_write', 'full_access', 'owner'], p_level)
$$;
comment on function public.access_level_rank(text) is
  'Place of an access level; null for a word that is none, so that comparisons with it fail closed.';

create or replace function public.profile_grants_of(p_account_id uuid)
returns table (profile_id uuid, level text, ends_at timestamptz)
language sql stable set search_path = '' as $$
  select profile.id, 'owner', null::timestamptz
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id
  union all
  select permission.profile_id, permission.permission_level, permission.ends_at
  from public.profile_access_permissions as permission
  where permission.account_id = p_account_id
    and permission.revoked_at is null
    and permission.accepted_at is not null
    and permission.starts_at <= now()
    and (permission.ends_at is null or permission.ends_at > now())
$$;
comment on function public.profile_grants_of(uuid) is
  'The rule of access: own profiles, and delegations that are accepted, begun, not ended and not revoked.';

-- Definer: the policies of user_profiles and of the permissions call it, and must not ask themselves.
create or replace function public.accessible_profile_ids(p_required_level text default 'read_only') returns setof uuid
language sql stable security definer rows 10 set search_path = '' as $$
  select access.profile_id
  from public.profile_grants_of(auth.uid()) as access
  where public.access_level_rank(access.level) >= public.access_level_rank(p_required_level)
$$;
comment on function public.accessible_profile_ids(text) is
  'Profiles that the calling account may reach at this level; policies compute it once per statement.';

-- Definer: reads permissions that the caller may not list. Answers for the caller alone, else it would be an oracle.
create or replace function public.has_profile_access_level(p_user_id uuid, p_profile_id uuid, p_required_level text)
returns boolean language sql stable security definer set search_path = '' as $$
  select (p_user_id = auth.uid() or public.acting_as_service()) is true
    and exists (
      select from public.profile_grants_of(p_user_id) as access
      where access.profile_id = p_profile_id
        and public.access_level_rank(access.level) >= public.access_level_rank(p_required_level)
    )
$$;
comment on function public.has_profile_access_level(uuid, uuid, text) is
  'May the calling account reach this profile at this level? No to every question about somebody else.';

create or replace function public.has_profile_access(p_user_id uuid, p_profile_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select public.has_profile_access_level(p_user_id, p_profile_id, 'read_only')
$$;
comment on function public.has_profile_access(uuid, uuid) is
  'May the calling account read this profile? No to every question about somebody else.';

create or replace function public.has_semantic_data_access(p_user_id uuid, p_profile_id uuid, p_resource_type text)
returns boolean language sql stable security definer set search_path = '' as $$
  select public.has_profile_access_level(
    p_user_id,
    p_profile_id,
    case
      when p_resource_type in ('document', 'clinical', 'narrative', 'usage') then 'read_only'
      when p_resource_type = 'access' then 'full_access'
      when p_resource_type = 'audit' then 'owner'
    end
  )
$$;
comment on function public.has_semantic_data_access(uuid, uuid, text) is
  'May the calling account read this kind of data (document, clinical, narrative, usage, access, audit) of the profile?';

-- For the first line of functions that clients call. One answer for "not yours" and "does not exist".
create or replace function public.require_profile_access(p_profile_id uuid, p_required_level text) returns void
language plpgsql stable set search_path = '' as $$
begin
  if public.acting_as_service() or public.has_profile_access_level(auth.uid(), p_profile_id, p_required_level) then
    return;
  end if;
  raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
end
$$;
comment on function public.require_profile_access(uuid, text) is
  'Raises insufficient_privilege unless the caller reaches the profile at this level; services always do.';

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
    and (live.account_id = auth.uid() or live.profile_id in (select public.accessible_profile_ids('full_access')))
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

-- Profiles

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
begin
  select profile.id into v_profile_id
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id and profile.profile_type = 'self';
  if found then
    return v_profile_id;
  end if;

  -- On Supabase the row is theirs and was there first.
  if not exists (select from auth.users as account where account.id = p_account_id) then
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
  'Makes the account and its self profile where they are missing; returns the profile. Any number of calls, one profile.';

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

-- The embedded login is reached by the server's login role alone, never by a role that a request can take.
revoke all on schema login from public, anon, authenticated, service_role;
revoke all on all tables in schema login from public, anon, authenticated, service_role;
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'exora_app') then
    grant usage on schema login to exora_app;
    grant select, insert, update, delete on all tables in schema login to exora_app;
  end if;
end
$$;

revoke all on function
  public.protect_table(regclass),
  public.acting_as_service(),
  public.request_context(),
  public.access_level_rank(text),
  public.profile_grants_of(uuid),
  public.accessible_profile_ids(text),
  public.has_profile_access_level(uuid, uuid, text),
  public.has_profile_access(uuid, uuid),
  public.has_semantic_data_access(uuid, uuid, text),
  public.require_profile_access(uuid, text),
  public.require_managing_level(uuid, text, timestamptz),
  public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz),
  public.accept_profile_access(uuid),
  public.revoke_profile_access(uuid),
  public.is_time_zone(text),
  public.guard_user_profile(),
  public.provision_account(uuid, text, text),
  public.provision_login_user()
from public, anon, authenticated, service_role;

grant execute on function public.accessible_profile_ids(text) to authenticated;
grant execute on function public.has_profile_access(uuid, uuid) to authenticated, service_role;
grant execute on function public.has_profile_access_level(uuid, uuid, text) to authenticated, service_role;
grant execute on function public.has_semantic_data_access(uuid, uuid, text) to authenticated, service_role;
grant execute on function public.grant_profile_access(uuid, uuid, text, timestamptz, timestamptz) to authenticated;
grant execute on function public.accept_profile_access(uuid) to authenticated;
grant execute on function public.revoke_profile_access(uuid) to authenticated;
grant execute on function public.is_time_zone(text) to authenticated, service_role;
grant execute on function public.provision_account(uuid, text, text) to service_role;

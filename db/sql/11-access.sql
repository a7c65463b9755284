-- Access: who acts, and what they may reach.
--
-- One set decides everything: `profile_grants_of(account)`. Policies, functions and the server ask it in different
-- words (`accessible_profile_ids`, `has_profile_access_level`, ...), but nothing else in the system knows the rule.

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

revoke all on function
  public.acting_as_service(),
  public.request_context(),
  public.access_level_rank(text),
  public.profile_grants_of(uuid),
  public.accessible_profile_ids(text),
  public.has_profile_access_level(uuid, uuid, text),
  public.has_profile_access(uuid, uuid),
  public.has_semantic_data_access(uuid, uuid, text),
  public.require_profile_access(uuid, text)
from public, anon, authenticated, service_role;

grant execute on function public.accessible_profile_ids(text) to authenticated;
grant execute on function public.has_profile_access_level(uuid, uuid, text) to authenticated, service_role;
grant execute on function public.has_profile_access(uuid, uuid) to authenticated, service_role;
grant execute on function public.has_semantic_data_access(uuid, uuid, text) to authenticated, service_role;

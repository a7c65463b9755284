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

-- This and `profile_grants_of` pin no search path, because what pins one cannot be inlined: they become part of the
-- statements of their callers, which pin theirs. No role may call them.
create or replace function public.access_level_rank(p_level text) returns int
language sql immutable as $$
  select pg_catalog.array_position(array['read_only', 'read_write', 'full_access', 'owner'], p_level)
$$;
comment on function public.access_level_rank(text) is
  'Place of an access level; null for a word that is none, so that comparisons with it fail closed.';

create or replace function public.may_break_glass(p_account_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (
      select from public.account_roles as held where held.account_id = p_account_id and held.role = 'operator'
    )
    or exists (
      select from public.provider_registry as provider
      where provider.account_id = p_account_id and provider.verification_status = 'verified'
    )
$$;
comment on function public.may_break_glass(uuid) is
  'Operators and verified clinicians; who is neither any more loses what they had opened.';

-- The last decision holds; where there is none, the purpose itself says whether it may be done.
create or replace function public.consent_holds(p_patient_id uuid, p_purpose text) returns boolean
language sql stable set search_path = '' as $$
  select coalesce(
    (
      select consent.decision = 'granted' and (consent.expires_at is null or consent.expires_at > now())
      from public.patient_consents as consent
      where consent.patient_id = p_patient_id and consent.purpose = p_purpose
      order by consent.id desc
      limit 1
    ),
    (select rule.holds_undecided from public.consent_purposes as rule where rule.purpose = p_purpose),
    false
  )
$$;
comment on function public.consent_holds(uuid, text) is
  'May this be done with the person''s data just now? No to a purpose that nobody has heard of.';

-- The shape of these two has changed since they were first installed. What depends on the second are policies, which
-- 90-policies.sql makes again in the same transaction.
drop function if exists public.profile_grants_of(uuid);
drop function if exists public.accessible_profile_ids(text) cascade;
do $$
begin
  if exists (select from pg_catalog.pg_proc
             where oid = to_regprocedure('public.accessible_profile_ids(text, text)') and proretset) then
    drop function public.accessible_profile_ids(text, text) cascade;
  end if;
end
$$;

create or replace function public.profile_grants_of(p_account_id uuid)
returns table (profile_id uuid, level text, resource_types text[], ends_at timestamptz, basis text, grant_id uuid)
language sql stable as $$
  select profile.id, 'owner'::text, null::text[], null::timestamptz, 'owner'::text, profile.id
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id
  union all
  select
    permission.profile_id, permission.permission_level, null, permission.ends_at, permission.capacity, permission.id
  from public.profile_access_permissions as permission
  where permission.account_id = p_account_id
    and permission.revoked_at is null
    and permission.accepted_at is not null
    and permission.starts_at <= now()
    and (permission.ends_at is null or permission.ends_at > now())
  union all
  select
    access.patient_id, access.permission_level,
    -- Whoever may upload meets the limits of the account.
    access.resource_types || case access.permission_level when 'read_write' then '{profile,usage}' else '{profile}' end::text[],
    access.ends_at, 'provider', access.id
  from public.provider_registry as provider
  join public.patient_provider_access as access on access.provider_id = provider.id
  where provider.account_id = p_account_id
    and provider.verification_status = 'verified'
    and access.status = 'approved'
    and access.starts_at <= now()
    and access.ends_at > now()
    and public.consent_holds(access.patient_id, 'provider_access')
  union all
  select
    glass.patient_id, 'read_only', array['profile', 'document', 'clinical', 'narrative'], glass.ends_at, 'break_glass',
    glass.id
  from public.break_glass_accesses as glass
  where glass.account_id = p_account_id
    and glass.ended_at is null
    and glass.ends_at > now()
    -- Of the row, not of the argument: asked only where there is one.
    and public.may_break_glass(glass.account_id)
$$;
comment on function public.profile_grants_of(uuid) is
  'The rule of access, all of it: own profiles; delegations that are accepted and run; clinicians whom the patient has let in; broken glass. Null resource_types = everything.';

-- Definer: the policies of user_profiles and of the permissions call it, and must not ask themselves.
-- In plpgsql, whose plans are kept: every statement of a client asks at least once.
create or replace function public.accessible_profile_ids(p_required_level text, p_resource_type text) returns uuid[]
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  v_account_id uuid := auth.uid();
begin
  return array(
    select access.profile_id
    from public.profile_grants_of(v_account_id) as access
    where public.access_level_rank(access.level) >= public.access_level_rank(p_required_level)
      and (access.resource_types is null or p_resource_type = any (access.resource_types))
  );
end
$$;
comment on function public.accessible_profile_ids(text, text) is
  'Profiles of which the calling account may reach this kind of data at this level; policies compute it once per statement.';

-- Definer: reads grants that the caller may not list. Answers for the caller alone, else it would be an oracle.
create or replace function public.has_resource_access(
  p_user_id uuid,
  p_profile_id uuid,
  p_required_level text,
  p_resource_type text
) returns boolean language sql stable security definer set search_path = '' as $$
  select (p_user_id = auth.uid() or public.acting_as_service()) is true
    and exists (
      select from public.profile_grants_of(p_user_id) as access
      where access.profile_id = p_profile_id
        and public.access_level_rank(access.level) >= public.access_level_rank(p_required_level)
        and (access.resource_types is null or p_resource_type = any (access.resource_types))
    )
$$;
comment on function public.has_resource_access(uuid, uuid, text, text) is
  'The one decision: may this account do this much with this kind of data (profile, document, clinical, narrative, identity, usage, access, audit) of the profile? No to every question about somebody else.';

create or replace function public.has_profile_access_level(p_user_id uuid, p_profile_id uuid, p_required_level text)
returns boolean language sql stable security definer set search_path = '' as $$
  select public.has_resource_access(p_user_id, p_profile_id, p_required_level, 'profile')
$$;
comment on function public.has_profile_access_level(uuid, uuid, text) is
  'May the calling account reach this profile at this level? No to every question about somebody else.';

create or replace function public.has_profile_access(p_user_id uuid, p_profile_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select public.has_resource_access(p_user_id, p_profile_id, 'read_only', 'profile')
$$;
comment on function public.has_profile_access(uuid, uuid) is
  'May the calling account read this profile? No to every question about somebody else.';

create or replace function public.has_semantic_data_access(p_user_id uuid, p_profile_id uuid, p_resource_type text)
returns boolean language sql stable security definer set search_path = '' as $$
  select public.has_resource_access(
    p_user_id,
    p_profile_id,
    case
      when p_resource_type in ('document', 'clinical', 'narrative', 'usage') then 'read_only'
      when p_resource_type = 'access' then 'full_access'
      when p_resource_type = 'audit' then 'owner'
    end,
    p_resource_type
  )
$$;
comment on function public.has_semantic_data_access(uuid, uuid, text) is
  'May the calling account read this kind of data (document, clinical, narrative, usage, access, audit) of the profile?';

drop function if exists public.require_profile_access(uuid, text);

-- For the first line of functions that clients call. One answer for "not yours" and "does not exist".
create or replace function public.require_profile_access(
  p_profile_id uuid,
  p_required_level text,
  p_resource_type text
) returns void language plpgsql stable set search_path = '' as $$
begin
  if public.acting_as_service()
    or public.has_resource_access(auth.uid(), p_profile_id, p_required_level, p_resource_type) then
    return;
  end if;
  raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
end
$$;
comment on function public.require_profile_access(uuid, text, text) is
  'Raises insufficient_privilege unless the caller reaches this kind of data at this level; services always do.';

create or replace function public.decision_capacity(p_profile_id uuid) returns text
language sql stable set search_path = '' as $$
  select case when held.basis = 'owner' and profile.profile_type = 'self' then 'self' else 'guardian' end
  from public.profile_grants_of(auth.uid()) as held
  join public.user_profiles as profile on profile.id = held.profile_id
  where held.profile_id = p_profile_id and held.basis in ('owner', 'guardian')
  order by held.basis desc
  limit 1
$$;
comment on function public.decision_capacity(uuid) is
  'As what the caller may decide for this person (consents, providers, exports): self, guardian, or null, whatever else it may do.';

create or replace function public.require_decision_capacity(p_profile_id uuid) returns text
language plpgsql stable set search_path = '' as $$
declare
  v_capacity text := public.decision_capacity(p_profile_id);
begin
  if v_capacity is null then
    raise exception 'This account may not decide for this person.' using errcode = 'insufficient_privilege';
  end if;
  return v_capacity;
end
$$;
comment on function public.require_decision_capacity(uuid) is
  'Raises insufficient_privilege unless the caller is the person, or a guardian; returns which.';

revoke all on function
  public.acting_as_service(),
  public.request_context(),
  public.access_level_rank(text),
  public.may_break_glass(uuid),
  public.consent_holds(uuid, text),
  public.profile_grants_of(uuid),
  public.accessible_profile_ids(text, text),
  public.has_resource_access(uuid, uuid, text, text),
  public.has_profile_access_level(uuid, uuid, text),
  public.has_profile_access(uuid, uuid),
  public.has_semantic_data_access(uuid, uuid, text),
  public.require_profile_access(uuid, text, text),
  public.decision_capacity(uuid),
  public.require_decision_capacity(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.accessible_profile_ids(text, text) to authenticated;
grant execute on function public.has_resource_access(uuid, uuid, text, text) to authenticated, service_role;
grant execute on function public.has_profile_access_level(uuid, uuid, text) to authenticated, service_role;
grant execute on function public.has_profile_access(uuid, uuid) to authenticated, service_role;
grant execute on function public.has_semantic_data_access(uuid, uuid, text) to authenticated, service_role;
grant execute on function public.consent_holds(uuid, text) to service_role;

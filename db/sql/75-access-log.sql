-- The access log as a patient reads it: who looked at or changed what of theirs, when, and on what ground.

-- Reads carry their ground (73-read-traces.sql). Changes, and fetching an export, do not: theirs is looked up in what
-- grants say of their own past.
create or replace function public.basis_of_change(p_account_id uuid, p_patient_id uuid, p_at timestamptz)
returns table (basis text, grant_id uuid)
language sql stable set search_path = '' as $$
  select held.basis, held.grant_id
  from (
    select 'owner', profile.id
    from public.user_profiles as profile
    where profile.id = p_patient_id and profile.account_owner_id = p_account_id
    union all
    select permission.capacity, permission.id
    from public.profile_access_permissions as permission
    where permission.profile_id = p_patient_id
      and permission.account_id = p_account_id
      and permission.accepted_at <= p_at
      and (permission.revoked_at is null or permission.revoked_at >= p_at)
      and (permission.ends_at is null or permission.ends_at >= p_at)
    union all
    select 'provider', approved.id
    from public.provider_registry as provider
    join public.patient_provider_access as approved on approved.provider_id = provider.id
    where approved.patient_id = p_patient_id
      and provider.account_id = p_account_id
      and approved.starts_at <= p_at
      and approved.ends_at >= p_at
      and (approved.revoked_at is null or approved.revoked_at >= p_at)
  ) as held (basis, grant_id)
  order by public.basis_rank(held.basis)
  limit 1
$$;
comment on function public.basis_of_change(uuid, uuid, timestamptz) is
  'On what ground an account could change this person''s data at that time, as far as the grants still tell.';

create or replace function public.self_display_name(p_account_id uuid) returns text
language sql stable set search_path = '' as $$
  select profile.display_name
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id and profile.profile_type = 'self'
$$;
comment on function public.self_display_name(uuid) is 'What an account calls itself; null once it is closed.';

-- Definer: names of others, and grants that have ended, are shown here and nowhere else. Asks for access first.
-- The page is cut out of the index by patient and time, before anything is joined to it.
create or replace function public.patient_access_log(
  p_profile_id uuid,
  p_before timestamptz default null,
  p_limit int default 50,
  p_before_id uuid default null,
  p_others_only boolean default false
) returns table (
  entry_id uuid,
  at timestamptz,
  who_kind text,
  who text,
  on_behalf_of text,
  basis text,
  shared_by text,
  reason text,
  explanation text,
  resource text,
  view text,
  record_id text,
  operation text,
  count int
) language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform public.require_profile_access(p_profile_id, 'owner', 'audit');
  return query
  with page as materialized (
    select log.*
    from public.audit_log as log
    where log.patient_id = p_profile_id
      and log.changed_at <= coalesce(p_before, 'infinity')
      and (p_before is null or log.changed_at < p_before or log.id < p_before_id)
      and (not p_others_only or log.changed_by is distinct from auth.uid())
    order by log.changed_at desc, log.id desc
    limit least(p_limit, 1000)
  ),
  grounded as (
    select
      page.*,
      page.actor_role is distinct from 'authenticated' as by_service,
      coalesce(trace.basis, changed.basis) as basis,
      coalesce(trace.grant_id, changed.grant_id) as grant_id,
      trace.view,
      coalesce(trace.count, 1) as count
    from page
    left join lateral jsonb_to_record(page.new_values) as trace (basis text, grant_id uuid, view text, count int)
      on page.operation = 'SELECT'
    left join lateral public.basis_of_change(page.changed_by, p_profile_id, page.changed_at) as changed
      on trace.basis is null and page.actor_role = 'authenticated'
  )
  select
    entry.id,
    entry.changed_at,
    case when entry.by_service then 'service' when clinician.id is not null then 'clinician' else 'account' end,
    case
      when entry.by_service then 'service'
      else coalesce(clinician.display_name, public.self_display_name(entry.changed_by))
    end,
    case when entry.by_service then public.self_display_name(entry.changed_by) end,
    entry.basis,
    public.self_display_name(permission.granted_by),
    coalesce(entry.reason, approved.purpose),
    glass.reason,
    entry.table_name,
    entry.view,
    entry.record_id,
    entry.operation,
    entry.count
  from grounded as entry
  left join public.profile_access_permissions as permission
    on entry.basis in ('delegate', 'guardian') and permission.id = entry.grant_id
  left join public.patient_provider_access as approved on entry.basis = 'provider' and approved.id = entry.grant_id
  left join public.break_glass_accesses as glass on entry.basis = 'break_glass' and glass.id = entry.grant_id
  left join public.provider_registry as clinician
    on entry.basis in ('provider', 'break_glass') and clinician.account_id = entry.changed_by
  order by entry.changed_at desc, entry.id desc;
end
$$;
comment on function public.patient_access_log(uuid, timestamptz, int, uuid, boolean) is
  'Who saw and changed what of this person, newest first; a page ends where (at, entry_id) of its last row says. For whoever holds the profile as its owner.';

revoke all on function
  public.basis_of_change(uuid, uuid, timestamptz),
  public.self_display_name(uuid),
  public.patient_access_log(uuid, timestamptz, int, uuid, boolean)
from public, anon, authenticated, service_role;

grant execute on function public.patient_access_log(uuid, timestamptz, int, uuid, boolean) to authenticated;

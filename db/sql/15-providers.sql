-- Clinicians: who they are, as they say and as operators have verified. What they see of patients: 18-provider-access.sql.

-- Definer: the policy of patient_provider_access asks, and clients may not read account ids of the registry.
create or replace function public.own_provider_id() returns uuid
language sql stable security definer set search_path = '' as $$
  select provider.id from public.provider_registry as provider where provider.account_id = auth.uid()
$$;
comment on function public.own_provider_id() is 'The caller as a clinician; null for everybody else.';

create or replace function public.end_provider_access(p_provider_id uuid) returns void
language sql volatile set search_path = '' as $$
  update public.patient_provider_access as access
  set status = 'revoked',
      revoked_at = now()
  where access.provider_id = p_provider_id and access.status in ('requested', 'approved')
$$;
comment on function public.end_provider_access(uuid) is
  'Ends what a clinician asked for and was given, everywhere and for good: patients approved somebody else.';

-- Definer: clients have no write on the registry. Only the caller's own row is touched.
create or replace function public.register_provider(
  p_display_name text,
  p_profession text,
  p_registration_authority text,
  p_registration_number text
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_known public.provider_registry;
  v_provider_id uuid;
begin
  if auth.uid() is null then
    raise exception 'Only accounts register.' using errcode = 'insufficient_privilege';
  end if;
  insert into public.provider_registry
    (account_id, display_name, profession, registration_authority, registration_number)
  values
    (auth.uid(), btrim(p_display_name), btrim(p_profession), btrim(p_registration_authority), btrim(p_registration_number))
  on conflict (account_id) do nothing
  returning id into v_provider_id;
  if found then
    return v_provider_id;
  end if;

  select * into strict v_known
  from public.provider_registry as provider
  where provider.account_id = auth.uid()
  for no key update;
  if (v_known.display_name, v_known.profession, v_known.registration_authority, v_known.registration_number)
    is not distinct from
    (btrim(p_display_name), btrim(p_profession), btrim(p_registration_authority), btrim(p_registration_number)) then
    return v_known.id;
  end if;
  update public.provider_registry as provider
  set display_name = btrim(p_display_name),
      profession = btrim(p_profession),
      registration_authority = btrim(p_registration_authority),
      registration_number = btrim(p_registration_number),
      -- A suspension is not shaken off by an edit.
      verification_status = case provider.verification_status when 'suspended' then 'suspended' else 'unverified' end,
      verified_by = case provider.verification_status when 'suspended' then provider.verified_by end,
      verified_at = null,
      updated_at = clock_timestamp()
  where provider.id = v_known.id;
  if (v_known.registration_authority, v_known.registration_number)
    is distinct from (btrim(p_registration_authority), btrim(p_registration_number)) then
    perform public.end_provider_access(v_known.id);
  end if;
  return v_known.id;
end
$$;
comment on function public.register_provider(text, text, text, text) is
  'The caller as a clinician, unverified; every edit must be verified again, and another registration ends what had been approved.';

-- Definer: operators are ordinary accounts, to whom the table is closed.
create or replace function public.verify_provider(
  p_provider_id uuid,
  p_status text,
  p_seen_updated_at timestamptz default null
) returns boolean language plpgsql volatile security definer set search_path = '' as $$
declare
  v_provider public.provider_registry;
begin
  perform public.require_operator();
  if p_status is null or p_status not in ('unverified', 'verified', 'suspended') then
    raise exception 'A clinician is unverified, verified or suspended.' using errcode = 'invalid_parameter_value';
  end if;
  select * into v_provider
  from public.provider_registry as provider
  where provider.id = p_provider_id
  for no key update;
  if v_provider.account_id = auth.uid() then
    raise exception 'Nobody verifies themself.' using errcode = 'insufficient_privilege';
  end if;
  if v_provider.id is null or v_provider.verification_status = p_status then
    return false;
  end if;
  if p_seen_updated_at <> v_provider.updated_at then
    raise exception 'This entry has changed since it was looked at.' using errcode = 'object_not_in_prerequisite_state';
  end if;
  update public.provider_registry as provider
  set verification_status = p_status,
      verified_by = auth.uid(),
      verified_at = case p_status when 'verified' then now() end,
      updated_at = clock_timestamp()
  where provider.id = p_provider_id;
  if p_status = 'suspended' then
    perform public.end_provider_access(p_provider_id);
  end if;
  return true;
end
$$;
comment on function public.verify_provider(uuid, text, timestamptz) is
  'An operator says whether a clinician is who they say, as read at p_seen_updated_at; false when that was said already. Suspending ends their access for good.';

revoke all on function
  public.own_provider_id(),
  public.end_provider_access(uuid),
  public.register_provider(text, text, text, text),
  public.verify_provider(uuid, text, timestamptz)
from public, anon, authenticated, service_role;

grant execute on function public.own_provider_id() to authenticated;
grant execute on function public.register_provider(text, text, text, text) to authenticated;
grant execute on function public.verify_provider(uuid, text, timestamptz) to authenticated;

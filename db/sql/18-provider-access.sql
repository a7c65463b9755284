-- Clinicians' access to patients: asked for by the one, decided by the other.
--
-- requested -> approved -> revoked, or requested -> declined. Locks: the person's permission, the profile,
-- the clinician, the access.
-- What opens an approval is the rule in 11-access.sql: verified, begun, not over, and the consent to the purpose holds.

-- Definer: clients have no write on the table. Whether the patient exists changes neither the row nor the answer: ids
-- that are nobody's are asked for like any other, seen as asked for by their clinician, and count.
create or replace function public.request_provider_access(
  p_patient_id uuid,
  p_purpose text,
  p_permission_level text default 'read_only',
  p_resource_types text[] default array['document', 'clinical', 'narrative']
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_provider_id uuid;
  v_access_id uuid;
begin
  -- Held: requests of one clinician follow each other, so that they are counted.
  select provider.id into v_provider_id
  from public.provider_registry as provider
  where provider.account_id = auth.uid() and provider.verification_status = 'verified'
  for no key update;
  if not found then
    raise exception 'Only verified clinicians may ask for access.' using errcode = 'insufficient_privilege';
  end if;

  update public.patient_provider_access as over
  set status = 'revoked',
      revoked_at = over.ends_at
  where over.provider_id = v_provider_id
    and over.patient_id = p_patient_id
    and over.status = 'approved'
    and over.ends_at <= now();
  -- Asked again, nothing more happens; nor shortly after a no.
  perform from public.patient_provider_access as known
  where known.provider_id = v_provider_id
    and known.patient_id = p_patient_id
    and (
      known.status in ('requested', 'approved')
      or known.status = 'declined'
        and known.decided_at > now() - make_interval(days => public.configured_number('access.ask_again_days', 30)::int)
    );
  if found then
    return;
  end if;
  perform public.require_room_for_request(v_provider_id);

  insert into public.patient_provider_access (patient_id, provider_id, purpose, permission_level, resource_types)
  values (
    p_patient_id, v_provider_id, p_purpose, p_permission_level,
    array(select distinct asked.kind from unnest(p_resource_types) as asked (kind) order by asked.kind)
  )
  on conflict do nothing
  returning id into v_access_id;
  if found then
    perform public.notify_deciders('provider_access_requested', p_patient_id, v_access_id);
  end if;
end
$$;
comment on function public.request_provider_access(uuid, text, text, text[]) is
  'A verified clinician asks a patient; says the same whether or not there is such a patient, an open request or a recent no.';

create or replace function public.require_room_for_request(p_provider_id uuid) returns void
language plpgsql stable set search_path = '' as $$
declare
  v_open int;
  v_today int;
begin
  select count(*) filter (where asked.status = 'requested'), count(*) filter (where asked.requested_at > now() - interval '1 day')
  into v_open, v_today
  from public.patient_provider_access as asked
  where asked.provider_id = p_provider_id;
  if v_open >= public.configured_number('access.open_requests_max', 50)
    or v_today >= public.configured_number('access.daily_requests_max', 50) then
    raise sqlstate 'PT429' using message = 'Too many requests for access.', hint = 'too_many_requests';
  end if;
end
$$;
comment on function public.require_room_for_request(uuid) is
  'Raises PT429 where a clinician waits for too many patients, or asked too many within a day: nobody sprays.';

create or replace function public.lock_provider_request(p_access_id uuid) returns public.patient_provider_access
language plpgsql volatile set search_path = '' as $$
declare
  v_access public.patient_provider_access;
begin
  select * into v_access
  from public.patient_provider_access as access
  where access.id = p_access_id
    and access.patient_id = any (public.accessible_profile_ids('full_access', 'access'));
  if not found then
    raise exception 'There is no such request.' using errcode = 'no_data_found';
  end if;
  perform public.lock_decided_profile(v_access.patient_id);
  return v_access;
end
$$;
comment on function public.lock_provider_request(uuid) is
  'A clinician''s request, with its patient held, if the caller decides for that patient; else no_data_found to whoever may not see it, insufficient_privilege to whoever may.';

-- In the order of docs/sql.md: the consent stays what it is, and then so does who decides.
create or replace function public.lock_decided_profile(p_profile_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform public.require_decision_capacity(p_profile_id);
  perform public.lock_processing_permission(p_profile_id);
  perform from public.user_profiles as profile where profile.id = p_profile_id for no key update;
  -- Asked again: it may have ended while this waited.
  perform public.require_decision_capacity(p_profile_id);
end
$$;
comment on function public.lock_decided_profile(uuid) is
  'Holds a profile for a decision of the person or a guardian; raises insufficient_privilege for everybody else.';

-- The profile is held by the caller.
create or replace function public.admit_provider(p_patient_id uuid, p_provider_id uuid, p_ends_at timestamptz) returns void
language plpgsql volatile set search_path = '' as $$
begin
  if p_ends_at is null
    or p_ends_at <= now()
    or p_ends_at > now() + make_interval(days => public.configured_number('access.provider_days_max', 366)::int) then
    raise exception 'Access of clinicians ends, and within a year.' using errcode = 'invalid_parameter_value';
  end if;
  -- A guardian for some time lets nobody in for longer.
  perform public.require_managing_level(p_patient_id, 'full_access', p_ends_at);
  perform from public.provider_registry as provider
  where provider.id = p_provider_id and provider.verification_status = 'verified'
  for share;
  if not found then
    raise exception 'There is no verified clinician of this name.' using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Letting somebody in is the consent to it.
  if not public.consent_holds(p_patient_id, 'provider_access') then
    insert into public.patient_consents (patient_id, purpose, decision, decided_by, capacity)
    values (p_patient_id, 'provider_access', 'granted', auth.uid(), public.require_decision_capacity(p_patient_id));
  end if;
end
$$;
comment on function public.admit_provider(uuid, uuid, timestamptz) is
  'What must hold before a clinician is let in: a bounded time, a verified clinician; grants the consent where it does not hold.';

-- Definer: clients have no write on the tables behind it; access is asked for first.
create or replace function public.approve_provider_access(
  p_access_id uuid,
  p_ends_at timestamptz,
  p_permission_level text default null,
  p_resource_types text[] default null
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_access public.patient_provider_access := public.lock_provider_request(p_access_id);
begin
  if (
    public.access_level_rank(coalesce(p_permission_level, v_access.permission_level))
      <= public.access_level_rank(v_access.permission_level)
    and coalesce(p_resource_types, v_access.resource_types) <@ v_access.resource_types
    and cardinality(coalesce(p_resource_types, v_access.resource_types)) > 0
  ) is not true then
    raise exception 'No more is given than was asked for.' using errcode = 'invalid_parameter_value';
  end if;
  perform public.admit_provider(v_access.patient_id, v_access.provider_id, p_ends_at);
  update public.patient_provider_access as access
  set status = 'approved',
      permission_level = coalesce(p_permission_level, access.permission_level),
      resource_types = coalesce(p_resource_types, access.resource_types),
      decided_by = auth.uid(),
      decided_at = now(),
      starts_at = now(),
      ends_at = p_ends_at
  where access.id = p_access_id and access.status = 'requested';
  if not found then
    raise exception 'This request is not open.' using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.approve_provider_access(uuid, timestamptz, text, text[]) is
  'The person or a guardian lets a clinician in, to no more than was asked for and for a bounded time. This is the consent to it.';

-- Definer: clients have no write on the table; access is asked for first.
create or replace function public.decline_provider_access(p_access_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_provider_request(p_access_id);
  update public.patient_provider_access as access
  set status = 'declined',
      decided_by = auth.uid(),
      decided_at = now()
  where access.id = p_access_id and access.status = 'requested';
  if not found then
    raise exception 'This request is not open.' using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.decline_provider_access(uuid) is 'The person or a guardian says no to a clinician.';

-- Definer: clients have no write on the tables behind it; access is asked for first.
create or replace function public.grant_provider_access(
  p_patient_id uuid,
  p_provider_id uuid,
  p_purpose text,
  p_ends_at timestamptz,
  p_permission_level text default 'read_only',
  p_resource_types text[] default array['document', 'clinical', 'narrative']
) returns uuid language plpgsql volatile security definer set search_path = '' as $$
declare
  v_access_id uuid;
begin
  perform public.lock_decided_profile(p_patient_id);
  perform public.admit_provider(p_patient_id, p_provider_id, p_ends_at);
  update public.patient_provider_access as live
  set status = 'revoked',
      revoked_at = now()
  where live.patient_id = p_patient_id
    and live.provider_id = p_provider_id
    and live.status in ('requested', 'approved');
  insert into public.patient_provider_access (
    patient_id, provider_id, status, purpose, permission_level, resource_types, decided_by, decided_at, starts_at, ends_at
  )
  values (
    p_patient_id, p_provider_id, 'approved', p_purpose, p_permission_level,
    array(select distinct given.kind from unnest(p_resource_types) as given (kind) order by given.kind),
    auth.uid(), now(), now(), p_ends_at
  )
  returning id into v_access_id;
  return v_access_id;
end
$$;
comment on function public.grant_provider_access(uuid, uuid, text, timestamptz, text, text[]) is
  'The person or a guardian lets in a clinician of the directory who did not ask; takes the place of a request or an approval.';

-- Definer: clients have no write on the table. One statement decides who may, and what state it was in.
create or replace function public.revoke_provider_access(p_access_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.patient_provider_access as access
  set status = 'revoked',
      revoked_at = now()
  where access.id = p_access_id
    and (
      access.status in ('requested', 'approved') and access.provider_id = public.own_provider_id()
      or access.status = 'approved' and access.patient_id = any (public.accessible_profile_ids('full_access', 'access'))
    );
  if not found then
    raise exception 'There is no such access.' using errcode = 'no_data_found';
  end if;
end
$$;
comment on function public.revoke_provider_access(uuid) is
  'Ends a clinician''s access at once: by whoever manages the profile, or by the clinician, who may take a request back as well.';

-- Before the row is there, consent_holds still tells what held until now: one that had run out counts as withdrawn.
create or replace function public.end_unconsented_access() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  if new.decision <> 'granted' or not public.consent_holds(new.patient_id, 'provider_access') then
    update public.patient_provider_access as access
    set status = 'revoked',
        revoked_at = now()
    where access.patient_id = new.patient_id and access.status = 'approved';
  end if;
  return new;
end
$$;
comment on function public.end_unconsented_access() is
  'Whoever says no to clinicians ends what was approved: saying yes again opens nothing by itself.';
drop trigger if exists end_provider_access on public.patient_consents;
create trigger end_provider_access before insert on public.patient_consents
  for each row when (new.purpose = 'provider_access')
  execute function public.end_unconsented_access();

revoke all on function
  public.request_provider_access(uuid, text, text, text[]),
  public.require_room_for_request(uuid),
  public.lock_provider_request(uuid),
  public.lock_decided_profile(uuid),
  public.admit_provider(uuid, uuid, timestamptz),
  public.approve_provider_access(uuid, timestamptz, text, text[]),
  public.decline_provider_access(uuid),
  public.grant_provider_access(uuid, uuid, text, timestamptz, text, text[]),
  public.revoke_provider_access(uuid),
  public.end_unconsented_access()
from public, anon, authenticated, service_role;

grant execute on function public.request_provider_access(uuid, text, text, text[]) to authenticated;
grant execute on function public.approve_provider_access(uuid, timestamptz, text, text[]) to authenticated;
grant execute on function public.decline_provider_access(uuid) to authenticated;
grant execute on function public.grant_provider_access(uuid, uuid, text, timestamptz, text, text[]) to authenticated;
grant execute on function public.revoke_provider_access(uuid) to authenticated;

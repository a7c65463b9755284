-- What an account that goes leaves to others, or takes from them: children with another guardian, what it was let into,
-- and its name as a clinician. Called by the purge (64-purge.sql).

create or replace function public.hand_over_profiles(p_closure public.account_closures) returns int
language plpgsql volatile set search_path = '' as $$
declare
  v_heir record;
  v_handed_over int := 0;
begin
  loop
    select * into v_heir from public.heirs_of_profiles(p_closure.account_id) limit 1;
    exit when not found;
    -- A guardian whose own purge begins meanwhile is none any more: look again.
    perform public.lock_account_closure(v_heir.account_id);
    continue when not exists (
      select from public.heirs_of_profiles(p_closure.account_id) as heir where heir.permission_id = v_heir.permission_id
    );
    perform public.lock_processing_permission(v_heir.profile_id);
    -- Restricted as the other people of its new account are: by that account's own closure, if it has asked for one.
    update public.user_profiles as profile
    set account_owner_id = v_heir.account_id,
        processing_restricted_at = coalesce(
          nullif(profile.processing_restricted_at, p_closure.requested_at),
          (
            select own.requested_at
            from public.account_closures as own
            where own.account_id = v_heir.account_id and own.status = 'requested'
          )
        )
    where profile.id = v_heir.profile_id;
    -- It becomes ownership, and is not taken back: what the guardian gave to others goes on.
    delete from public.profile_access_permissions as permission where permission.id = v_heir.permission_id;
    perform public.resume_processing(v_heir.profile_id);
    v_handed_over := v_handed_over + 1;
  end loop;
  return v_handed_over;
end
$$;
comment on function public.hand_over_profiles(public.account_closures) is
  'Children and dependents with another guardian become the profiles of that guardian''s account. What was used for them stays booked where it was.';

create or replace function public.cancel_jobs_of(p_patient_ids uuid[]) returns void
language sql volatile set search_path = '' as $$
  select public.take_job_out(live.id, array['pending', 'processing'], null, 'the account is closed')
  from (select job.id from public.live_jobs_of(p_patient_ids) as job order by job.id) as live
$$;
comment on function public.cancel_jobs_of(uuid[]) is 'Takes all jobs of these people out of the queue; those that run lose their lease.';

create or replace function public.detach_account(p_account_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.profile_access_permissions as permission
  set revoked_at = now()
  where permission.account_id = p_account_id and permission.revoked_at is null;
  update public.patient_provider_access as access
  set status = 'revoked',
      revoked_at = now()
  from public.provider_registry as provider
  where provider.account_id = p_account_id
    and access.provider_id = provider.id
    and access.status in ('requested', 'approved');
  update public.break_glass_accesses as glass
  set ended_at = now()
  where glass.account_id = p_account_id and glass.ended_at is null;
  delete from public.account_roles as held where held.account_id = p_account_id;
end
$$;
comment on function public.detach_account(uuid) is 'What an account may do with other people''s records, and with the system, ends.';

-- Whom a patient let in, or who broke glass, stays in the registry by name: patients may always see who has seen them.
create or replace function public.retire_provider(p_account_id uuid) returns void
language plpgsql volatile set search_path = '' as $$
begin
  update public.provider_registry as provider
  set account_id = null,
      verification_status = 'suspended'
  where provider.account_id = p_account_id
    and (
      exists (
        select from public.patient_provider_access as access
        where access.provider_id = provider.id and access.starts_at is not null
      )
      or exists (
        select from public.break_glass_accesses as glass where glass.account_id = p_account_id
      )
    );
  update public.provider_registry as provider
  set account_id = null,
      verification_status = 'suspended',
      display_name = 'Erased',
      profession = 'Erased',
      registration_authority = 'Erased',
      registration_number = 'Erased'
  where provider.account_id = p_account_id;
end
$$;
comment on function public.retire_provider(uuid) is
  'A clinician who closes their account works here no more; the name stays only where a patient''s log has it.';

revoke all on function
  public.hand_over_profiles(public.account_closures),
  public.cancel_jobs_of(uuid[]),
  public.detach_account(uuid),
  public.retire_provider(uuid)
from public, anon, authenticated, service_role;

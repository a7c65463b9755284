-- Closing an account: asked for, waited for, then carried out (64-purge.sql).
--
--   requested ──due, begin──> purging ──every step done──> purged
--       └──cancel──> cancelled
--
-- Asking has its effects at once: nothing of the account's people is processed, and nobody else reaches those who will
-- be erased. Reading and exporting go on until the purge. Whatever changes a closure holds the lock of its account first.

insert into public.system_configuration (config_key, config_value, description)
values
  ('closure.waiting_days', '30', 'How many days lie between asking to close an account and its erasure.')
on conflict (config_key) do nothing;

create or replace function public.lock_account_closure(p_account_id uuid) returns void
language sql volatile set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended('account closure ' || p_account_id, 0))
$$;
comment on function public.lock_account_closure(uuid) is
  'What concerns the closing of one account happens one after the other: asking, calling off, purging, new profiles.';

-- A child's or dependent's record goes on with its other guardian, even one who has asked to close an account as well:
-- that may still be called off.
create or replace function public.heirs_of_profiles(p_account_id uuid)
returns table (profile_id uuid, account_id uuid, permission_id uuid)
language sql stable set search_path = '' as $$
  select distinct on (profile.id) profile.id, permission.account_id, permission.id
  from public.user_profiles as profile
  join public.profile_access_permissions as permission on permission.profile_id = profile.id
  where profile.account_owner_id = p_account_id
    and profile.profile_type <> 'self'
    and permission.capacity = 'guardian'
    and permission.accepted_at is not null
    and permission.revoked_at is null
    and permission.starts_at <= now()
    and (permission.ends_at is null or permission.ends_at > now())
    and not exists (
      select from public.account_closures as closure
      where closure.account_id = permission.account_id and closure.status = 'purging'
    )
  order by profile.id, permission.accepted_at, permission.id
$$;
comment on function public.heirs_of_profiles(uuid) is
  'Of an account''s profiles those with another guardian, and which: the one that has been longest.';

create or replace function public.profiles_to_erase(p_account_id uuid) returns uuid[]
language sql stable set search_path = '' as $$
  select coalesce(array_agg(profile.id order by profile.id), '{}')
  from public.user_profiles as profile
  where profile.account_owner_id = p_account_id
    and not exists (
      select from public.heirs_of_profiles(p_account_id) as heir where heir.profile_id = profile.id
    )
$$;
comment on function public.profiles_to_erase(uuid) is 'The people who go with an account: all its profiles without another guardian.';

create or replace function public.lock_processing_of_account(p_account_id uuid) returns void
language sql volatile set search_path = '' as $$
  select public.lock_processing_permission(own.id)
  from (
    select profile.id
    from public.user_profiles as profile
    where profile.account_owner_id = p_account_id
    order by profile.id
  ) as own
$$;
comment on function public.lock_processing_of_account(uuid) is
  'For who changes what may be done with the data of all people of an account: waits for everybody who relies on it.';

create or replace function public.restrict_for_closure(p_closure public.account_closures) returns void
language plpgsql volatile set search_path = '' as $$
declare
  v_erased uuid[];
begin
  perform public.lock_processing_of_account(p_closure.account_id);
  perform from public.user_profiles as profile
  where profile.account_owner_id = p_closure.account_id
  order by profile.id
  for no key update;
  v_erased := public.profiles_to_erase(p_closure.account_id);
  update public.profile_access_permissions as permission
  set revoked_at = now()
  where permission.profile_id = any (v_erased) and permission.revoked_at is null;
  update public.patient_provider_access as access
  set status = 'revoked',
      revoked_at = now()
  where access.patient_id = any (v_erased) and access.status in ('requested', 'approved');
  -- The time says that it was this closure: who had restricted processing before keeps that.
  update public.user_profiles as profile
  set processing_restricted_at = p_closure.requested_at
  where profile.account_owner_id = p_closure.account_id and profile.processing_restricted_at is null;
  perform public.stop_processing(profile.id)
  from public.user_profiles as profile
  where profile.account_owner_id = p_closure.account_id;
end
$$;
comment on function public.restrict_for_closure(public.account_closures) is
  'Nothing of the people of a closing account is processed any more, and nobody else reaches those who will be erased.';

-- Definer: who acts is auth.uid(), which closes nothing but itself; clients have no write on any of the tables.
create or replace function public.request_account_closure() returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := auth.uid();
  v_closure public.account_closures;
begin
  perform public.require_open_account(v_account_id);
  perform public.lock_account_closure(v_account_id);
  select * into v_closure
  from public.account_closures as closure
  where closure.account_id = v_account_id and closure.status in ('requested', 'purging');
  if found then
    return v_closure.id;
  end if;

  insert into public.account_closures (account_id, due_at)
  values (v_account_id, now() + make_interval(days => greatest(public.configured_number('closure.waiting_days', 30), 0)::int))
  returning * into v_closure;
  perform public.restrict_for_closure(v_closure);
  perform public.notify_account(v_account_id, 'account_closure_requested', null, v_closure.id);
  perform public.notify_account(heir.account_id, 'account_closure_requested', heir.profile_id, v_closure.id)
  from public.heirs_of_profiles(v_account_id) as heir;
  return v_closure.id;
end
$$;
comment on function public.request_account_closure() is
  'Closes the calling account after the waiting period; access of others and processing end at once. Asking again is asking once.';

-- Definer: as above.
create or replace function public.cancel_account_closure() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := auth.uid();
  v_closure public.account_closures;
begin
  perform public.require_open_account(v_account_id);
  perform public.lock_account_closure(v_account_id);
  perform public.lock_processing_of_account(v_account_id);
  update public.account_closures as closure
  set status = 'cancelled',
      cancelled_at = now()
  where closure.account_id = v_account_id and closure.status = 'requested'
  returning closure.* into v_closure;
  if not found then
    return false;
  end if;
  update public.user_profiles as profile
  set processing_restricted_at = null
  where profile.account_owner_id = v_account_id
    and profile.processing_restricted_at = v_closure.requested_at;
  perform public.resume_processing(profile.id)
  from public.user_profiles as profile
  where profile.account_owner_id = v_account_id;
  return true;
end
$$;
comment on function public.cancel_account_closure() is
  'Calls the closing of the calling account off; processing goes on where it was, access that was taken stays taken. False when none waits.';

-- Definer: asks about closures before anybody is anybody, also inside triggers of the embedded login.
create or replace function public.require_open_account(p_account_id uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if p_account_id is null then
    raise exception 'This is for accounts.' using errcode = 'insufficient_privilege';
  end if;
  if exists (
    select from public.account_closures as closure
    where closure.account_id = p_account_id and closure.status in ('purging', 'purged')
  ) then
    raise exception 'This account has been closed.' using errcode = 'EX410';
  end if;
end
$$;
comment on function public.require_open_account(uuid) is
  'Raises EX410 for an account that is being or has been erased: whatever still carries its token finds nobody, and makes nobody.';

-- Definer: sees closures and takes their lock. A person added while the account waits to be closed is not processed
-- either, and none is added to an account that is gone.
create or replace function public.guard_profile_of_closing() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_account_closure(new.account_owner_id);
  perform public.require_open_account(new.account_owner_id);
  new.processing_restricted_at := coalesce(
    new.processing_restricted_at,
    (
      select closure.requested_at
      from public.account_closures as closure
      where closure.account_id = new.account_owner_id and closure.status = 'requested'
    )
  );
  return new;
end
$$;
comment on function public.guard_profile_of_closing() is
  'A new profile of an account that is closing is restricted as the others are; an erased account gets none.';
drop trigger if exists guard_closing on public.user_profiles;
create trigger guard_closing before insert on public.user_profiles
  for each row when (new.account_owner_id is not null)
  execute function public.guard_profile_of_closing();

revoke all on function
  public.lock_account_closure(uuid),
  public.heirs_of_profiles(uuid),
  public.profiles_to_erase(uuid),
  public.lock_processing_of_account(uuid),
  public.restrict_for_closure(public.account_closures),
  public.request_account_closure(),
  public.cancel_account_closure(),
  public.require_open_account(uuid),
  public.guard_profile_of_closing()
from public, anon, authenticated, service_role;

grant execute on function public.request_account_closure() to authenticated;
grant execute on function public.cancel_account_closure() to authenticated;
grant execute on function public.require_open_account(uuid) to service_role;

-- Realtime: who is told what, and who is woken. The server reads each event once for all who listen, so it asks here,
-- in one statement, which accounts may see it; the rule is the one of the policies, `profile_grants_of`.

-- Definer: the rule may be called by no role. For services alone: it would tell a client who else reaches a person.
-- Who ever had to do with the person is found first, and each of them is then asked about by the rule itself: a ground
-- of access that is missing among the first is told nothing, never too much.
create or replace function public.realtime_readers(p_patient_ids uuid[])
returns table (patient_id uuid, account_id uuid)
language sql stable security definer set search_path = '' as $$
  with related (patient_id, account_id) as (
    select profile.id, profile.account_owner_id
    from public.user_profiles as profile
    where profile.id = any (p_patient_ids)
    union
    select permission.profile_id, permission.account_id
    from public.profile_access_permissions as permission
    where permission.profile_id = any (p_patient_ids)
    union
    select access.patient_id, provider.account_id
    from public.patient_provider_access as access
    join public.provider_registry as provider on provider.id = access.provider_id
    where access.patient_id = any (p_patient_ids)
    union
    select glass.patient_id, glass.account_id
    from public.break_glass_accesses as glass
    where glass.patient_id = any (p_patient_ids)
  )
  select related.patient_id, related.account_id
  from related
  where related.account_id is not null
    and exists (
      select from public.profile_grants_of(related.account_id) as access
      where access.profile_id = related.patient_id
        and public.access_level_rank(access.level) >= public.access_level_rank('read_only')
        and (access.resource_types is null or 'document' = any (access.resource_types))
    )
    and not exists (
      select from public.account_closures as closure
      where closure.account_id = related.account_id and closure.status in ('purging', 'purged')
    )
$$;
comment on function public.realtime_readers(uuid[]) is
  'Which accounts may read the documents of these people just now, as the policies would say; none that is being erased.';

create or replace function public.tell_of_notifications() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  perform pg_notify('exora_account_notifications', '');
  return null;
end
$$;
comment on function public.tell_of_notifications() is
  'Wakes the servers'' realtime; it says nothing, they look for themselves.';
drop trigger if exists tell on public.system_notifications;
create trigger tell after insert on public.system_notifications
  for each statement execute function public.tell_of_notifications();

create or replace function public.adopt_restored_events() returns void
language sql volatile set search_path = '' as $$
  update public.shell_file_events as event
  set written_by = pg_current_xact_id()
  where event.written_by >= pg_snapshot_xmax(pg_current_snapshot());
  update public.system_notifications as notification
  set written_by = pg_current_xact_id()
  where notification.written_by >= pg_snapshot_xmax(pg_current_snapshot());
$$;
comment on function public.adopt_restored_events() is
  'Events name the transaction that wrote them, and a dump brings the numbers of another cluster: those that this one has yet to reach become today''s.';

revoke all on function
  public.adopt_restored_events(),
  public.realtime_readers(uuid[]),
  public.tell_of_notifications()
from public, anon, authenticated, service_role;

grant execute on function public.realtime_readers(uuid[]) to service_role;

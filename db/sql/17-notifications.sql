-- Notifications: what an account is told. Kinds and ids alone; written in the transaction of what they tell about.

create or replace function public.notify_account(p_account_id uuid, p_kind text, p_patient_id uuid, p_subject_id uuid)
returns void language sql volatile set search_path = '' as $$
  insert into public.system_notifications (account_id, kind, patient_id, subject_id)
  values (p_account_id, p_kind, p_patient_id, p_subject_id)
$$;
comment on function public.notify_account(uuid, text, uuid, uuid) is
  'Tells an account that something happened; the client finds the words for the kind.';

create or replace function public.notify_deciders(p_kind text, p_patient_id uuid, p_subject_id uuid)
returns void language sql volatile set search_path = '' as $$
  select public.notify_account(decider.account_id, p_kind, p_patient_id, p_subject_id)
  from (
    select profile.account_owner_id
    from public.user_profiles as profile
    where profile.id = p_patient_id and profile.account_owner_id is not null
    union
    select permission.account_id
    from public.profile_access_permissions as permission
    where permission.profile_id = p_patient_id
      and permission.capacity = 'guardian'
      and permission.accepted_at is not null
      and permission.revoked_at is null
      and permission.starts_at <= now()
      and (permission.ends_at is null or permission.ends_at > now())
  ) as decider (account_id)
$$;
comment on function public.notify_deciders(text, uuid, uuid) is
  'Tells everybody who decides for a person: the account that the profile belongs to, and guardians.';

-- Definer: clients have no write on the table. Only the caller's own rows are touched.
create or replace function public.mark_notification_read(p_notification_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.system_notifications as notification
  set read_at = coalesce(notification.read_at, now())
  where notification.id = p_notification_id and notification.account_id = auth.uid();
  return found;
end
$$;
comment on function public.mark_notification_read(uuid) is 'The account has seen it; false when there is none such of its own.';

revoke all on function
  public.notify_account(uuid, text, uuid, uuid),
  public.notify_deciders(text, uuid, uuid),
  public.mark_notification_read(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.mark_notification_read(uuid) to authenticated;

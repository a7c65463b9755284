-- Carrying out the closing of an account (61-closure.sql), step by step: each function here is one transaction, may be
-- called again, and may be the last thing that happens before a crash. The worker deletes objects from the store between
-- them, always before the row that names them: begin; each file; each export; the people; the account.
--
-- What stays says nothing of anybody: erased profiles, consents, exports, the ledger, the audit and the closure with its
-- evidence, all by ids.

create or replace function public.require_purging(p_closure_id uuid) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  v_account_id uuid;
begin
  select closure.account_id into v_account_id
  from public.account_closures as closure
  where closure.id = p_closure_id and closure.status = 'purging';
  if not found then
    raise exception 'This account is not being purged.' using errcode = 'object_not_in_prerequisite_state';
  end if;
  return v_account_id;
end
$$;
comment on function public.require_purging(uuid) is
  'The account of a closure whose waiting period is over and whose purge has begun; raises for every other.';

-- Walks the catalogue, so that a table that is made later is counted too. Not the audit: erasing adds to it.
create or replace function public.count_rows_of(p_patient_ids uuid[]) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  v_table record;
  v_count bigint;
  v_counts jsonb := '{}';
begin
  for v_table in
    select class.relname as name, min(attribute.attname) as patient_column
    from pg_catalog.pg_class as class
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid and not attribute.attisdropped
    where class.relnamespace = 'public'::regnamespace
      and class.relkind = 'r'
      and not class.relispartition
      and attribute.attname in ('patient_id', 'profile_id', 'shell_file_id')
    group by class.relname
    order by class.relname
  loop
    execute format(
      'select count(*) from public.%I as counted where %s',
      v_table.name,
      case v_table.patient_column
        when 'shell_file_id' then
          'exists (select from public.shell_files as file where file.id = counted.shell_file_id and file.patient_id = any ($1))'
        else format('counted.%I = any ($1)', v_table.patient_column)
      end
    ) into v_count using p_patient_ids;
    if v_count > 0 then
      v_counts := v_counts || jsonb_build_object(v_table.name, v_count);
    end if;
  end loop;
  return v_counts;
end
$$;
comment on function public.count_rows_of(uuid[]) is 'How many rows each table has of these people; tables without any are left out.';

-- Definer: services may read closures and change them only here.
create or replace function public.begin_account_purge(p_closure_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_closure public.account_closures;
  v_profile_ids uuid[];
  v_handed_over int;
begin
  select * into v_closure from public.account_closures as closure where closure.id = p_closure_id;
  perform public.lock_account_closure(v_closure.account_id);
  select * into v_closure from public.account_closures as closure where closure.id = p_closure_id;
  if v_closure.status = 'purging' then
    return true;
  elsif v_closure.status is distinct from 'requested' or v_closure.due_at > now() then
    return false;
  end if;

  v_handed_over := public.hand_over_profiles(v_closure);
  -- Again: access may have been given, and people added, while the account waited.
  perform public.restrict_for_closure(v_closure);
  v_profile_ids := public.profiles_to_erase(v_closure.account_id);
  perform public.cancel_jobs_of(v_profile_ids);
  perform public.detach_account(v_closure.account_id);
  update public.account_closures as closure
  set status = 'purging',
      evidence = jsonb_build_object(
        'begun_at', now(),
        'profiles_handed_over', v_handed_over,
        'profiles', to_jsonb(v_profile_ids),
        'rows_found', public.count_rows_of(v_profile_ids),
        'objects_found', (
          select count(*) from public.shell_files as file where file.patient_id = any (v_profile_ids)
        ) + (
          select count(*) from public.data_exports as export
          where export.patient_id = any (v_profile_ids) and export.storage_key is not null
        )
      )
  where closure.id = p_closure_id;
  return true;
end
$$;
comment on function public.begin_account_purge(uuid) is
  'The waiting period is over: nothing can be called off any more. False when it is not over, was called off, or all is done.';

-- Definer: services may erase a file only as a part of something that is allowed.
create or replace function public.purge_shell_file(p_closure_id uuid, p_shell_file_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := public.require_purging(p_closure_id);
begin
  perform public.erase_shell_file(file.id)
  from public.shell_files as file
  join public.user_profiles as profile on profile.id = file.patient_id
  where file.id = p_shell_file_id and profile.account_owner_id = v_account_id;
end
$$;
comment on function public.purge_shell_file(uuid, uuid) is
  'Erases all rows of a file of an account that is being purged; its object has been deleted. Nothing when it has gone already.';

-- Definer: services may read exports and change them only by functions.
create or replace function public.purge_data_export(p_closure_id uuid, p_export_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := public.require_purging(p_closure_id);
begin
  update public.data_exports as export
  set status = case export.status when 'requested' then 'failed' when 'ready' then 'expired' else export.status end,
      storage_key = null
  from public.user_profiles as profile
  where export.id = p_export_id
    and profile.id = export.patient_id
    and profile.account_owner_id = v_account_id;
end
$$;
comment on function public.purge_data_export(uuid, uuid) is
  'Ends an export of an account that is being purged; its archive has been deleted.';

-- Definer: services may not write most of these tables.
create or replace function public.purge_people(p_closure_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := public.require_purging(p_closure_id);
  v_profile_ids uuid[];
begin
  -- An upload that is under way holds its person: it is waited for, and what comes later is refused (see below).
  select coalesce(array_agg(held.id), '{}') into v_profile_ids
  from (
    select profile.id
    from public.user_profiles as profile
    where profile.account_owner_id = v_account_id
    order by profile.id
    for update
  ) as held;
  perform public.cancel_jobs_of(v_profile_ids);
  if exists (select from public.shell_files as file where file.patient_id = any (v_profile_ids))
    or exists (
      select from public.data_exports as export
      where export.patient_id = any (v_profile_ids) and export.storage_key is not null
    ) then
    return false;
  end if;

  delete from public.job_queue as job where job.patient_id = any (v_profile_ids);
  delete from public.processing_errors as failure where failure.patient_id = any (v_profile_ids);
  delete from public.system_notifications as notification where notification.patient_id = any (v_profile_ids);
  delete from public.idempotency_keys as known where known.profile_id = any (v_profile_ids);
  delete from public.resumable_uploads as upload where upload.patient_id = any (v_profile_ids);
  delete from public.profile_access_permissions as permission where permission.profile_id = any (v_profile_ids);
  update public.break_glass_accesses as glass
  set reason = 'Erased with the record.',
      ended_at = coalesce(glass.ended_at, now())
  where glass.patient_id = any (v_profile_ids);
  update public.user_profiles as profile
  set account_owner_id = null,
      relationship = null,
      display_name = 'Erased',
      full_name = null,
      date_of_birth = null,
      time_zone = 'UTC',
      archived_at = coalesce(profile.archived_at, now()),
      erased_at = now()
  where profile.id = any (v_profile_ids);
  return true;
end
$$;
comment on function public.purge_people(uuid) is
  'Makes erased profiles of an account''s people, once no file and no archive of theirs is left; false while there is one.';

-- Definer: holds the person, which no role may. A file is added under its person's lock, so that one that is being
-- erased is either erased after the file or has the file refused.
create or replace function public.refuse_file_of_erased() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from public.user_profiles as profile
  where profile.id = new.patient_id and profile.erased_at is null
  for key share;
  if not found then
    raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
comment on function public.refuse_file_of_erased() is 'Nothing is added to a person who has been erased.';
drop trigger if exists refuse_erased on public.shell_files;
create trigger refuse_erased before insert on public.shell_files
  for each row execute function public.refuse_file_of_erased();

-- Definer: reaches the tables of accounts and of the embedded login, which no API role may.
create or replace function public.finish_account_purge(p_closure_id uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account_id uuid := public.require_purging(p_closure_id);
  v_email text;
  v_is_ours boolean;
begin
  select account.email into v_email from auth.users as account where account.id = v_account_id;
  select class.relowner = current_user::regrole into v_is_ours
  from pg_catalog.pg_class as class
  where class.oid = 'auth.users'::regclass;

  delete from public.system_notifications as notification where notification.account_id = v_account_id;
  delete from public.idempotency_keys as known where known.account_id = v_account_id;
  delete from public.resumable_uploads as upload where upload.account_id = v_account_id;
  delete from public.profile_access_permissions as permission where permission.account_id = v_account_id;
  delete from public.user_profile_context as context where context.account_id = v_account_id;
  delete from public.account_subscriptions as plan where plan.account_id = v_account_id;
  perform public.retire_provider(v_account_id);
  delete from login.verifications as proof
  where proof.value = v_account_id::text or proof.identifier = v_email or proof.value = v_email;
  delete from login.messages as message where message.email = v_email;
  delete from login.users as login_user where login_user.id = v_account_id;
  -- Where accounts are somebody else's (Supabase), theirs is the row, and theirs to delete.
  if v_is_ours then
    delete from auth.users as account where account.id = v_account_id;
  end if;

  update public.account_closures as closure
  set status = 'purged',
      purged_at = now(),
      evidence = closure.evidence || jsonb_build_object(
        'finished_at', now(),
        'account', case when v_is_ours then 'deleted' else 'left to its issuer' end,
        'rows_left', public.count_rows_of(array(
          select erased.id::uuid from jsonb_array_elements_text(closure.evidence -> 'profiles') as erased (id)
        ))
      )
  where closure.id = p_closure_id;
end
$$;
comment on function public.finish_account_purge(uuid) is
  'The account itself goes, with its way to sign in; the closure keeps the evidence.';

revoke all on function
  public.require_purging(uuid),
  public.count_rows_of(uuid[]),
  public.begin_account_purge(uuid),
  public.purge_shell_file(uuid, uuid),
  public.purge_data_export(uuid, uuid),
  public.purge_people(uuid),
  public.refuse_file_of_erased(),
  public.finish_account_purge(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.begin_account_purge(uuid) to service_role;
grant execute on function public.purge_shell_file(uuid, uuid) to service_role;
grant execute on function public.purge_data_export(uuid, uuid) to service_role;
grant execute on function public.purge_people(uuid) to service_role;
grant execute on function public.finish_account_purge(uuid) to service_role;

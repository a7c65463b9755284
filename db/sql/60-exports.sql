-- Exports: everything of one person as an archive, made by a job, kept for some days.
--
--   requested ──finish──> ready ──its days are over──> expired
--       └──the job gave up──> failed
--
-- Neither limits of a plan, nor consents, nor a restriction of processing, nor a closure under way are asked about: what
-- is somebody's own can always be had.

insert into public.system_configuration (config_key, config_value, description)
values
  ('export.keep_days', '7', 'How many days the archive of an export can be fetched before it is deleted.')
on conflict (config_key) do nothing;

-- Definer: clients write neither exports nor jobs. Who may decide for the person may have all of it.
create or replace function public.request_data_export(p_profile_id uuid) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_export_id uuid;
  v_job_id uuid;
begin
  perform public.require_decision_capacity(p_profile_id);
  loop
    insert into public.data_exports (patient_id, requested_by)
    values (p_profile_id, auth.uid())
    on conflict (patient_id) where status = 'requested' do nothing
    returning id into v_export_id;
    exit when found;
    select running.id into v_export_id
    from public.data_exports as running
    where running.patient_id = p_profile_id and running.status = 'requested';
    if found then
      return v_export_id;
    end if;
    -- It ended between the two statements: decide again.
  end loop;

  select public.enqueue_job_v3(
    job_type => 'export_record',
    job_name => 'export_record',
    job_payload => jsonb_build_object('export_id', v_export_id),
    job_category => 'background',
    patient_id => p_profile_id,
    initiated_by => context.actor_id,
    correlation_id => context.correlation_id
  ) into v_job_id
  from public.request_context() as context;
  update public.data_exports as export set job_id = v_job_id where export.id = v_export_id;
  return v_export_id;
end
$$;
comment on function public.request_data_export(uuid) is
  'Asks for everything of a person; while one is being made, asking again gives that one. For the person and guardians.';

-- Definer: services may read exports and change them only here.
-- The row names the object before its first byte is written, so that no archive can lie where nobody finds it.
create or replace function public.begin_data_export(p_export_id uuid, p_storage_key text)
returns table (patient_id uuid, requested_by uuid, earlier_storage_key text)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_export public.data_exports;
begin
  select * into v_export
  from public.data_exports as export
  where export.id = p_export_id and export.status = 'requested'
  for update;
  if not found then
    return;
  end if;
  update public.data_exports as export set storage_key = p_storage_key where export.id = p_export_id;
  return query select v_export.patient_id, v_export.requested_by, v_export.storage_key;
end
$$;
comment on function public.begin_data_export(uuid, text) is
  'Notes where the archive of a requested export will lie; gives the place of an earlier attempt, to be cleared. No row = nothing to do.';

-- Definer: services may read exports and change them only here.
create or replace function public.finish_data_export(
  p_export_id uuid,
  p_storage_key text,
  p_size_bytes bigint,
  p_sha256 text
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_export public.data_exports;
begin
  update public.data_exports as export
  set status = 'ready',
      size_bytes = p_size_bytes,
      sha256 = p_sha256,
      ready_at = now(),
      expires_at = now() + make_interval(days => greatest(public.configured_number('export.keep_days', 7), 1)::int)
  where export.id = p_export_id
    and export.status = 'requested'
    and export.storage_key = p_storage_key
  returning export.* into v_export;
  if not found then
    raise exception 'This export is not being made.' using errcode = 'object_not_in_prerequisite_state';
  end if;
  -- Of everything of a person there is one copy at a time.
  update public.data_exports as earlier
  set expires_at = now()
  where earlier.patient_id = v_export.patient_id
    and earlier.id <> p_export_id
    and earlier.status = 'ready'
    and earlier.expires_at > now();
  if v_export.requested_by is not null then
    perform public.notify_account(v_export.requested_by, 'export_ready', v_export.patient_id, p_export_id);
  end if;
end
$$;
comment on function public.finish_data_export(uuid, text, bigint, text) is
  'The archive is stored: it can be fetched from now on, in the place of an earlier one, and whoever asked is told.';

-- Definer: runs inside the queue's functions and writes exports. What lies at the storage key is swept.
create or replace function public.fail_export_of_ended_job() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.data_exports as export
  set status = 'failed'
  where export.id = (new.job_payload ->> 'export_id')::uuid and export.status = 'requested';
  return null;
end
$$;
comment on function public.fail_export_of_ended_job() is
  'A job that gave up or was cancelled fails its export: nobody waits for ever, and nobody is kept from asking again.';
drop trigger if exists fail_export on public.job_queue;
create trigger fail_export after update of dead_letter_at, completed_at on public.job_queue
  for each row when (
    new.job_type = 'export_record'
    and new.status in ('dead_letter', 'cancelled')
    and old.status is distinct from new.status
  ) execute function public.fail_export_of_ended_job();

-- Definer: services may read exports and change them only here.
create or replace function public.expire_data_export(p_export_id uuid) returns void
language sql volatile security definer set search_path = '' as $$
  update public.data_exports as export
  set status = case export.status when 'ready' then 'expired' else export.status end,
      storage_key = null
  where export.id = p_export_id
    and (export.status in ('failed', 'expired') or (export.status = 'ready' and export.expires_at <= now()))
$$;
comment on function public.expire_data_export(uuid) is
  'The archive has been deleted from the store, because its days are over or it was never finished.';

-- Definer: writes the trace. One answer for "not yours" and "does not exist".
create or replace function public.open_data_export(p_export_id uuid)
returns table (status text, storage_key text, size_bytes bigint, sha256 text, ready_at timestamptz)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_export public.data_exports;
begin
  select * into v_export from public.data_exports as export where export.id = p_export_id;
  if not found or public.decision_capacity(v_export.patient_id) is null then
    raise exception 'There is no such export.' using errcode = 'no_data_found';
  end if;
  if v_export.status = 'ready' and v_export.expires_at <= now() then
    v_export.status := 'expired';
  end if;
  if v_export.status = 'ready' then
    perform public.log_audit_event(
      p_table_name => 'data_exports',
      p_record_id => p_export_id::text,
      p_operation => 'SELECT',
      p_reason => 'fetched',
      p_compliance_category => 'privacy',
      p_patient_id => v_export.patient_id
    );
  end if;
  return query select v_export.status, v_export.storage_key, v_export.size_bytes, v_export.sha256, v_export.ready_at;
end
$$;
comment on function public.open_data_export(uuid) is
  'How an export stands and, when it is ready, where it lies; fetching one is audited. For the person and guardians.';

-- Roles instead of ids: other people's accounts are no part of somebody's data.
create or replace function public.role_towards(p_account_id uuid, p_patient_id uuid) returns text
language sql stable set search_path = '' as $$
  select case
    when p_account_id is null then null
    when exists (
      select from public.user_profiles as profile
      where profile.id = p_patient_id and profile.account_owner_id = p_account_id
    ) then 'account of the profile'
    else coalesce(
      (
        select permission.capacity
        from public.profile_access_permissions as permission
        where permission.profile_id = p_patient_id and permission.account_id = p_account_id
        order by permission.capacity = 'guardian' desc
        limit 1
      ),
      (
        select 'clinician'
        from public.provider_registry as provider
        where provider.account_id = p_account_id
      ),
      (
        select held.role
        from public.account_roles as held
        where held.account_id = p_account_id
        limit 1
      ),
      'another account'
    )
  end
$$;
comment on function public.role_towards(uuid, uuid) is 'What an account is, or was, to a person: what an export says instead of its id.';

-- Definer: reads what no API role may, the tables of accounts and of the embedded login, for one account: the one that
-- asked for the export of its own person.
create or replace function public.account_of_export(p_export_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  v_account_id uuid;
  v_account jsonb;
begin
  select export.requested_by into v_account_id
  from public.data_exports as export
  join public.user_profiles as profile on profile.id = export.patient_id
  where export.id = p_export_id
    and export.status = 'requested'
    and profile.profile_type = 'self'
    and profile.account_owner_id = export.requested_by;
  if not found then
    return null;
  end if;

  select jsonb_build_object(
    'id', account.id,
    'email', account.email,
    'login', (
      select to_jsonb(login_user) from login.users as login_user where login_user.id = v_account_id
    ),
    'sessions', (
      select jsonb_agg(to_jsonb(session) - 'token' order by session.created_at)
      from login.sessions as session
      where session.user_id = v_account_id
    ),
    'ways_to_sign_in', (
      select jsonb_agg(jsonb_build_object('provider', way.provider_id, 'created_at', way.created_at))
      from login.accounts as way
      where way.user_id = v_account_id
    ),
    'roles', (
      select jsonb_agg(to_jsonb(held) - 'account_id')
      from public.account_roles as held
      where held.account_id = v_account_id
    ),
    'plans', (
      select jsonb_agg(to_jsonb(plan) - 'account_id' order by plan.effective_from)
      from public.account_subscriptions as plan
      where plan.account_id = v_account_id
    ),
    'clinician', (
      select to_jsonb(provider) - 'account_id' - 'verified_by'
      from public.provider_registry as provider
      where provider.account_id = v_account_id
    ),
    'notifications', (
      select jsonb_agg(to_jsonb(notification) - 'account_id' - 'patient_id' order by notification.created_at)
      from public.system_notifications as notification
      where notification.account_id = v_account_id
    ),
    'closures', (
      select jsonb_agg(to_jsonb(closure) - 'account_id' order by closure.requested_at)
      from public.account_closures as closure
      where closure.account_id = v_account_id
    )
  ) into v_account
  from auth.users as account
  where account.id = v_account_id;
  return jsonb_strip_nulls(v_account);
end
$$;
comment on function public.account_of_export(uuid) is
  'What is kept of the account itself, for the export of its own person; null for a child''s or when somebody else asked.';

revoke all on function
  public.request_data_export(uuid),
  public.begin_data_export(uuid, text),
  public.finish_data_export(uuid, text, bigint, text),
  public.fail_export_of_ended_job(),
  public.expire_data_export(uuid),
  public.open_data_export(uuid),
  public.role_towards(uuid, uuid),
  public.account_of_export(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.request_data_export(uuid) to authenticated;
grant execute on function public.open_data_export(uuid) to authenticated;
grant execute on function public.begin_data_export(uuid, text) to service_role;
grant execute on function public.finish_data_export(uuid, text, bigint, text) to service_role;
grant execute on function public.expire_data_export(uuid) to service_role;
grant execute on function public.role_towards(uuid, uuid) to service_role;
grant execute on function public.account_of_export(uuid) to service_role;

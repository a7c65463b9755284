-- Uploads: taking a file whose bytes are stored into the record, whole or not at all.

-- The same bytes twice for one patient are one file, however many requests bring them at the same moment: the unique
-- index decides. A copy that is asked for is marked, so that the first stays the one that later uploads find.
create or replace function public.insert_shell_file(p_file public.shell_files, p_keep_both boolean) returns boolean
language plpgsql volatile set search_path = '' as $$
declare
  v_inserted boolean;
begin
  insert into public.shell_files
    (id, patient_id, uploaded_by, filename, mime_type, size_bytes, sha256, storage_key, estimated_pages, document_date,
      note, correlation_id)
  values
    (p_file.id, p_file.patient_id, p_file.uploaded_by, p_file.filename, p_file.mime_type, p_file.size_bytes,
      p_file.sha256, p_file.storage_key, p_file.estimated_pages, p_file.document_date, p_file.note, p_file.correlation_id)
  on conflict (patient_id, sha256) where deleted_at is null and not is_kept_copy do nothing;
  v_inserted := found;
  if not v_inserted and p_keep_both then
    insert into public.shell_files
      (id, patient_id, uploaded_by, filename, mime_type, size_bytes, sha256, storage_key, estimated_pages, document_date,
        note, correlation_id, is_kept_copy)
    values
      (p_file.id, p_file.patient_id, p_file.uploaded_by, p_file.filename, p_file.mime_type, p_file.size_bytes,
        p_file.sha256, p_file.storage_key, p_file.estimated_pages, p_file.document_date, p_file.note,
        p_file.correlation_id, true);
    v_inserted := true;
  end if;
  return v_inserted;
end
$$;
comment on function public.insert_shell_file(public.shell_files, boolean) is
  'False when the patient already has these bytes and no copy was asked for.';

-- Definer: the tables behind it are closed to clients, and access is asked for first. Here alone "not yours to write" is
-- told apart from "not there": to whom the profile is open.
create or replace function public.open_upload(
  p_patient_id uuid,
  p_size_bytes bigint,
  p_estimated_pages int,
  p_idempotency_key text default null,
  p_attempt_token uuid default null,
  p_lock_seconds int default 300
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_answer jsonb := '{"state": "started"}';
begin
  if not public.has_resource_access(auth.uid(), p_patient_id, 'read_write', 'document') then
    if not public.has_profile_access(auth.uid(), p_patient_id) then
      raise exception 'There is no such profile.' using errcode = 'no_data_found';
    end if;
    raise exception 'This profile is not open to this account.' using errcode = 'insufficient_privilege';
  end if;
  if p_idempotency_key is not null then
    v_answer := public.take_idempotency_key(p_patient_id, p_idempotency_key, p_attempt_token, p_lock_seconds);
  end if;
  -- What was answered once is answered again, whatever the limits say now.
  if v_answer ->> 'state' = 'started' and public.feature_enabled('usage_limits_enforced') then
    perform public.refuse_passed_limit(
      public.account_of_profile(p_patient_id), 1, greatest(p_estimated_pages, 1), p_size_bytes
    );
  end if;
  return v_answer;
end
$$;
comment on function public.open_upload(uuid, bigint, int, text, uuid, int) is
  'Before the bytes of an upload: access, its key as take_idempotency_key answers, and limits (EX402; register_shell_file decides for good).';

-- What it takes has changed since it was first installed.
drop function if exists public.register_shell_file(
  uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text
);

-- Definer: the acting account is auth.uid(), access is checked first, and every table behind it is closed to clients.
create or replace function public.register_shell_file(
  p_shell_file_id uuid,
  p_patient_id uuid,
  p_filename text,
  p_mime_type text,
  p_size_bytes bigint,
  p_sha256 text,
  p_storage_key text,
  p_estimated_pages int default 1,
  p_document_date date default null,
  p_note text default null,
  p_keep_both boolean default false,
  p_idempotency_key text default null,
  p_attempt_token uuid default null,
  p_request_hash text default null,
  p_correlation_id text default null,
  p_resumable_upload_id uuid default null,
  p_lock_token uuid default null
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_inserted boolean;
  v_original_id uuid;
  v_job_id uuid;
  v_answer jsonb;
begin
  perform public.require_profile_access(p_patient_id, 'read_write', 'document');
  if p_idempotency_key is not null then
    perform public.hold_idempotent_request(p_patient_id, p_idempotency_key, p_attempt_token);
  end if;
  if p_correlation_id is not null then
    perform set_config('exora.correlation_id', p_correlation_id, true);
  end if;
  -- Before content and account: whoever restores a document holds it and then waits for those.
  perform public.hold_processing_permission(p_patient_id);

  v_file.id := p_shell_file_id;
  v_file.patient_id := p_patient_id;
  v_file.uploaded_by := auth.uid();
  v_file.filename := p_filename;
  v_file.mime_type := p_mime_type;
  v_file.size_bytes := p_size_bytes;
  v_file.sha256 := p_sha256;
  v_file.storage_key := p_storage_key;
  v_file.estimated_pages := greatest(coalesce(p_estimated_pages, 1), 1);
  v_file.document_date := p_document_date;
  v_file.note := p_note;
  v_file.correlation_id := p_correlation_id;

  loop
    v_inserted := public.insert_shell_file(v_file, coalesce(p_keep_both, false));
    exit when v_inserted;
    select original.id into v_original_id
    from public.shell_files as original
    where original.patient_id = p_patient_id
      and original.sha256 = p_sha256
      and original.deleted_at is null
      and not original.is_kept_copy;
    exit when found;
    -- Deleted between the two statements: decide again.
  end loop;

  if v_inserted then
    -- Raises EX402 where limits are enforced and spent: nothing of this transaction stays.
    perform public.require_allowance(p_patient_id, 1, v_file.estimated_pages, v_file.size_bytes);
    insert into public.shell_file_stages (shell_file_id, stage, position)
    select v_file.id, step.stage, step.position
    from unnest(public.pipeline_stages()) with ordinality as step (stage, position);
    perform public.count_usage(public.upload_event(v_file));
    perform public.tell_shell_file_event(v_file.id, null, null, null, null);
    v_job_id := public.enqueue_stage(v_file.id, 'security_scan');
  end if;

  v_answer := public.upload_answer(
    v_file, v_original_id, v_job_id, public.usage_status(public.account_of_profile(p_patient_id))
  );
  if p_idempotency_key is not null then
    update public.idempotency_keys as known
    set status = 'completed',
        request_hash = p_request_hash,
        response_status = (v_answer ->> 'response_status')::smallint,
        response_body = v_answer -> 'response_body',
        shell_file_id = (v_answer ->> 'shell_file_id')::uuid,
        expires_at = now() + public.idempotency_kept_for()
    where known.account_id = auth.uid()
      and known.profile_id = p_patient_id
      and known.idempotency_key = p_idempotency_key;
  end if;
  if p_resumable_upload_id is not null then
    perform public.finish_resumable_upload(p_resumable_upload_id, p_lock_token, v_answer -> 'response_body');
  end if;
  return v_answer;
end
$$;
comment on function public.register_shell_file(
  uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text, uuid, uuid
) is 'The one transaction of an upload: file, stages, usage, audit, job, and the answer kept for replays of its key.';

-- What it is told has changed since it was first installed.
drop function if exists public.upload_answer(public.shell_files, uuid, uuid);
create or replace function public.upload_answer(
  p_file public.shell_files,
  p_original_id uuid,
  p_job_id uuid,
  p_usage jsonb
) returns jsonb language plpgsql stable set search_path = '' as $$
declare
  -- Taken but not to be processed just now: the file waits as its stages do.
  v_status text := case when p_job_id is null then 'uploaded' else 'enqueued' end;
begin
  if p_original_id is not null then
    select original.status into v_status from public.shell_files as original where original.id = p_original_id;
  end if;
  return jsonb_build_object(
    'outcome', case when p_original_id is null then 'created' else 'duplicate' end,
    'shell_file_id', coalesce(p_original_id, p_file.id),
    'job_id', p_job_id,
    'usage', p_usage,
    'duplicate_of', p_original_id,
    'response_status', case when p_original_id is null then 201 else 200 end,
    'response_body', jsonb_build_object(
      'shell_file_id', coalesce(p_original_id, p_file.id),
      'job_id', p_job_id,
      'status', v_status,
      'filename', p_file.filename,
      'size_bytes', p_file.size_bytes,
      'mime_type', p_file.mime_type,
      'sha256', p_file.sha256,
      'duplicate_of', p_original_id,
      'usage', p_usage,
      'correlation_id', p_file.correlation_id
    )
  );
end
$$;
comment on function public.upload_answer(public.shell_files, uuid, uuid, jsonb) is
  'What register_shell_file returns: the outcome, and the status and body that the server sends and a replay repeats.';

revoke all on function
  public.open_upload(uuid, bigint, int, text, uuid, int),
  public.insert_shell_file(public.shell_files, boolean),
  public.register_shell_file(
    uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text, uuid, uuid
  ),
  public.upload_answer(public.shell_files, uuid, uuid, jsonb)
from public, anon, authenticated, service_role;

grant execute on function public.open_upload(uuid, bigint, int, text, uuid, int) to authenticated;
grant execute on function public.register_shell_file(
  uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text, uuid, uuid
) to authenticated;

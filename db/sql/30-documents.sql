-- Documents: taking an upload into the record, the states of its stages, and what is told about them.
--
-- A stage changes only through begin_stage, report_stage_progress, finish_stage, reprocess_shell_file and
-- decide_identity_review. Every change runs one trigger that derives the file's status, writes an event and notifies:
-- the status of a file can be wrong only if its stages are.
--
--   pending ──begin──> running ──finish──> completed | held | failed | skipped
--      │                  ↑ begin again after a failure or a crash
--      └──finish──> failed | skipped              held ──decision──> completed

create or replace function public.touch_updated_at() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function public.touch_updated_at() is 'updated_at is when the row was last written, whoever wrote it.';
drop trigger if exists touch on public.shell_files;
create trigger touch before update on public.shell_files
  for each row execute function public.touch_updated_at();

create or replace function public.pipeline_stages() returns text[]
language sql immutable set search_path = '' as $$
  select array['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate']
$$;
comment on function public.pipeline_stages() is 'The stages in order; a stage''s name is its job type.';

-- Definer: the events are written by no API role.
create or replace function public.tell_shell_file_event(
  p_shell_file_id uuid,
  p_stage text,
  p_stage_status text,
  p_pages_done int,
  p_pages_total int
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_event_id bigint;
  v_patient_id uuid;
begin
  insert into public.shell_file_events
    (shell_file_id, patient_id, stage, stage_status, file_status, pages_done, pages_total)
  select file.id, file.patient_id, p_stage, p_stage_status, file.status, p_pages_done, p_pages_total
  from public.shell_files as file
  where file.id = p_shell_file_id
  returning id, patient_id into v_event_id, v_patient_id;
  perform pg_notify(
    'exora_shell_file_events',
    json_build_object('id', v_event_id, 'shell_file_id', p_shell_file_id, 'patient_id', v_patient_id)::text
  );
end
$$;
comment on function public.tell_shell_file_event(uuid, text, text, int, int) is
  'Writes what happened to a file and notifies the server''s realtime channel, with ids only.';

-- Definer: derives columns that no role may write.
create or replace function public.derive_shell_file_status() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  update public.shell_files as file
  set status = derived.status,
      processing_error = derived.error
  from (
    select
      case
        when bool_or(step.status = 'failed') then 'failed'
        when bool_or(step.status = 'held') then 'needs_review'
        when bool_and(step.status in ('completed', 'skipped')) then 'completed'
        when bool_or(step.status in ('running', 'completed')) then 'processing'
        else 'uploaded'
      end as status,
      (array_agg(step.error || jsonb_build_object('stage', step.stage) order by step.position)
        filter (where step.status = 'failed'))[1] as error
    from public.shell_file_stages as step
    where step.shell_file_id = new.shell_file_id
  ) as derived
  where file.id = new.shell_file_id
    and (file.status, file.processing_error) is distinct from (derived.status, derived.error);

  perform public.tell_shell_file_event(new.shell_file_id, new.stage, new.status, new.pages_done, new.pages_total);
  return null;
end
$$;
comment on function public.derive_shell_file_status() is
  'Keeps shell_files.status and processing_error what the stages say, and tells who listens.';
drop trigger if exists derive_status on public.shell_file_stages;
create trigger derive_status after update of status, pages_done, pages_total on public.shell_file_stages
  for each row when (
    (old.status, old.pages_done, old.pages_total) is distinct from (new.status, new.pages_done, new.pages_total)
  ) execute function public.derive_shell_file_status();

-- Changes to the stages of one file follow each other, so that its events are numbered in the order they are seen.
create or replace function public.lock_shell_file(p_shell_file_id uuid) returns public.shell_files
language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  select * into v_file from public.shell_files as file where file.id = p_shell_file_id for no key update;
  if not found then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
  return v_file;
end
$$;
comment on function public.lock_shell_file(uuid) is 'The file, held for this transaction; raises no_data_found.';

-- Definer: services may read stages and change them only here.
create or replace function public.begin_stage(p_shell_file_id uuid, p_stage text, p_version text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files := public.lock_shell_file(p_shell_file_id);
  v_blocking text;
begin
  select earlier.stage || ' is ' || earlier.status into v_blocking
  from public.shell_file_stages as earlier
  where earlier.shell_file_id = p_shell_file_id
    and earlier.position < array_position(public.pipeline_stages(), p_stage)
    and earlier.status not in ('completed', 'skipped')
  order by earlier.position
  limit 1;
  -- The identity gate, held where it cannot be walked around: what a person has not let through is not coded.
  if v_blocking is null and p_stage in ('pass2_code', 'pass3_narrate') and v_file.review_state in ('pending', 'rejected') then
    v_blocking := 'the identity review is ' || v_file.review_state;
  end if;
  if v_blocking is not null then
    raise exception 'Stage % may not begin: %.', p_stage, v_blocking using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.shell_file_stages as step
  set status = 'running',
      version = p_version,
      error = null,
      pages_done = case when step.status = 'running' then step.pages_done end,
      pages_total = case when step.status = 'running' then step.pages_total end,
      started_at = case when step.status = 'running' then step.started_at else clock_timestamp() end,
      finished_at = null
  where step.shell_file_id = p_shell_file_id
    and step.stage = p_stage
    and step.status in ('pending', 'running', 'failed');
  if not found then
    raise exception 'Stage % may not begin: it is done or held.', p_stage using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.begin_stage(uuid, text, text) is
  'A stage starts, or starts again after a crash or failure; refused when it has committed or what comes before it has not.';

-- Definer: services may read stages and change them only here.
create or replace function public.report_stage_progress(
  p_shell_file_id uuid,
  p_stage text,
  p_pages_done int,
  p_pages_total int
) returns void language plpgsql volatile security definer set search_path = '' as $$
begin
  perform public.lock_shell_file(p_shell_file_id);
  update public.shell_file_stages as step
  set pages_done = p_pages_done,
      pages_total = p_pages_total
  where step.shell_file_id = p_shell_file_id
    and step.stage = p_stage
    and step.status = 'running';
  if not found then
    raise exception 'Stage % is not running.', p_stage using errcode = 'object_not_in_prerequisite_state';
  end if;
end
$$;
comment on function public.report_stage_progress(uuid, text, int, int) is 'How far a running stage has come.';

create or replace function public.may_finish_stage(p_from text, p_to text) returns boolean
language sql immutable set search_path = '' as $$
  select case p_from
    when 'running' then p_to in ('completed', 'held', 'failed', 'skipped')
    when 'pending' then p_to in ('failed', 'skipped')
    else false
  end
$$;
comment on function public.may_finish_stage(text, text) is 'The arrows of the diagram at the head of 30-documents.sql.';

-- Definer: services may read stages and change them only here.
create or replace function public.finish_stage(
  p_shell_file_id uuid,
  p_stage text,
  p_status text default 'completed',
  p_error jsonb default null
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_from text;
begin
  perform public.lock_shell_file(p_shell_file_id);
  select step.status into v_from
  from public.shell_file_stages as step
  where step.shell_file_id = p_shell_file_id and step.stage = p_stage;
  if v_from = p_status then
    return;
  end if;
  if public.may_finish_stage(v_from, p_status) is not true then
    raise exception 'Stage % may not go from % to %.', p_stage, coalesce(v_from, 'nothing'), p_status
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.shell_file_stages as step
  set status = p_status,
      error = case when p_status = 'failed' then public.stage_error(p_error) end,
      finished_at = clock_timestamp()
  where step.shell_file_id = p_shell_file_id and step.stage = p_stage;
end
$$;
comment on function public.finish_stage(uuid, text, text, jsonb) is
  'A stage ends: completed, held for a person, failed with a code and a message safe to show, or skipped.';

create or replace function public.stage_error(p_error jsonb) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object(
    'code', coalesce(p_error ->> 'code', 'processing_failed'),
    'message', coalesce(p_error ->> 'message', 'This document could not be processed.')
  )
$$;
comment on function public.stage_error(jsonb) is 'Only the code and the message that may be shown; nothing else of an error is kept.';

-- Definer: runs inside the queue's functions and writes stages.
create or replace function public.fail_stage_of_ended_job() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform from public.shell_file_stages as step
  where step.shell_file_id = new.shell_file_id
    and step.stage = new.job_type
    and step.status in ('pending', 'running');
  if found then
    perform public.finish_stage(
      new.shell_file_id,
      new.job_type,
      'failed',
      case
        when new.status = 'cancelled' then
          jsonb_build_object('code', 'cancelled', 'message', 'Processing of this document was cancelled.')
        else new.error_details
      end
    );
  end if;
  return null;
end
$$;
comment on function public.fail_stage_of_ended_job() is
  'A job that gave up or was cancelled fails its stage: no file waits for ever for a job that will not run.';
drop trigger if exists fail_stage on public.job_queue;
create trigger fail_stage after update of status on public.job_queue
  for each row when (
    new.status in ('dead_letter', 'cancelled')
    and old.status is distinct from new.status
    and new.shell_file_id is not null
  ) execute function public.fail_stage_of_ended_job();

create or replace function public.enqueue_stage(p_shell_file_id uuid, p_stage text) returns uuid
language plpgsql volatile set search_path = '' as $$
begin
  -- Whoever asks now has started it; the queue itself would name who uploaded the file.
  return public.enqueue_job_v3(
    job_type => p_stage,
    job_name => p_stage,
    job_payload => jsonb_build_object('shell_file_id', p_shell_file_id),
    initiated_by => context.actor_id,
    correlation_id => context.correlation_id
  )
  from public.request_context() as context;
end
$$;
comment on function public.enqueue_stage(uuid, text) is 'A job for a stage of a file, in the name of whoever acts.';

-- Uploads ---------------------------------------------------------------------------------------------------------

create or replace function public.idempotency_kept_for() returns interval
language plpgsql stable set search_path = '' as $$
begin
  return make_interval(hours => greatest(public.configured_number('idempotency.keep_hours', 48), 24)::int);
end
$$;
comment on function public.idempotency_kept_for() is 'How long the answer under a key is kept: configuration, never under 24 hours.';

-- Definer: the table is closed to clients, whose only scope is their own account and profiles they may write.
create or replace function public.begin_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid,
  p_lock_seconds int default 300
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_column
declare
  v_account_id uuid := auth.uid();
  v_known public.idempotency_keys;
begin
  perform public.require_profile_access(p_profile_id, 'read_write');
  loop
    -- One statement decides who runs: a new key, an expired one, one whose attempt died, or this very attempt again.
    insert into public.idempotency_keys as known
      (account_id, profile_id, idempotency_key, attempt_token, locked_until, expires_at)
    values (
      v_account_id,
      p_profile_id,
      p_idempotency_key,
      p_attempt_token,
      now() + make_interval(secs => p_lock_seconds),
      now() + public.idempotency_kept_for()
    )
    on conflict (account_id, profile_id, idempotency_key) do update
    set status = 'in_progress',
        attempt_token = excluded.attempt_token,
        locked_until = excluded.locked_until,
        expires_at = excluded.expires_at,
        request_hash = null,
        response_status = null,
        response_body = null,
        shell_file_id = null
    where known.expires_at <= now()
      or (known.status = 'in_progress'
        and (known.locked_until <= now() or known.attempt_token = excluded.attempt_token));
    if found then
      return jsonb_build_object('state', 'started');
    end if;

    select * into v_known
    from public.idempotency_keys as known
    where known.account_id = v_account_id
      and known.profile_id = p_profile_id
      and known.idempotency_key = p_idempotency_key;
    -- Given up between the two statements: decide again.
    continue when not found;
    return jsonb_build_object(
      'state', v_known.status,
      'request_hash', v_known.request_hash,
      'response_status', v_known.response_status,
      'response_body', v_known.response_body,
      'shell_file_id', v_known.shell_file_id
    );
  end loop;
end
$$;
comment on function public.begin_idempotent_request(uuid, text, uuid, int) is
  'Takes a key of this account and profile for one attempt: started, in_progress (another attempt lives) or completed.';

-- Definer: the table is closed to clients; the attempt token names the caller's own row.
create or replace function public.abandon_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid
) returns void language sql volatile security definer set search_path = '' as $$
  delete from public.idempotency_keys as known
  where known.account_id = auth.uid()
    and known.profile_id = p_profile_id
    and known.idempotency_key = p_idempotency_key
    and known.attempt_token = p_attempt_token
    and known.status = 'in_progress'
$$;
comment on function public.abandon_idempotent_request(uuid, text, uuid) is
  'An attempt that failed gives its key back, so that the client may try again at once.';

create or replace function public.hold_idempotent_request(
  p_profile_id uuid,
  p_idempotency_key text,
  p_attempt_token uuid
) returns void language plpgsql volatile set search_path = '' as $$
begin
  perform from public.idempotency_keys as known
  where known.account_id = auth.uid()
    and known.profile_id = p_profile_id
    and known.idempotency_key = p_idempotency_key
    and known.attempt_token = p_attempt_token
    and known.status = 'in_progress'
  for update;
  if not found then
    raise exception 'Another attempt has taken this request over.' using errcode = 'EX409';
  end if;
end
$$;
comment on function public.hold_idempotent_request(uuid, text, uuid) is
  'Makes sure that the key is still this attempt''s, until the end of the transaction; else raises EX409.';

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
  p_correlation_id text default null
) returns jsonb language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_original_id uuid;
  v_job_id uuid;
  v_answer jsonb;
begin
  perform public.require_profile_access(p_patient_id, 'read_write');
  if p_idempotency_key is not null then
    perform public.hold_idempotent_request(p_patient_id, p_idempotency_key, p_attempt_token);
  end if;
  if p_correlation_id is not null then
    perform set_config('exora.correlation_id', p_correlation_id, true);
  end if;

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

  if public.insert_shell_file(v_file, coalesce(p_keep_both, false)) then
    -- Raises EX402 where limits are enforced and spent: nothing of this transaction stays.
    perform public.require_upload_allowance(p_patient_id, v_file.size_bytes, v_file.estimated_pages);
    insert into public.shell_file_stages (shell_file_id, stage, position)
    select v_file.id, step.stage, step.position
    from unnest(public.pipeline_stages()) with ordinality as step (stage, position);
    perform public.track_shell_file_upload_usage(p_patient_id, v_file.id, v_file.size_bytes, v_file.estimated_pages);
    perform public.tell_shell_file_event(v_file.id, null, null, null, null);
    v_job_id := public.enqueue_stage(v_file.id, 'security_scan');
  else
    select original.id into strict v_original_id
    from public.shell_files as original
    where original.patient_id = p_patient_id
      and original.sha256 = p_sha256
      and original.deleted_at is null
      and not original.is_kept_copy;
  end if;

  v_answer := public.upload_answer(v_file, v_original_id, v_job_id);
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
  return v_answer;
end
$$;
comment on function public.register_shell_file(
  uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text
) is 'The one transaction of an upload: file, stages, usage, audit, job, and the answer kept for replays of its key.';

create or replace function public.upload_answer(p_file public.shell_files, p_original_id uuid, p_job_id uuid)
returns jsonb language plpgsql stable set search_path = '' as $$
declare
  v_usage jsonb := public.get_user_usage_status(p_file.patient_id);
  v_status text := 'enqueued';
begin
  if p_original_id is not null then
    select original.status into v_status from public.shell_files as original where original.id = p_original_id;
  end if;
  return jsonb_build_object(
    'outcome', case when p_original_id is null then 'created' else 'duplicate' end,
    'shell_file_id', coalesce(p_original_id, p_file.id),
    'job_id', p_job_id,
    'usage', v_usage,
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
      'usage', v_usage,
      'correlation_id', p_file.correlation_id
    )
  );
end
$$;
comment on function public.upload_answer(public.shell_files, uuid, uuid) is
  'What register_shell_file returns: the outcome, and the status and body that the server sends and a replay repeats.';

-- Again, and reviews ----------------------------------------------------------------------------------------------

-- Definer: access is checked first; clients cannot write stages or jobs.
create or replace function public.reprocess_shell_file(p_shell_file_id uuid, p_from_stage text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_file public.shell_files;
  v_from int := array_position(public.pipeline_stages(), p_from_stage);
  v_gate constant int := array_position(public.pipeline_stages(), 'pass1_find');
  v_blocking text;
begin
  v_file := public.lock_open_shell_file(p_shell_file_id, 'read_write');
  if v_from is null then
    raise exception 'There is no stage of this name.' using errcode = 'invalid_parameter_value';
  end if;
  select case
    when exists (select from public.job_queue as job
                 where job.shell_file_id = p_shell_file_id
                   and job.job_type = any (public.pipeline_stages())
                   and job.status in ('pending', 'processing')) then 'it is being processed'
    when v_from > v_gate and v_file.review_state in ('pending', 'rejected') then 'its identity review does not allow it'
    when exists (select from public.shell_file_stages as earlier
                 where earlier.shell_file_id = p_shell_file_id
                   and earlier.position < v_from
                   and earlier.status not in ('completed', 'skipped')) then 'an earlier stage is not done'
  end into v_blocking;
  if v_blocking is not null then
    raise exception 'This document cannot be processed from there: %.', v_blocking
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.shell_file_stages as step
  set status = 'pending',
      pages_done = null,
      pages_total = null,
      error = null,
      started_at = null,
      finished_at = null
  where step.shell_file_id = p_shell_file_id and step.position >= v_from;
  -- Found again, the identity is asked about again, unless a person has said yes: an open question is withdrawn.
  update public.shell_files as file
  set review_state = 'none'
  where file.id = p_shell_file_id and file.review_state in ('pending', 'rejected') and v_from <= v_gate;
  delete from public.manual_review_queue as review
  where review.shell_file_id = p_shell_file_id and review.status = 'pending' and v_from <= v_gate;
  return public.enqueue_stage(p_shell_file_id, p_from_stage);
end
$$;
comment on function public.reprocess_shell_file(uuid, text) is
  'Runs a file again from a stage on; that stage and the later ones start afresh. Refused while it is being processed.';

-- One answer for "not yours", "in the bin" and "does not exist".
create or replace function public.lock_open_shell_file(p_shell_file_id uuid, p_required_level text)
returns public.shell_files language plpgsql volatile set search_path = '' as $$
declare
  v_file public.shell_files;
begin
  select * into v_file
  from public.shell_files as file
  where file.id = p_shell_file_id
    and file.deleted_at is null
    and (public.acting_as_service() or public.has_profile_access_level(auth.uid(), file.patient_id, p_required_level))
  for no key update;
  if not found then
    raise exception 'There is no such document.' using errcode = 'no_data_found';
  end if;
  return v_file;
end
$$;
comment on function public.lock_open_shell_file(uuid, text) is
  'The file, held for this transaction, if the caller reaches it at this level; else no_data_found, whatever the reason.';

-- Definer: access is checked first; clients cannot write reviews, stages or jobs.
create or replace function public.decide_identity_review(p_review_id uuid, p_decision text) returns void
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_shell_file_id uuid;
  v_status text;
begin
  if p_decision is null or p_decision not in ('accepted', 'rejected') then
    raise exception 'A decision is accepted or rejected.' using errcode = 'invalid_parameter_value';
  end if;
  select review.shell_file_id into v_shell_file_id
  from public.manual_review_queue as review
  where review.id = p_review_id and review.review_type = 'identity';
  perform public.lock_open_shell_file(v_shell_file_id, 'read_write');
  select review.status into v_status from public.manual_review_queue as review where review.id = p_review_id;
  if v_status = p_decision then
    return;
  elsif v_status <> 'pending' then
    raise exception 'This review has been decided.' using errcode = 'object_not_in_prerequisite_state';
  end if;

  update public.manual_review_queue as review
  set status = p_decision,
      decided_by = auth.uid(),
      decided_at = now()
  where review.id = p_review_id;
  update public.shell_files as file set review_state = p_decision where file.id = v_shell_file_id;
  update public.shell_file_stages as step
  set status = case when step.stage = 'pass1_find' then 'completed' else 'skipped' end,
      finished_at = clock_timestamp()
  where step.shell_file_id = v_shell_file_id
    and ((step.stage = 'pass1_find' and step.status = 'held')
      or (p_decision = 'rejected' and step.stage in ('pass2_code', 'pass3_narrate') and step.status = 'pending'));
  if p_decision = 'accepted' then
    perform public.enqueue_stage(v_shell_file_id, 'pass2_code');
  end if;
end
$$;
comment on function public.decide_identity_review(uuid, text) is
  'A person says whether a document is this patient''s: accepted is coded at once, rejected stays out of the record.';

revoke all on function
  public.touch_updated_at(),
  public.pipeline_stages(),
  public.tell_shell_file_event(uuid, text, text, int, int),
  public.derive_shell_file_status(),
  public.lock_shell_file(uuid),
  public.begin_stage(uuid, text, text),
  public.report_stage_progress(uuid, text, int, int),
  public.may_finish_stage(text, text),
  public.finish_stage(uuid, text, text, jsonb),
  public.stage_error(jsonb),
  public.fail_stage_of_ended_job(),
  public.enqueue_stage(uuid, text),
  public.idempotency_kept_for(),
  public.begin_idempotent_request(uuid, text, uuid, int),
  public.abandon_idempotent_request(uuid, text, uuid),
  public.hold_idempotent_request(uuid, text, uuid),
  public.insert_shell_file(public.shell_files, boolean),
  public.register_shell_file(
    uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text
  ),
  public.upload_answer(public.shell_files, uuid, uuid),
  public.reprocess_shell_file(uuid, text),
  public.lock_open_shell_file(uuid, text),
  public.decide_identity_review(uuid, text)
from public, anon, authenticated, service_role;

grant execute on function public.begin_stage(uuid, text, text) to service_role;
grant execute on function public.report_stage_progress(uuid, text, int, int) to service_role;
grant execute on function public.finish_stage(uuid, text, text, jsonb) to service_role;
grant execute on function public.begin_idempotent_request(uuid, text, uuid, int) to authenticated;
grant execute on function public.abandon_idempotent_request(uuid, text, uuid) to authenticated;
grant execute on function public.register_shell_file(
  uuid, uuid, text, text, bigint, text, text, int, date, text, boolean, text, uuid, text, text
) to authenticated;
grant execute on function public.reprocess_shell_file(uuid, text) to authenticated, service_role;
grant execute on function public.decide_identity_review(uuid, text) to authenticated;

-- The queue. Statuses move only here; docs/job-lifecycle.md has the diagram.
-- Times are the database's, never a worker's. What changes shared state is one statement under row locks.

-- Jobs come and go by thousands an hour while few are alive: vacuum early, and leave room on the page for new versions.
alter table public.job_queue set (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 1,
  autovacuum_analyze_scale_factor = 0.05,
  autovacuum_analyze_threshold = 1000
);
alter table public.workers set (fillfactor = 50);

comment on table public.job_queue is
  'All work to be done, one row per job. Rows hold ids, never content. Changed only by the functions of 20-queue.sql.';
comment on column public.job_queue.priority is '1 to 10; 10 is most urgent and is claimed first.';
comment on column public.job_queue.attempt_token is
  'New on every claim; who cannot show it writes nothing for this attempt.';
comment on column public.job_queue.fair_turn is
  'Place in the line of the job''s own patient; within a priority all first jobs go before all second ones.';
comment on table public.job_types is 'What may be enqueued, in which lane, and which ids its payload must have.';
comment on table public.workers is 'Worker processes that are alive, or were until they fell silent.';
comment on table public.job_schedules is 'Recurring work: whoever moves last_slot_at on does that slot''s run.';

insert into public.job_types as known (job_type, job_lane, required_keys, max_retries, timeout_seconds, description)
values
  ('security_scan', 'fast_queue', array['shell_file_id'], 6, 120, 'Looks for what makes a file unsafe or unreadable.'),
  ('ocr', 'fast_queue', array['shell_file_id'], 6, 1800, 'Reads every page: words, boxes, confidence.'),
  ('spatial_mapping', 'fast_queue', array['shell_file_id'], 6, 300, 'Puts words into lines, rows, tables and sections.'),
  ('pass1_find', 'ai_queue', array['shell_file_id'], 6, 900, 'Finds encounters and facts, word for word.'),
  ('pass2_code', 'ai_queue', array['shell_file_id'], 6, 600, 'Codes, checks and admits facts into the record.'),
  ('pass3_narrate', 'ai_queue', array['shell_file_id'], 6, 300, 'Writes cited narratives from admitted facts.')
on conflict (job_type) do update
set job_lane = excluded.job_lane,
    required_keys = excluded.required_keys,
    description = excluded.description;

insert into public.system_configuration (config_key, config_value, description)
values
  ('queue.max_deferrals', '500', 'How often a job may wait for capacity before it becomes a dead letter.')
on conflict (config_key) do nothing;

-- Wakes workers at commit. PostgreSQL merges equal notifications of one transaction; jobs for later wake nobody.
create or replace function public.notify_new_jobs()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform pg_notify('exora_jobs', due.job_lane)
  from (
    select distinct new_job.job_lane
    from new_jobs as new_job
    where new_job.status = 'pending'
      and new_job.scheduled_at <= clock_timestamp()
  ) as due;
  return null;
end
$$;
comment on function public.notify_new_jobs() is
  'At most one notification per lane and statement on exora_jobs; its payload is the lane alone.';
revoke all on function public.notify_new_jobs() from public, anon, authenticated, service_role;

drop trigger if exists job_queue_notify on public.job_queue;
create trigger job_queue_notify
  after insert on public.job_queue
  referencing new table as new_jobs
  for each statement
  execute function public.notify_new_jobs();

create or replace function public.enqueue_job_v3(
  job_type text,
  job_name text,
  job_payload jsonb,
  job_category text default 'standard',
  priority int default 5,
  scheduled_at timestamptz default now(),
  job_lane text default null,
  shell_file_id uuid default null,
  patient_id uuid default null,
  initiated_by uuid default null,
  correlation_id text default null,
  idempotency_key text default null,
  max_retries int default null
)
returns uuid
language plpgsql
volatile
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_type public.job_types;
  v_lane text;
  v_missing text[];
  v_file_id uuid := enqueue_job_v3.shell_file_id;
  v_patient_id uuid := enqueue_job_v3.patient_id;
  v_initiated_by uuid := enqueue_job_v3.initiated_by;
  v_correlation_id text := enqueue_job_v3.correlation_id;
  v_due_at timestamptz := coalesce(enqueue_job_v3.scheduled_at, now());
  v_turn int;
  v_job_id uuid;
begin
  select known.* into v_type
  from public.job_types as known
  where known.job_type = enqueue_job_v3.job_type;
  if not found then
    raise exception 'job_type "%" is not known', enqueue_job_v3.job_type using errcode = '22023';
  end if;

  v_lane := coalesce(enqueue_job_v3.job_lane, v_type.job_lane);
  if v_lane <> v_type.job_lane then
    raise exception 'job_lane "%" does not serve job_type "%", which belongs to "%"',
      v_lane, v_type.job_type, v_type.job_lane using errcode = '22023';
  end if;
  if coalesce(enqueue_job_v3.job_category, '') not in
    ('critical', 'high_priority', 'standard', 'background', 'maintenance') then
    raise exception 'job_category "%" is not known', enqueue_job_v3.job_category using errcode = '22023';
  end if;
  if enqueue_job_v3.priority is null or enqueue_job_v3.priority not between 1 and 10 then
    raise exception 'priority must be from 1 to 10 (10 is most urgent), not %', enqueue_job_v3.priority
      using errcode = '22023';
  end if;
  if coalesce(enqueue_job_v3.job_name, '') = '' or length(enqueue_job_v3.job_name) > 200 then
    raise exception 'job_name must have from 1 to 200 characters' using errcode = '22023';
  end if;

  if enqueue_job_v3.job_payload is null or jsonb_typeof(enqueue_job_v3.job_payload) <> 'object' then
    raise exception 'job_payload must be a JSON object' using errcode = '22023';
  end if;
  if length(enqueue_job_v3.job_payload::text) > 4000 then
    raise exception 'job_payload may hold ids only, not content: it is longer than 4000 characters'
      using errcode = '22023';
  end if;
  select array_agg(needed.key order by needed.key) into v_missing
  from unnest(v_type.required_keys) as needed (key)
  where enqueue_job_v3.job_payload ->> needed.key is null;
  if v_missing is not null then
    raise exception 'job_payload of job_type "%" lacks: %', v_type.job_type, array_to_string(v_missing, ', ')
      using errcode = '22023';
  end if;

  if v_file_id is null and enqueue_job_v3.job_payload ->> 'shell_file_id' is not null then
    begin
      v_file_id := (enqueue_job_v3.job_payload ->> 'shell_file_id')::uuid;
    exception when invalid_text_representation then
      raise exception 'job_payload.shell_file_id is not a UUID' using errcode = '22023';
    end;
  end if;
  if v_file_id is not null then
    select
      coalesce(v_patient_id, file.patient_id),
      coalesce(v_initiated_by, file.uploaded_by),
      coalesce(v_correlation_id, file.correlation_id)
    into v_patient_id, v_initiated_by, v_correlation_id
    from public.shell_files as file
    where file.id = v_file_id;
    -- A file that is not there (yet) leaves what the caller said.
    if not found then
      v_patient_id := enqueue_job_v3.patient_id;
      v_initiated_by := enqueue_job_v3.initiated_by;
      v_correlation_id := enqueue_job_v3.correlation_id;
    end if;
  end if;
  v_initiated_by := coalesce(v_initiated_by, nullif(current_setting('exora.initiated_by', true), '')::uuid);
  v_correlation_id := coalesce(v_correlation_id, nullif(current_setting('exora.correlation_id', true), ''));

  -- Start-time fair queueing: behind the patient's own unfinished jobs, and not before what is being served now, so that
  -- a thousand uploads of one person do not hold up the others and a newcomer does not overtake everybody for ever.
  v_turn := greatest(
    (
      select own.fair_turn + 1
      from public.job_queue as own
      where own.patient_id = v_patient_id
        and own.job_lane = v_lane
        and own.priority = enqueue_job_v3.priority
        and own.status in ('pending', 'processing')
      order by own.fair_turn desc
      limit 1
    ),
    coalesce(
      (
        select head.fair_turn
        from public.job_queue as head
        where head.job_lane = v_lane
          and head.priority = enqueue_job_v3.priority
          and head.status = 'pending'
        order by head.fair_turn
        limit 1
      ),
      (
        select max(running.fair_turn)
        from public.job_queue as running
        where running.status = 'processing'
          and running.job_lane = v_lane
          and running.priority = enqueue_job_v3.priority
      ),
      0
    )
  );

  insert into public.job_queue as job (
    job_type, job_lane, job_category, job_name, job_payload, priority, scheduled_at, max_retries,
    idempotency_key, patient_id, shell_file_id, initiated_by, correlation_id, fair_turn
  )
  values (
    v_type.job_type, v_lane, enqueue_job_v3.job_category, enqueue_job_v3.job_name, enqueue_job_v3.job_payload,
    enqueue_job_v3.priority, v_due_at, coalesce(enqueue_job_v3.max_retries, v_type.max_retries),
    enqueue_job_v3.idempotency_key, v_patient_id, v_file_id, v_initiated_by, v_correlation_id, v_turn
  )
  on conflict (idempotency_key) do nothing
  returning job.id into v_job_id;

  if v_job_id is null then
    select job.id into strict v_job_id
    from public.job_queue as job
    where job.idempotency_key = enqueue_job_v3.idempotency_key;
  end if;
  return v_job_id;
end
$$;
comment on function public.enqueue_job_v3(text, text, jsonb, text, int, timestamptz, text, uuid, uuid, uuid, text, text, int) is
  'Adds a job in the caller''s transaction. The same idempotency key gives the same job. Says what is wrong with its arguments.';
revoke all on function public.enqueue_job_v3(text, text, jsonb, text, int, timestamptz, text, uuid, uuid, uuid, text, text, int)
  from public, anon, authenticated, service_role;
grant execute on function public.enqueue_job_v3(text, text, jsonb, text, int, timestamptz, text, uuid, uuid, uuid, text, text, int)
  to service_role;

-- One ordered index scan per lane, stopped at the limit: neither finished jobs nor a long queue cost anything. The
-- planner's other ideas (bitmap, sort) win on a small table and would be kept for a large one, so they are forbidden.
create or replace function public.claim_next_job_v3(
  worker_id text,
  job_types text[] default null,
  job_lanes text[] default null,
  max_jobs int default 1,
  lease_seconds numeric default 30
)
returns setof public.job_queue
language sql
volatile
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
  with due as materialized (
    select first_due.id
    from unnest(coalesce(claim_next_job_v3.job_lanes, array['fast_queue', 'ai_queue', 'background'])) as served (lane)
    cross join lateral (
      select waiting.id, waiting.priority, waiting.fair_turn, waiting.scheduled_at
      from public.job_queue as waiting
      where waiting.status = 'pending'
        and waiting.job_lane = served.lane
        and waiting.scheduled_at <= now()
        and (claim_next_job_v3.job_types is null or waiting.job_type = any (claim_next_job_v3.job_types))
      order by waiting.priority desc, waiting.fair_turn, waiting.scheduled_at, waiting.id
      limit claim_next_job_v3.max_jobs
      for update skip locked
    ) as first_due
    order by first_due.priority desc, first_due.fair_turn, first_due.scheduled_at, first_due.id
    limit claim_next_job_v3.max_jobs
  ),
  claimed as (
    update public.job_queue as job
    set status = 'processing',
        worker_id = claim_next_job_v3.worker_id,
        attempt_token = gen_random_uuid(),
        started_at = now(),
        heartbeat_at = now(),
        lease_expires_at = now() + make_interval(secs => claim_next_job_v3.lease_seconds::double precision)
    from due
    where job.id = due.id
    returning job.*
  )
  select claimed.*
  from claimed
  order by claimed.priority desc, claimed.fair_turn, claimed.scheduled_at, claimed.id
$$;
comment on function public.claim_next_job_v3(text, text[], text[], int, numeric) is
  'Takes up to max_jobs due jobs: highest priority, then fair between patients, then age. Rows that others hold are skipped, not waited for.';
revoke all on function public.claim_next_job_v3(text, text[], text[], int, numeric)
  from public, anon, authenticated, service_role;
grant execute on function public.claim_next_job_v3(text, text[], text[], int, numeric) to service_role;

create or replace function public.hold_lease(p_job_id uuid, p_attempt_token uuid)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Until this transaction ends nobody can take the job away: rescuers skip locked rows.
  perform 1
  from public.job_queue as job
  where job.id = p_job_id
    and job.attempt_token = p_attempt_token
    and job.status = 'processing'
  for share;
  return found;
end
$$;
comment on function public.hold_lease(uuid, uuid) is
  'Keeps an attempt''s lease for the rest of the transaction; false when it has been lost.';
revoke all on function public.hold_lease(uuid, uuid) from public, anon, authenticated, service_role;
grant execute on function public.hold_lease(uuid, uuid) to service_role;

create or replace function public.update_job_heartbeats(
  p_worker_id text,
  p_job_ids uuid[],
  p_lease_seconds numeric default 30
)
returns setof uuid
language plpgsql
volatile
set search_path = ''
as $$
begin
  update public.workers as worker
  set last_seen_at = clock_timestamp(),
      running = cardinality(p_job_ids)
  where worker.id = p_worker_id;

  -- A job whose row is locked is being written by its own attempt (see hold_lease): waiting for it would let the
  -- leases of all the others run out.
  with mine as materialized (
    select job.id
    from public.job_queue as job
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.status = 'processing'
    order by job.id
    for no key update skip locked
  )
  update public.job_queue as job
  set heartbeat_at = clock_timestamp(),
      lease_expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds::double precision)
  from mine
  where job.id = mine.id;

  update public.api_capacity_reservations as reservation
  set expires_at = clock_timestamp() + make_interval(secs => p_lease_seconds::double precision)
  where reservation.job_id = any (p_job_ids)
    and reservation.worker_id = p_worker_id
    and reservation.released_at is null;

  return query
  select job.id
  from public.job_queue as job
  where job.id = any (p_job_ids)
    and job.worker_id = p_worker_id
    and job.status = 'processing';
end
$$;
comment on function public.update_job_heartbeats(text, uuid[], numeric) is
  'Extends the leases of a worker''s jobs and shows that it is alive; returns the jobs that it still holds.';
revoke all on function public.update_job_heartbeats(text, uuid[], numeric)
  from public, anon, authenticated, service_role;
grant execute on function public.update_job_heartbeats(text, uuid[], numeric) to service_role;

create or replace function public.update_job_heartbeat(
  p_job_id uuid,
  p_worker_id text,
  p_lease_seconds numeric default 30
)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select exists (
    select from public.update_job_heartbeats(p_worker_id, array[p_job_id], p_lease_seconds)
  )
$$;
comment on function public.update_job_heartbeat(uuid, text, numeric) is
  'Extends one lease; false when it has been lost.';
revoke all on function public.update_job_heartbeat(uuid, text, numeric) from public, anon, authenticated, service_role;
grant execute on function public.update_job_heartbeat(uuid, text, numeric) to service_role;

create or replace function public.complete_job(
  p_job_id uuid,
  p_worker_id text,
  p_job_result jsonb default null,
  p_attempt_token uuid default null
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
begin
  update public.job_queue as job
  set status = 'completed',
      completed_at = clock_timestamp(),
      job_result = p_job_result,
      error_details = null,
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
    and job.worker_id = p_worker_id
    and job.status = 'processing'
    and (p_attempt_token is null or job.attempt_token = p_attempt_token);
  if not found then
    return false;
  end if;
  perform public.end_job_reservations(array[p_job_id]);
  return true;
end
$$;
comment on function public.complete_job(uuid, text, jsonb, uuid) is
  'Ends a job well, in the transaction that writes its results; false and no effect when the lease was lost.';
revoke all on function public.complete_job(uuid, text, jsonb, uuid) from public, anon, authenticated, service_role;
grant execute on function public.complete_job(uuid, text, jsonb, uuid) to service_role;

-- What may be kept of an error: a code, a sentence that is safe to show, a kind and a stage. Anything else might carry
-- content of a document and is refused, not dropped: the caller has a defect that should be seen.
create or replace function public.checked_job_error(p_error jsonb, p_job_type text, p_kind text)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_unknown text;
begin
  if p_error is null or jsonb_typeof(p_error) <> 'object' then
    raise exception 'p_error must be a JSON object' using errcode = '22023';
  end if;
  select string_agg(given.key, ', ' order by given.key) into v_unknown
  from jsonb_each(p_error) as given (key, value)
  where given.key not in ('code', 'message', 'type', 'stage')
     or jsonb_typeof(given.value) not in ('string', 'null');
  if v_unknown is not null then
    raise exception 'p_error may have code, message, type and stage as text; not: %', v_unknown using errcode = '22023';
  end if;
  return jsonb_build_object(
    'code', left(coalesce(nullif(p_error ->> 'code', ''), 'unknown'), 100),
    'message', left(coalesce(nullif(p_error ->> 'message', ''), 'The step did not succeed.'), 500),
    'type', left(coalesce(nullif(p_error ->> 'type', ''), p_kind), 100),
    'stage', left(coalesce(nullif(p_error ->> 'stage', ''), p_job_type), 100)
  );
end
$$;
comment on function public.checked_job_error(jsonb, text, text) is
  'An error in the only shape in which it may be kept; refuses anything that could carry content.';
revoke all on function public.checked_job_error(jsonb, text, text) from public, anon, authenticated, service_role;
grant execute on function public.checked_job_error(jsonb, text, text) to service_role;

create or replace function public.record_processing_error(p_job public.job_queue, p_next_retry_at timestamptz)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  insert into public.processing_errors (
    shell_file_id, patient_id, job_id, stage, error_type, error_code, error_message, retry_count, next_retry_at
  )
  values (
    -- Jobs outlive their files.
    (select file.id from public.shell_files as file where file.id = p_job.shell_file_id),
    p_job.patient_id,
    p_job.id,
    p_job.error_details ->> 'stage',
    p_job.error_details ->> 'type',
    p_job.error_details ->> 'code',
    p_job.error_details ->> 'message',
    p_job.retry_count,
    p_next_retry_at
  );
end
$$;
comment on function public.record_processing_error(public.job_queue, timestamptz) is
  'One row per failed attempt, from the job as it is after it.';
revoke all on function public.record_processing_error(public.job_queue, timestamptz)
  from public, anon, authenticated, service_role;
grant execute on function public.record_processing_error(public.job_queue, timestamptz) to service_role;

create or replace function public.audit_job(p_job public.job_queue, p_old_status text, p_reason text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform public.log_audit_event(
    p_table_name => 'job_queue',
    p_record_id => p_job.id::text,
    p_operation => 'UPDATE',
    p_old_values => jsonb_build_object('status', p_old_status),
    p_new_values => jsonb_build_object('status', p_job.status, 'job_type', p_job.job_type),
    p_reason => p_reason,
    p_compliance_category => 'queue',
    p_patient_id => p_job.patient_id
  );
end
$$;
comment on function public.audit_job(public.job_queue, text, text) is
  'Dead letters and what operators do are audited here; the way of a stage is audited with its file.';
revoke all on function public.audit_job(public.job_queue, text, text) from public, anon, authenticated, service_role;
grant execute on function public.audit_job(public.job_queue, text, text) to service_role;

create or replace function public.bury_job(p_job_id uuid, p_error jsonb)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
begin
  update public.job_queue as job
  set status = 'dead_letter',
      dead_letter_at = clock_timestamp(),
      error_details = p_error,
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
    and job.status = 'processing'
  returning job.* into v_job;
  if not found then
    return;
  end if;
  perform public.end_job_reservations(array[p_job_id]);
  perform public.record_processing_error(v_job, null);
  perform public.audit_job(v_job, 'processing', 'dead letter: ' || (p_error ->> 'code'));
end
$$;
comment on function public.bury_job(uuid, jsonb) is
  'Running to dead letter, with everything that goes with it. The caller has locked the row and decided.';
revoke all on function public.bury_job(uuid, jsonb) from public, anon, authenticated, service_role;
grant execute on function public.bury_job(uuid, jsonb) to service_role;

create or replace function public.fail_job(
  p_job_id uuid,
  p_worker_id text,
  p_error jsonb,
  p_retryable boolean default true,
  p_attempt_token uuid default null
)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_error jsonb;
  v_retry_at timestamptz;
begin
  select job.* into v_job
  from public.job_queue as job
  where job.id = p_job_id
    and job.worker_id = p_worker_id
    and job.status = 'processing'
    and (p_attempt_token is null or job.attempt_token = p_attempt_token)
  for update;
  if not found then
    return null;
  end if;

  v_error := public.checked_job_error(
    p_error, v_job.job_type, case when p_retryable then 'transient' else 'permanent' end
  );
  if not p_retryable or v_job.retry_count >= v_job.max_retries then
    perform public.bury_job(p_job_id, v_error);
    return 'dead_letter';
  end if;

  -- Full jitter below 2, 4, … 64 s: what failed together does not come back together.
  v_retry_at := clock_timestamp() + random() * make_interval(secs => power(2, least(v_job.retry_count + 1, 6)));
  update public.job_queue as job
  set status = 'pending',
      retry_count = job.retry_count + 1,
      scheduled_at = v_retry_at,
      error_details = v_error,
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
  returning job.* into v_job;
  perform public.end_job_reservations(array[p_job_id]);
  perform public.record_processing_error(v_job, v_retry_at);
  return 'pending';
end
$$;
comment on function public.fail_job(uuid, text, jsonb, boolean, uuid) is
  'Ends an attempt badly: pending again after a random wait, or dead_letter. Null and no effect when the lease was lost.';
revoke all on function public.fail_job(uuid, text, jsonb, boolean, uuid) from public, anon, authenticated, service_role;
grant execute on function public.fail_job(uuid, text, jsonb, boolean, uuid) to service_role;

create or replace function public.reschedule_job(
  p_job_id uuid,
  p_worker_id text,
  p_delay_seconds numeric,
  p_reason text,
  p_attempt_token uuid default null
)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_max_deferrals int;
begin
  select job.* into v_job
  from public.job_queue as job
  where job.id = p_job_id
    and job.worker_id = p_worker_id
    and job.status = 'processing'
    and (p_attempt_token is null or job.attempt_token = p_attempt_token)
  for update;
  if not found then
    return false;
  end if;

  v_max_deferrals := coalesce(
    (
      select (setting.config_value #>> '{}')::int
      from public.system_configuration as setting
      where setting.config_key = 'queue.max_deferrals'
    ),
    500
  );
  if v_job.defer_count >= v_max_deferrals then
    perform public.bury_job(p_job_id, jsonb_build_object(
      'code', 'deferred_too_often',
      'message', 'The service that this step needs had no room for too long.',
      'type', left(coalesce(p_reason, 'no_capacity'), 100),
      'stage', v_job.job_type
    ));
    return true;
  end if;

  update public.job_queue as job
  set status = 'pending',
      defer_count = job.defer_count + 1,
      scheduled_at = clock_timestamp() + make_interval(secs => greatest(p_delay_seconds, 0)::double precision),
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id;
  perform public.end_job_reservations(array[p_job_id]);
  if p_delay_seconds <= 0 then
    perform pg_notify('exora_jobs', v_job.job_lane);
  end if;
  return true;
end
$$;
comment on function public.reschedule_job(uuid, text, numeric, text, uuid) is
  'Puts a job off because there is no capacity: no retry is spent, but deferrals are counted and bounded. False when the lease was lost.';
revoke all on function public.reschedule_job(uuid, text, numeric, text, uuid)
  from public, anon, authenticated, service_role;
grant execute on function public.reschedule_job(uuid, text, numeric, text, uuid) to service_role;

create or replace function public.hand_back_jobs(p_worker_id text, p_job_ids uuid[])
returns setof uuid
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_lanes text[];
begin
  with given_back as (
    update public.job_queue as job
    set status = 'pending',
        scheduled_at = least(job.scheduled_at, clock_timestamp()),
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    where job.id = any (p_job_ids)
      and job.worker_id = p_worker_id
      and job.status = 'processing'
    returning job.id, job.job_lane
  )
  select coalesce(array_agg(given_back.id), '{}'), array_agg(distinct given_back.job_lane)
  into v_ids, v_lanes
  from given_back;

  perform public.end_job_reservations(v_ids);
  perform pg_notify('exora_jobs', lane.name) from unnest(v_lanes) as lane (name);
  return query select unnest(v_ids);
end
$$;
comment on function public.hand_back_jobs(text, uuid[]) is
  'A worker that stops returns what it could not finish, at once and without spending a retry.';
revoke all on function public.hand_back_jobs(text, uuid[]) from public, anon, authenticated, service_role;
grant execute on function public.hand_back_jobs(text, uuid[]) to service_role;

create or replace function public.rescue_stale_jobs(p_limit int default 500)
returns table (rescued int, dead_lettered int)
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_error constant jsonb := jsonb_build_object(
    'code', 'worker_lost',
    'message', 'The machine that did this step went away.',
    'type', 'transient'
  );
begin
  rescued := 0;
  dead_lettered := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('exora:rescue_stale_jobs', 0)) then
    return next;
    return;
  end if;

  for v_job in
    select job.*
    from public.job_queue as job
    where job.status = 'processing'
      and job.lease_expires_at < clock_timestamp()
    order by job.lease_expires_at
    limit p_limit
    for update skip locked
  loop
    if v_job.retry_count >= v_job.max_retries then
      perform public.bury_job(v_job.id, v_error || jsonb_build_object('stage', v_job.job_type));
      dead_lettered := dead_lettered + 1;
    else
      -- At once: the lease that had to run out was wait enough.
      update public.job_queue as job
      set status = 'pending',
          retry_count = job.retry_count + 1,
          scheduled_at = clock_timestamp(),
          error_details = v_error || jsonb_build_object('stage', job.job_type),
          worker_id = null,
          attempt_token = null,
          lease_expires_at = null
      where job.id = v_job.id
      returning job.* into v_job;
      perform public.end_job_reservations(array[v_job.id]);
      perform public.record_processing_error(v_job, v_job.scheduled_at);
      perform pg_notify('exora_jobs', v_job.job_lane);
      rescued := rescued + 1;
    end if;
  end loop;
  return next;
end
$$;
comment on function public.rescue_stale_jobs(int) is
  'Jobs whose lease ran out go back to pending, or to dead letter when no retry is left. Any worker may call it; only one does the work.';
revoke all on function public.rescue_stale_jobs(int) from public, anon, authenticated, service_role;
grant execute on function public.rescue_stale_jobs(int) to service_role;

create or replace function public.require_operator()
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if public.acting_as_service() then
    return;
  end if;
  if not exists (
    select
    from public.account_roles as held
    where held.account_id = auth.uid()
      and held.role = 'operator'
  ) then
    raise exception 'only operators may do this' using errcode = '42501';
  end if;
end
$$;
comment on function public.require_operator() is 'Raises unless the caller is an operator or the service itself.';
revoke all on function public.require_operator() from public, anon, authenticated, service_role;

-- Security definer: operators are ordinary accounts, to whom the queue's table is closed.
create or replace function public.requeue_dead_letter(p_job_id uuid)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_job public.job_queue;
begin
  perform public.require_operator();
  update public.job_queue as job
  set status = 'pending',
      retry_count = 0,
      defer_count = 0,
      scheduled_at = clock_timestamp(),
      dead_letter_at = null
  where job.id = p_job_id
    and job.status = 'dead_letter'
  returning job.* into v_job;
  if not found then
    return false;
  end if;
  perform pg_notify('exora_jobs', v_job.job_lane);
  perform public.audit_job(v_job, 'dead_letter', 'requeued by an operator');
  return true;
end
$$;
comment on function public.requeue_dead_letter(uuid) is
  'Gives a dead letter all its retries again. Operators only; audited. False when it is not a dead letter.';
revoke all on function public.requeue_dead_letter(uuid) from public, anon, authenticated, service_role;
grant execute on function public.requeue_dead_letter(uuid) to authenticated, service_role;

-- Security definer for the same reason. A running job loses its lease, so its worker aborts it at the next heartbeat.
create or replace function public.cancel_job(p_job_id uuid)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_job public.job_queue;
  v_old_status text;
begin
  perform public.require_operator();
  select job.status into v_old_status
  from public.job_queue as job
  where job.id = p_job_id
    and job.status in ('pending', 'processing', 'dead_letter')
  for update;
  if not found then
    return false;
  end if;
  update public.job_queue as job
  set status = 'cancelled',
      completed_at = clock_timestamp(),
      worker_id = null,
      attempt_token = null,
      lease_expires_at = null
  where job.id = p_job_id
  returning job.* into v_job;
  perform public.end_job_reservations(array[p_job_id]);
  perform public.audit_job(v_job, v_old_status, 'cancelled by an operator');
  return true;
end
$$;
comment on function public.cancel_job(uuid) is
  'Takes a job that has not ended out of the queue; one that runs is aborted. Operators only; audited. False when it has ended.';
revoke all on function public.cancel_job(uuid) from public, anon, authenticated, service_role;
grant execute on function public.cancel_job(uuid) to authenticated, service_role;

create or replace function public.register_worker(
  p_worker_id text,
  p_host text,
  p_pid int,
  p_lanes text[],
  p_concurrency int,
  p_version text,
  p_is_stopping boolean default false
)
returns void
language sql
volatile
set search_path = ''
as $$
  insert into public.workers as worker (id, host, pid, lanes, concurrency, version, is_stopping)
  values (p_worker_id, p_host, p_pid, p_lanes, p_concurrency, p_version, p_is_stopping)
  on conflict (id) do update
  set lanes = excluded.lanes,
      concurrency = excluded.concurrency,
      is_stopping = excluded.is_stopping,
      last_seen_at = now()
$$;
comment on function public.register_worker(text, text, int, text[], int, text, boolean) is
  'Says that a worker process is there, what it serves, how much it runs at once and whether it is about to stop.';
revoke all on function public.register_worker(text, text, int, text[], int, text, boolean)
  from public, anon, authenticated, service_role;
grant execute on function public.register_worker(text, text, int, text[], int, text, boolean) to service_role;

create or replace function public.worker_goodbye(p_worker_id text)
returns void
language sql
volatile
set search_path = ''
as $$
  delete from public.workers as worker where worker.id = p_worker_id
$$;
comment on function public.worker_goodbye(text) is 'Takes a worker that has stopped out of the registry.';
revoke all on function public.worker_goodbye(text) from public, anon, authenticated, service_role;
grant execute on function public.worker_goodbye(text) to service_role;

create or replace function public.begin_schedule_slot(p_schedule_name text, p_every_seconds int)
returns boolean
language sql
volatile
set search_path = ''
as $$
  with slot as (
    select to_timestamp(floor(extract(epoch from clock_timestamp()) / p_every_seconds) * p_every_seconds) as starts_at
  ),
  taken as (
    insert into public.job_schedules as schedule (schedule_name, every_seconds, last_slot_at)
    select p_schedule_name, p_every_seconds, slot.starts_at
    from slot
    on conflict (schedule_name) do update
    set every_seconds = excluded.every_seconds,
        last_slot_at = excluded.last_slot_at
    where schedule.last_slot_at is null
       or schedule.last_slot_at < excluded.last_slot_at
    returning 1
  )
  select exists (select from taken)
$$;
comment on function public.begin_schedule_slot(text, int) is
  'True for exactly one caller per slot of time, whatever the number of workers.';
revoke all on function public.begin_schedule_slot(text, int) from public, anon, authenticated, service_role;
grant execute on function public.begin_schedule_slot(text, int) to service_role;

create or replace function public.finish_schedule_slot(p_schedule_name text, p_duration_ms int, p_error_code text default null)
returns void
language sql
volatile
set search_path = ''
as $$
  update public.job_schedules as schedule
  set last_finished_at = clock_timestamp(),
      last_duration_ms = p_duration_ms,
      last_error_code = p_error_code
  where schedule.schedule_name = p_schedule_name
$$;
comment on function public.finish_schedule_slot(text, int, text) is 'Notes how the run of a slot ended.';
revoke all on function public.finish_schedule_slot(text, int, text) from public, anon, authenticated, service_role;
grant execute on function public.finish_schedule_slot(text, int, text) to service_role;

create or replace function public.delete_finished_jobs(p_older_than interval, p_limit int default 1000)
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_deleted int;
begin
  with finished as materialized (
    select job.id
    from public.job_queue as job
    where job.status in ('completed', 'cancelled')
      and job.completed_at < now() - p_older_than
    order by job.completed_at
    limit p_limit
    for update skip locked
  )
  delete from public.job_queue as job
  using finished
  where job.id = finished.id;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function public.delete_finished_jobs(interval, int) is
  'Retention: completed and cancelled jobs leave in small batches; dead letters stay until somebody decides.';
revoke all on function public.delete_finished_jobs(interval, int) from public, anon, authenticated, service_role;
grant execute on function public.delete_finished_jobs(interval, int) to service_role;

create or replace function public.forget_silent_workers(p_older_than interval default interval '1 day')
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_deleted int;
begin
  delete from public.workers as worker where worker.last_seen_at < now() - p_older_than;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;
comment on function public.forget_silent_workers(interval) is
  'Removes workers that died long ago; their jobs were rescued by lease, which does not need this table.';
revoke all on function public.forget_silent_workers(interval) from public, anon, authenticated, service_role;
grant execute on function public.forget_silent_workers(interval) to service_role;

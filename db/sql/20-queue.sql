-- The queue: what it is and how jobs come in. How they are claimed is in 21-queue-claims.sql, how they are held in
-- 21-queue-leases.sql, how they end in 22-queue-endings.sql, what operators and the clock do in 23-queue-operations.sql. Statuses move only in these files;
-- docs/job-lifecycle.md has the diagram.
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
  'All work to be done, one row per job. Rows hold ids, never content. Changed only by the functions of 20- to 23-queue*.sql.';
comment on column public.job_queue.priority is '1 to 10; 10 is most urgent and is claimed first.';
comment on column public.job_queue.attempt_token is
  'New on every claim; who cannot show it writes nothing for this attempt.';
comment on column public.job_queue.fair_turn is
  'Place in the line of the job''s own patient; within a priority all first jobs go before all second ones. Null while the job is scheduled for later.';
comment on table public.job_types is 'What may be enqueued, in which lane, and which ids its payload must have.';
comment on table public.workers is 'Worker processes that are alive, or were until they fell silent.';

insert into public.job_types as known (job_type, job_lane, required_keys, max_retries, timeout_seconds, description)
values
  ('security_scan', 'fast_queue', array['shell_file_id'], 6, 120, 'Looks for what makes a file unsafe or unreadable.'),
  ('ocr', 'fast_queue', array['shell_file_id'], 6, 1800, 'Reads every page: words, boxes, confidence.'),
  ('spatial_mapping', 'fast_queue', array['shell_file_id'], 6, 300, 'Puts words into lines, rows, tables and sections.'),
  ('pass1_find', 'ai_queue', array['shell_file_id'], 6, 900, 'Finds encounters and facts, word for word.'),
  ('pass2_code', 'ai_queue', array['shell_file_id'], 6, 600, 'Codes, checks and admits facts into the record.'),
  ('pass3_narrate', 'ai_queue', array['shell_file_id'], 6, 300, 'Writes cited narratives from admitted facts.'),
  ('export_record', 'background', array['export_id'], 6, 14400, 'Makes the archive of everything of one person.'),
  ('purge_account', 'background', array['closure_id'], 6, 14400, 'Erases an account whose waiting period is over.'),
  ('run_schedule', 'background', array['schedule', 'slot_at'], 6, 3600, 'Does what is due by the clock: one slot of a schedule.'),
  ('deliver_message', 'fast_queue', array['message_id'], 6, 30, 'Tells the holder of an account something by mail.')
on conflict (job_type) do update
set job_lane = excluded.job_lane,
    required_keys = excluded.required_keys,
    description = excluded.description;

insert into public.system_configuration (config_key, config_value, description)
values
  ('queue.max_deferrals', '500', 'How often a job may wait for capacity before it becomes a dead letter.')
on conflict (config_key) do nothing;

-- Wakes workers at commit; jobs for later wake nobody. PostgreSQL lets transactions that notify commit one after the
-- other, each with a flush of its own, so that with a notification in each a hundred uploads share no flush any more
-- (measured: 0.3 of the inserts). So of those that are under way at once only one notifies for a lane. The others
-- commit within a moment of it, and a worker that was woken looks again after a moment: worker/engine/claim-loop.ts.
-- The lock is of this twentieth of a second, so that a transaction that stays open silences nobody for longer.
create or replace function public.notify_new_jobs()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_lane text;
  v_moment constant int := (extract(epoch from clock_timestamp()) * 20)::bigint % 1000000000;
begin
  for v_lane in
    select distinct new_job.job_lane
    from new_jobs as new_job
    where new_job.status = 'pending'
      and new_job.scheduled_at <= clock_timestamp()
  loop
    if pg_try_advisory_xact_lock(hashtext(v_lane), v_moment) then
      perform pg_notify('exora_jobs', v_lane);
    end if;
  end loop;
  return null;
end
$$;
comment on function public.notify_new_jobs() is
  'At most one notification per lane and statement on exora_jobs, and one such transaction at once; its payload is the lane alone.';
revoke all on function public.notify_new_jobs() from public, anon, authenticated, service_role;

create or replace trigger job_queue_notify
  after insert on public.job_queue
  referencing new table as new_jobs
  for each statement
  execute function public.notify_new_jobs();

create or replace function public.leave_the_line()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  new.fair_turn := null;
  return new;
end
$$;
comment on function public.leave_the_line() is
  'What is scheduled for later is out of the way of claims until promote_due_jobs gives it a place.';
revoke all on function public.leave_the_line() from public, anon, authenticated, service_role;

create or replace trigger job_queue_leave_the_line
  before insert or update of scheduled_at on public.job_queue
  for each row
  when (new.status = 'pending' and new.scheduled_at > now())
  execute function public.leave_the_line();

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
  if v_patient_id is not null and v_type.job_type = any (public.pipeline_stages()) then
    perform public.require_processing_allowed(v_patient_id);
  end if;
  v_initiated_by := coalesce(v_initiated_by, nullif(current_setting('exora.initiated_by', true), '')::uuid);
  v_correlation_id := coalesce(v_correlation_id, nullif(current_setting('exora.correlation_id', true), ''));

  -- Start-time fair queueing: behind the patient's own waiting jobs, and not before what is being served now, so that
  -- a thousand uploads of one person do not hold up the others and a newcomer does not overtake everybody for ever.
  -- What runs already has had its turn; leaving it out keeps claims from writing to an index that is spread over patients.
  v_turn := greatest(
    (
      select own.fair_turn + 1
      from public.job_queue as own
      where own.patient_id = v_patient_id
        and own.job_lane = v_lane
        and own.priority = enqueue_job_v3.priority
        and own.status = 'pending'
        and own.fair_turn is not null
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
          and head.fair_turn is not null
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
  on conflict (idempotency_key) where idempotency_key is not null do nothing
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
  'Adds a job in the caller''s transaction. The same idempotency key gives the same job. Says what is wrong with its arguments. 55000 for a stage of somebody whose processing is stopped.';
revoke all on function public.enqueue_job_v3(text, text, jsonb, text, int, timestamptz, text, uuid, uuid, uuid, text, text, int)
  from public, anon, authenticated, service_role;
grant execute on function public.enqueue_job_v3(text, text, jsonb, text, int, timestamptz, text, uuid, uuid, uuid, text, text, int)
  to service_role;

-- What a soak writes down beside the queue, in the same transactions: every change of every job's status, every start of
-- an attempt, every effect, every send. The checker believes these tables, and the queue only where it agrees with them.

create schema soak;
grant usage on schema soak to service_role;

-- `key` null for a job without idempotency key; one that is sent twice has two rows.
create table soak.sends (
  job_id uuid not null,
  kind text not null,
  key text,
  due_at timestamptz not null,
  sent_at timestamptz not null default clock_timestamp()
);

create table soak.starts (
  job_id uuid not null,
  attempt_token uuid not null,
  worker_id text not null,
  at timestamptz not null default clock_timestamp()
);

-- `result` in the transaction that completes the job; `half` in one of its own before that.
create table soak.effects (
  job_id uuid not null,
  attempt_token uuid not null,
  kind text not null,
  at timestamptz not null default clock_timestamp()
);

create table soak.deletions (deleted int not null);

create table soak.ledger (
  id bigint generated always as identity primary key,
  job_id uuid not null,
  kind text not null,
  from_status text,
  to_status text,
  -- Of the attempt that begins or ends here.
  attempt_token uuid,
  worker_id text,
  retry_count int not null,
  max_retries int not null,
  error_code text,
  due_at timestamptz not null,
  at timestamptz not null default clock_timestamp()
);

grant select, insert on soak.sends, soak.starts, soak.effects, soak.deletions to service_role;
grant select on soak.ledger to service_role;

-- Security definer: nobody else may write the ledger.
create function soak.note_job()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_is_claim constant boolean := tg_op <> 'DELETE' and new.status = 'processing';
  v_job public.job_queue := case when tg_op = 'DELETE' then old else new end;
begin
  insert into soak.ledger (
    job_id, kind, from_status, to_status, attempt_token, worker_id, retry_count, max_retries, error_code, due_at
  )
  values (
    v_job.id,
    v_job.job_type,
    case when tg_op <> 'INSERT' then old.status end,
    case when tg_op <> 'DELETE' then new.status end,
    case when v_is_claim then new.attempt_token when tg_op = 'UPDATE' then old.attempt_token end,
    case when v_is_claim then new.worker_id when tg_op = 'UPDATE' then old.worker_id end,
    v_job.retry_count,
    v_job.max_retries,
    v_job.error_details ->> 'code',
    v_job.scheduled_at
  );
  return null;
end
$$;

create trigger soak_note_coming_and_going
  after insert or delete on public.job_queue
  for each row
  execute function soak.note_job();

create trigger soak_note_status
  after update on public.job_queue
  for each row
  when (old.status is distinct from new.status or old.attempt_token is distinct from new.attempt_token)
  execute function soak.note_job();

-- For the checks at the end; too small to be felt before.
create index ledger_job_idx on soak.ledger (job_id, id);
create index ledger_attempt_idx on soak.ledger (attempt_token);
create index effects_job_idx on soak.effects (job_id);

-- How an attempt ends well: with its results in one transaction, or together with others that have nothing to write.
-- Fenced by worker and attempt token; whoever has lost the lease changes nothing.

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
set enable_seqscan = off
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
    and job.attempt_token is not null
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

-- Rows are taken in the order of their ids, as whoever stops several jobs at once does: two such statements never wait
-- for each other in a circle. By primary key and token alone: a condition on the status would invite the index of
-- leases, whose dead entries pile up.
create or replace function public.complete_jobs(p_worker_id text, p_job_ids uuid[], p_attempt_tokens uuid[])
returns setof uuid
language plpgsql
volatile
set search_path = ''
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_ids uuid[];
begin
  with ended as (
    update public.job_queue as job
    set status = 'completed',
        completed_at = clock_timestamp(),
        job_result = null,
        error_details = null,
        worker_id = null,
        attempt_token = null,
        lease_expires_at = null
    -- Not as a join of pairs, for which a session that began with a small queue scans the whole primary key of a large
    -- one: a token is of one attempt at one job.
    where job.id = any (p_job_ids)
      and job.attempt_token = any (p_attempt_tokens)
      and job.worker_id = p_worker_id
    returning job.id
  )
  select array_agg(ended.id) into v_ids from ended;
  if exists (
    select
    from public.api_capacity_reservations as reservation
    where reservation.job_id = any (v_ids)
      and reservation.released_at is null
  ) then
    perform public.end_job_reservations(v_ids);
  end if;
  return query select unnest(v_ids);
end
$$;
comment on function public.complete_jobs(text, uuid[], uuid[]) is
  'Ends many attempts of one worker well that have nothing to write; sorted by id. Returns those that were still held.';
revoke all on function public.complete_jobs(text, uuid[], uuid[]) from public, anon, authenticated, service_role;
grant execute on function public.complete_jobs(text, uuid[], uuid[]) to service_role;

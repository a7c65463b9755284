/** A question to the ledger; each row of its answer is a job of which it is not true. `$1` is what was never committed. */
export type Check = {
  readonly name: string
  readonly sql: string
  /** Where to look when it does not hold. */
  readonly look: string
  readonly counts?: 'lost' | 'doubled' | 'stuck'
}

const leavesEffect = `kind not in ('soak_quick', 'soak_poison', 'soak_hopeless')`

export const checks: readonly Check[] = [
  {
    name: 'every job that was sent came into the queue',
    counts: 'lost',
    look: 'enqueue_job_v3',
    sql: `
      select distinct send.job_id
      from soak.sends as send
      where not exists (
        select from soak.ledger as entry where entry.job_id = send.job_id and entry.from_status is null
      )`,
  },
  {
    name: 'what was taken back never came into the queue',
    look: 'enqueue_job_v3: something committed apart from its caller',
    sql: `
      select entry.job_id
      from jsonb_array_elements_text($1::text::jsonb) as taken (job_id)
      join soak.ledger as entry on entry.job_id = taken.job_id::uuid`,
  },
  {
    name: 'every job that completed left its effect',
    counts: 'lost',
    look: 'worker/engine/settle.ts: commit and completion are one transaction',
    sql: `
      select ended.job_id
      from soak.ledger as ended
      where ended.to_status = 'completed'
        and ended.${leavesEffect}
        and not exists (
          select from soak.effects as effect where effect.job_id = ended.job_id and effect.kind = 'result'
        )`,
  },
  {
    name: 'no job left its effect twice',
    counts: 'doubled',
    look: 'hold_lease, complete_job',
    sql: `
      select effect.job_id from soak.effects as effect where effect.kind = 'result'
      group by effect.job_id having count(*) > 1`,
  },
  {
    name: 'no job completed twice',
    counts: 'doubled',
    look: 'complete_job, complete_jobs, claim_next_job_v3',
    sql: `
      select ended.job_id from soak.ledger as ended where ended.to_status = 'completed'
      group by ended.job_id having count(*) > 1`,
  },
  {
    name: 'every effect is of the attempt that completed its job',
    look: 'an attempt that had lost its lease wrote: hold_lease, complete_job',
    sql: `
      select effect.job_id
      from soak.effects as effect
      where effect.kind = 'result'
        and not exists (
          select
          from soak.ledger as ended
          where ended.attempt_token = effect.attempt_token
            and ended.job_id = effect.job_id
            and ended.to_status = 'completed'
        )`,
  },
  {
    name: 'nothing was written half-way by an attempt that had ended',
    look: 'context.write in worker/engine/run-context.ts, hold_lease',
    sql: `
      select effect.job_id
      from soak.effects as effect
      left join soak.ledger as ended
        on ended.attempt_token = effect.attempt_token
        and ended.from_status = 'processing'
      where effect.kind = 'half'
        and (ended.id is null or ended.at < effect.at)`,
  },
  {
    name: 'nothing is stuck',
    counts: 'stuck',
    look: 'select * from job_queue where id = …; the lane, its workers, its due time',
    sql: `select job.id as job_id from public.job_queue as job where job.status in ('pending', 'processing')`,
  },
  {
    name: 'every status follows the one before',
    look: 'select * from soak.ledger where job_id = … order by id',
    sql: `
      select step.job_id
      from (
        select
          entry.job_id,
          entry.from_status,
          lag(entry.to_status) over (partition by entry.job_id order by entry.id) as before
        from soak.ledger as entry
      ) as step
      where step.from_status is distinct from step.before`,
  },
  {
    name: 'every attempt was claimed once, begun at most once and ended once',
    look: 'claim_next_job_v3; worker/engine/job-runner.ts',
    sql: `
      select attempt.job_id
      from (
        select
          entry.job_id,
          entry.attempt_token,
          count(*) filter (where entry.to_status = 'processing') as claims,
          count(*) filter (where entry.from_status = 'processing') as ends
        from soak.ledger as entry
        where entry.attempt_token is not null
        group by entry.job_id, entry.attempt_token
      ) as attempt
      where attempt.claims <> 1
        or attempt.ends <> 1
      union all
      select begun.job_id
      from soak.starts as begun
      left join soak.ledger as claim
        on claim.attempt_token = begun.attempt_token
        and claim.to_status = 'processing'
      group by begun.job_id, begun.attempt_token
      having count(*) > 1
        or count(claim.id) = 0`,
  },
  {
    name: 'nothing was claimed before it was due',
    look: 'claim_next_job_v3, promote_due_jobs',
    sql: `
      select claim.job_id from soak.ledger as claim
      where claim.to_status = 'processing' and claim.at < claim.due_at`,
  },
  {
    name: 'a key stands for one job for as long as that is in the queue',
    look: 'enqueue_job_v3, job_queue_idempotency_key',
    sql: `
      select later.job_id
      from soak.sends as first
      join soak.sends as later
        on later.key = first.key
        and later.job_id <> first.job_id
        and later.sent_at >= first.sent_at
      where not exists (
        select
        from soak.ledger as deleted
        where deleted.job_id = first.job_id
          and deleted.to_status is null
          and deleted.at <= later.sent_at
      )`,
  },
  {
    name: 'poison ends as a dead letter that says that its worker was lost',
    look: 'rescue_stale_jobs, bury_job',
    sql: `
      select distinct send.job_id
      from soak.sends as send
      left join public.job_queue as job on job.id = send.job_id
      where send.kind = 'soak_poison'
        and (job.status, job.error_details ->> 'code') is distinct from ('dead_letter', 'worker_lost')`,
  },
  {
    name: 'only poison and the hopeless became dead letters',
    look: 'select error_details from job_queue where id = …',
    sql: `
      select job.id as job_id
      from public.job_queue as job
      where job.status = 'dead_letter'
        and job.job_type not in ('soak_poison', 'soak_hopeless')`,
  },
  {
    name: 'no job was tried more often than it may be',
    look: 'fail_job, rescue_stale_jobs',
    sql: `select entry.job_id from soak.ledger as entry where entry.retry_count > entry.max_retries`,
  },
  {
    name: 'no room at the provider is held by a job that has ended',
    look: 'end_job_reservations; worker/engine/capacity.ts',
    sql: `
      select coalesce(held.job_id, held.id) as job_id
      from public.api_capacity_reservations as held
      where held.released_at is null
        and held.expires_at > clock_timestamp()`,
  },
]

/** In: what came. Out: what is there, by status, and what housekeeping says that it took away. */
export const conservationSql = `
  select
    (select count(distinct send.job_id) from soak.sends as send)::int as sent,
    (select count(*) from soak.ledger as entry where entry.from_status is null)::int as came,
    (select coalesce(sum(taken.deleted), 0) from soak.deletions as taken)::int as deleted,
    (select count(*) from soak.ledger as entry where entry.to_status is null)::int as gone,
    count(*) filter (where job.status = 'completed')::int as completed,
    count(*) filter (where job.status = 'dead_letter')::int as dead,
    count(*) filter (where job.status = 'cancelled')::int as cancelled,
    count(*) filter (where job.status in ('pending', 'processing'))::int as live,
    count(*)::int as there
  from public.job_queue as job`

import { ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { test } from 'tap'
import { claim, enqueueJob, expireLease, ownerSql, serviceSql } from '../support/queue.ts'
import { testDatabase } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'

/**
 * Which indexes of the queue's table the statements of one session walk, with plans that it made when the queue was all
 * but empty and statistics from then: what happens when a thousand documents come after a quiet night.
 */
test('what was planned for an empty queue still goes by index when the queue is full', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  // One session: plans are kept by session.
  const sql = serviceSql(t, appUrl, 1)
  const steps = endingsOf(sql)
  await owner`alter table public.job_queue set (autovacuum_enabled = off)`
  await runningJob(sql)
  await owner`analyze public.job_queue`
  // Five times with plans of their own, then once with the one that is kept.
  for (let n = 0; n < 6; n += 1) {
    for (const step of Object.values(steps)) await step(await runningJob(sql))
    await sql`update public.job_queue set scheduled_at = now() where fair_turn is null`
  }
  await fill(owner)

  for (const [name, step] of Object.entries(steps)) {
    // Dead entries of earlier steps are passed over only when no transaction of the whole server is older than they are:
    // another test may have one open just now.
    const walked = await eventually(async () => {
      const job = await runningJob(sql)
      const found = await walkedBy(sql, owner, () => step(job))
      ok(found.rows < 40, `${name} looks at ${found.rows} entries among 40,000`)
      return found
    })
    t.equal(walked.sequentially, 0, `${name} scans no table`)
    t.same(walked.indexes, name === 'rescue' ? ['lease_idx', 'pkey'] : ['pkey'], `${name} goes by the right index`)
  }
  await enqueueJob(sql, { scheduledAt: new Date(Date.now() + 60_000) })
  await sql`update public.job_queue set scheduled_at = now() where fair_turn is null`
  const walked = await walkedBy(sql, owner, () => claim(sql, 'w1', { lanes: ['fast_queue'] }))
  t.same([walked.sequentially, walked.indexes], [0, ['claim_idx', 'pkey', 'scheduled_idx']], 'so does the claim')
  t.ok(walked.rows < 40, `claim looks at ${walked.rows} entries among 40,000`)
})

test('who has jobs that wait or run is found without the jobs that have ended', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const sql = serviceSql(t, appUrl, 1)
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, status, completed_at, patient_id)
    select 'ocr', 'fast_queue', 'ocr', '{}', 'completed', now(), gen_random_uuid() from generate_series(1, 40000)`
  await owner`vacuum analyze public.job_queue`
  // Nobody knows this person, so nothing of theirs may be processed.
  const patientId = randomUUID()
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, patient_id)
    values ('ocr', 'fast_queue', 'ocr', '{}', ${patientId})`
  let found: unknown = null
  const walked = await walkedBy(sql, owner, async () => {
    found = await sql`select public.profiles_to_stop(10) as id`
  })
  t.same(found, [{ id: patientId }])
  t.equal(walked.sequentially, 0, 'no table is scanned')
  t.ok(walked.rows < 40, `${walked.rows} entries among 40,000 are looked at`)
})

type Job = { readonly id: string; readonly token: string }
type Step = (job: Job) => Promise<unknown>

function endingsOf(sql: postgres.Sql): Readonly<Record<string, Step>> {
  return {
    hold: ({ id, token }) => sql`select public.hold_lease(${id}, ${token})`,
    heartbeat: ({ id }) => sql`select public.update_job_heartbeats('w1', array[${id}]::uuid[])`,
    completion: ({ id, token }) => sql`select public.complete_job(${id}, 'w1', null, ${token})`,
    'completion of many': ({ id, token }) =>
      sql`select public.complete_jobs('w1', array[${id}]::uuid[], array[${token}]::uuid[])`,
    failure: ({ id, token }) => sql`select public.fail_job(${id}, 'w1', '{"code":"x"}', true, ${token})`,
    deferral: ({ id, token }) => sql`select public.reschedule_job(${id}, 'w1', 60, 'no_capacity', ${token})`,
    'handing back': ({ id }) => sql`select public.hand_back_jobs('w1', array[${id}]::uuid[])`,
    rescue: () => sql`select public.rescue_stale_jobs()`,
  }
}

/** One whose lease has run out, which only the rescue minds. */
async function runningJob(sql: postgres.Sql): Promise<Job> {
  const id = await enqueueJob(sql, { priority: 10 })
  for (;;) {
    const [job] = await claim(sql, 'w1', { lanes: ['fast_queue'] })
    if (job === undefined) throw new Error('the job was not claimed')
    if (job.id !== id) continue
    await expireLease(sql, id)
    return { id, token: job.attempt_token ?? '' }
  }
}

async function fill(owner: postgres.Sql): Promise<void> {
  await owner`
    insert into public.job_queue (
      job_type, job_lane, job_name, job_payload, status, worker_id, attempt_token, started_at, lease_expires_at
    )
    select 'ocr', 'fast_queue', 'ocr', '{}', 'processing', 'w' || n % 50, gen_random_uuid(), now(), now() + interval '1 hour'
    from generate_series(1, 20000) as n`
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, fair_turn)
    select 'ocr', 'fast_queue', 'ocr', '{}', n from generate_series(1, 20000) as n`
}

/** What a step reads in the queue's table and its indexes. The session of the step must say so itself. */
async function walkedBy(sql: postgres.Sql, owner: postgres.Sql, step: () => Promise<unknown>) {
  const read = async () => {
    await sql`select pg_stat_force_next_flush()`
    await sql`select 1`
    const rows = await owner<{ name: string; scans: number; rows: number }[]>`
      select replace(indexrelname, 'job_queue_', '') as name, idx_scan::int as scans, idx_tup_read::int as rows
      from pg_stat_user_indexes
      where relid = 'public.job_queue'::regclass
      union all
      select 'sequentially', seq_scan::int, 0 from pg_stat_user_tables where relid = 'public.job_queue'::regclass`
    return new Map(rows.map((row) => [row.name, row]))
  }
  const before = await read()
  await step()
  const used = [...(await read())]
    .map(([name, now]) => {
      const then = before.get(name) ?? { scans: 0, rows: 0 }
      return { name, scans: now.scans - then.scans, rows: now.rows - then.rows }
    })
    .filter(({ scans }) => scans > 0)
  return {
    sequentially: used.find(({ name }) => name === 'sequentially')?.scans ?? 0,
    indexes: used
      .map(({ name }) => name)
      .filter((name) => name !== 'sequentially')
      .toSorted(),
    rows: used.reduce((sum, { rows }) => sum + rows, 0),
  }
}

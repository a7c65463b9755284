import { test } from 'tap'
import type postgres from 'postgres'
import { testDatabase } from '../support/postgres.ts'
import { claim, enqueueJob, ownerSql, serviceSql } from '../support/queue.ts'
import { setGoal } from '../support/slos.ts'

type Level = {
  readonly slo: string
  readonly job_lane: string
  readonly value: number | null
  readonly goal: number
  readonly holds: boolean
  readonly samples: number | null
}

const levels = (sql: postgres.ISql) =>
  sql<Level[]>`select slo, job_lane, value::float8, goal::float8, holds, samples from public.evaluate_slos()`

async function level(sql: postgres.ISql, slo: string, lane = 'all'): Promise<Level> {
  const found = (await levels(sql)).find((each) => each.slo === slo && each.job_lane === lane)
  if (found === undefined) throw new Error(`no service level ${slo} of ${lane}`)
  return found
}

const registerWorker = (
  sql: postgres.ISql,
  id: string,
  lanes: readonly string[],
  types: readonly string[] | null,
) => sql`
  select public.register_worker(
    ${id}, 'host', 1, ${[...lanes]}::text[], 4, 'test', false, ${types === null ? null : [...types]}::text[]
  )`

test('a quiet installation keeps everything that is promised', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const found = await levels(sql)
  t.equal(found.length, 16)
  t.same(
    found.filter((each) => !each.holds),
    [],
  )
})

test('a due job that nobody takes is late, one for later is not', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  await registerWorker(sql, 'w', ['fast_queue', 'ai_queue', 'background'], null)
  await enqueueJob(sql, { type: 'pass1_find', scheduledAt: new Date(Date.now() + 3_600_000) })
  const id = await enqueueJob(sql, { type: 'pass1_find', priority: 1 })
  t.ok((await level(sql, 'queue_age_seconds', 'ai_queue')).holds)
  await owner`update public.job_queue set scheduled_at = now() - interval '301 seconds' where id = ${id}`
  await enqueueJob(sql, { type: 'pass1_find', priority: 10 })
  t.match(await level(sql, 'queue_age_seconds', 'ai_queue'), { holds: false, goal: 300 }, 'behind more urgent ones too')
  t.ok((await level(sql, 'queue_age_seconds', 'fast_queue')).holds)
})

test('jobs that no living worker serves are seen, by lane and by kind', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  const unclaimable = async (lane: string) => (await level(sql, 'unclaimable_job_types', lane)).value
  await enqueueJob(sql, { type: 'ocr' })
  t.equal(await unclaimable('fast_queue'), 1, 'there is no worker')
  t.equal(await unclaimable('ai_queue'), 0, 'nothing waits there')

  await registerWorker(sql, 'ai', ['ai_queue'], null)
  t.equal(await unclaimable('fast_queue'), 1, 'one of another lane does not help')
  await registerWorker(sql, 'old', ['fast_queue'], ['security_scan'])
  t.equal(await unclaimable('fast_queue'), 1, 'nor does one that has no handler for it')
  await registerWorker(sql, 'new', ['fast_queue'], ['security_scan', 'ocr'])
  t.equal(await unclaimable('fast_queue'), 0)

  await owner`update public.workers set last_seen_at = now() - interval '2 minutes' where id = 'new'`
  t.equal(await unclaimable('fast_queue'), 1, 'nor does one that is silent')
  t.match(await level(sql, 'silent_workers'), { value: 1, holds: false })
  await sql`select public.worker_goodbye('new')`
  t.match(await level(sql, 'silent_workers'), { value: 0, holds: true }, 'who says goodbye is not missed')
})

test('latencies are those of documents that came for the first time, and rates need more than a few jobs', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  await documents(owner, { count: 19, seconds: 10 })
  await documents(owner, { count: 1, seconds: 4_000 })
  t.match(await level(sql, 'fast_p95_seconds'), { holds: false, samples: 20 })
  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, shell_file_id, status, completed_at)
    select job_type, job_lane, job_name, job_payload, shell_file_id, 'completed', now() - interval '2 hours'
    from public.job_queue
    where created_at < now() - interval '1 hour'`
  t.match(
    await level(sql, 'fast_p95_seconds'),
    { value: 10, holds: true, samples: 19 },
    'one that was run again is left out',
  )
  t.match(await level(sql, 'ai_p95_seconds'), { value: null, holds: true, samples: 0 })

  await owner`
    insert into public.processing_errors (stage, error_type, error_code, error_message, retry_count, id)
    select 'ocr', 'transient', 'x', 'x', 0, public.uuid_v7() from generate_series(1, 5)`
  await owner`
    insert into public.processing_errors (stage, error_type, error_code, error_message, retry_count, id)
    select 'ocr', 'transient', 'x', 'x', 0, '01800000-0000-7000-8000-000000000000'`
  t.match(await level(sql, 'failure_rate'), { value: 0.2, holds: false, samples: 25 }, 'five of 25, none of years ago')
  await setGoal(owner, 'min_jobs', 26)
  t.match(await level(sql, 'failure_rate'), { holds: true }, 'with so few it says nothing')
  await setGoal(owner, 'failure_rate', 0.2)
  await setGoal(owner, 'min_jobs', 10)
  t.match(await level(sql, 'failure_rate'), { holds: true }, 'goals are data')

  await owner`
    insert into public.job_queue (job_type, job_lane, job_name, job_payload, status, dead_letter_at)
    select 'ocr', 'fast_queue', 'ocr', '{}', 'dead_letter', now() - age
    from unnest(array[interval '1 minute', interval '2 hours']) as age`
  t.match(await level(sql, 'dead_letter_rate'), { value: 0.0476, holds: false, samples: 21 })
})

test('jobs are counted by lane and state, without those that ended well', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  await documents(owner, { count: 3, seconds: 1 })
  for (const type of ['ocr', 'ocr', 'ocr', 'pass1_find']) await enqueueJob(sql, { type })
  await enqueueJob(sql, { type: 'ocr', scheduledAt: new Date(Date.now() + 3_600_000) })
  await claim(sql, 'w', { lanes: ['fast_queue'] })
  const counts = async (atMost: number) =>
    await sql`
    select job_lane, job_state, jobs from public.queue_counts(${atMost}) order by job_lane, job_state`
  t.match(await counts(100), [
    { job_lane: 'ai_queue', job_state: 'due', jobs: 1 },
    { job_lane: 'fast_queue', job_state: 'due', jobs: 2 },
    { job_lane: 'fast_queue', job_state: 'processing', jobs: 1 },
    { job_lane: 'fast_queue', job_state: 'scheduled', jobs: 1 },
  ])
  t.match(await counts(2), [{ jobs: 1 }, { jobs: 2 }, { jobs: 1 }], 'no further than it is asked to')
})

test('a long history makes neither counting nor evaluating dearer', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner.begin(async (tx) => {
    // As an operator would leave it behind: never analysed, so that the planner believes the table to be small.
    await tx`alter table public.job_queue set (autovacuum_enabled = off)`
    await tx`alter table public.job_queue disable trigger user`
    await tx`
      insert into public.job_queue (job_type, job_lane, job_name, job_payload, status, completed_at)
      select 'ocr', 'fast_queue', 'ocr', '{}', 'completed', now() - n * interval '0.2 seconds'
      from generate_series(1, 30000) as n`
  })
  await documents(owner, { count: 20, seconds: 5 })
  await setGoal(owner, 'window_jobs', 100)
  await owner.begin(async (tx) => {
    // The first reading of indexes after a bulk load tidies them up.
    const [before] = await touched(tx)
    await tx`select * from public.evaluate_slos()`
    await tx`select * from public.queue_counts()`
    const [after] = await touched(tx)
    t.equal(after.scans - before.scans, 0, 'the table is never read from end to end')
    t.ok(after.rows - before.rows < 1_000, `${after.rows - before.rows} rows are fetched`)
  })
})

const touched = (sql: postgres.ISql) => sql<[{ scans: number; rows: number }]>`
  select seq_scan::int as scans, coalesce(idx_tup_fetch, 0)::int as rows
  from pg_stat_xact_user_tables
  where relname = 'job_queue'`

/** Documents that were uploaded and have become readable just now. */
async function documents(owner: postgres.Sql, of: { count: number; seconds: number }): Promise<void> {
  await owner.begin(async (tx) => {
    await tx`alter table public.shell_files disable trigger user`
    await tx`alter table public.job_queue disable trigger user`
    await tx`
      insert into auth.users (id) values ('00000000-0000-7000-8000-000000000001') on conflict do nothing`
    const [profile] = await tx<{ id: string }[]>`
      insert into public.user_profiles (account_owner_id, profile_type, display_name)
      values ('00000000-0000-7000-8000-000000000001', 'child', 'Somebody')
      returning id`
    await tx`
      with file as (
        insert into public.shell_files (patient_id, filename, mime_type, size_bytes, sha256, storage_key, created_at)
        select
          ${profile?.id ?? null}, 'x.pdf', 'application/pdf', 1, encode(sha256(convert_to(n::text, 'UTF8')), 'hex'),
          gen_random_uuid()::text, now() - make_interval(secs => ${of.seconds})
        from generate_series(1, ${of.count}::int) as n
        returning id, created_at
      )
      insert into public.job_queue
        (job_type, job_lane, job_name, job_payload, shell_file_id, status, completed_at, created_at)
      select 'spatial_mapping', 'fast_queue', 'x', '{}', file.id, 'completed', now(), file.created_at
      from file`
    await tx`alter table public.shell_files enable trigger user`
    await tx`alter table public.job_queue enable trigger user`
  })
}

import { test } from 'tap'
import { testDatabase } from '../support/postgres.ts'
import { ownerSql, serviceSql } from '../support/queue.ts'

test('ten thousand jobs that fail at once do not come back at once', async (t) => {
  const { appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const sql = serviceSql(t, appUrl)
  // As a service that has been away for a while leaves them: each has failed before.
  await owner`
    insert into public.job_queue (
      job_type, job_lane, job_name, job_payload, status, worker_id, attempt_token, lease_expires_at, retry_count
    )
    select 'ocr', 'fast_queue', 'ocr', '{}', 'processing', 'w1', gen_random_uuid(), now() + interval '1 hour', 5
    from generate_series(1, 10000)`
  await sql`select public.fail_job(id, 'w1', '{"code":"service_away"}') from public.job_queue`

  const seconds = await sql<{ jobs: number }[]>`
    select count(*)::int as jobs
    from public.job_queue
    where status = 'pending'
    group by date_trunc('second', scheduled_at)`
  t.equal(
    seconds.reduce((sum, { jobs }) => sum + jobs, 0),
    10_000,
  )
  const mean = 10_000 / 64
  const most = Math.max(...seconds.map(({ jobs }) => jobs))
  t.ok(most < 2 * mean, `at most ${most} in one second, ${mean} on average over the 64 s that a sixth retry may wait`)
})

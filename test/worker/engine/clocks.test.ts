import tap, { test } from 'tap'
import { startChildWorker } from '../../support/child-worker.ts'
import { testDatabase } from '../../support/postgres.ts'
import { claim, enqueueJob, expireLease, jobRecord, ownerSql, serviceSql } from '../../support/queue.ts'
import { createEffects } from '../../support/worker.ts'

// Processes that start, on a machine that may be busy.
tap.setTimeout(120_000)

for (const [name, clockOffsetMs] of [
  ['fast', 3_600_000],
  ['slow', -3_600_000],
] as const) {
  test(`a worker whose clock is an hour ${name} neither begins early nor takes what others hold`, async (t) => {
    const database = await testDatabase(t)
    await createEffects(t, database)
    const sql = serviceSql(t, database.appUrl)
    const owner = ownerSql(t, database.ownerUrl)
    const held = await enqueueJob(sql)
    await claim(sql, 'another')
    const stale = await enqueueJob(sql)
    await claim(sql, 'dead')
    await expireLease(sql, stale)
    const due = await enqueueJob(sql)
    const later = await enqueueJob(sql, { scheduledAt: new Date(Date.now() + 1_800_000) })
    const worker = await startChildWorker(t, { url: database.appUrl, mode: 'retrying', clockOffsetMs })
    await worker.heard(`ended ${due} completed`)
    await worker.heard(`ended ${stale} completed`)
    t.match(await jobRecord(sql, due), { retry_count: 1 })
    t.match(await jobRecord(sql, held), { status: 'processing', worker_id: 'another', retry_count: 0 })
    t.match(await jobRecord(sql, later), { status: 'pending', retry_count: 0 })
    const [wrong] = await owner`
      select count(*)::int as n
      from public.job_queue
      where greatest(started_at, heartbeat_at, completed_at) > now() + interval '1 minute'
         or completed_at < created_at`
    t.same(wrong, { n: 0 }, 'all times are the database’s')
  })
}

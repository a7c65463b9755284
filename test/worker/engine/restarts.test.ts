import t from 'tap'
import { startChildWorker } from '../../support/child-worker.ts'
import { ownServer } from '../../support/embedded.ts'
import { enqueueJob, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'

const jobs = 120

void t.test('PostgreSQL is restarted under load, twice, and the worker goes on by itself', async (test) => {
  const server = await ownServer(test)
  const owner = ownerSql(test, server.ownerUrl)
  await owner`create table public.effects (job_id uuid not null, attempt_token uuid not null, note text not null)`
  await owner`grant select, insert on public.effects to service_role`
  const worker = await startChildWorker(test, { url: server.appUrl, mode: 'quick', leaseMs: 3_000 })
  const sql = serviceSql(test, server.appUrl)
  const reach = (wanted: number) =>
    eventually(
      async () => {
        const [row] = await owner`select count(*)::int as n from public.effects`
        if (row?.['n'] < wanted) throw new Error(`${row?.['n']} of ${wanted}`)
      },
      { timeoutMs: 25_000 },
    )
  const enqueueMany = (count: number) =>
    Promise.all(Array.from({ length: count }, () => enqueueJob(sql, { maxRetries: 30 })))

  for (const how of ['fast', 'immediate'] as const) {
    await enqueueMany(jobs / 2)
    await reach(how === 'fast' ? 5 : jobs / 2 + 5)
    await server.restart(how)
    await reach(how === 'fast' ? jobs / 2 : jobs)
  }
  const [sums] = await owner`select count(*)::int as n, count(distinct job_id)::int as jobs from public.effects`
  test.same(sums, { n: jobs, jobs }, 'each job had its effect, once')
  await eventually(async () => {
    const left = await owner`select from public.job_queue where status <> 'completed'`
    test.equal(left.length, 0)
  })

  // The next one is heard of: the worker polls every 500 ms, and says `began` at once.
  const id = await enqueueJob(sql)
  await worker.heard(`began ${id}`)
  worker.signal('SIGTERM')
  test.same(await worker.exited, { code: 0, signal: null })
})

import { randomUUID } from 'node:crypto'
import t from 'tap'
import postgres from 'postgres'
import { openDatabase } from '../../db/client.ts'
import { done } from '../../worker/engine/handler.ts'
import { ownServer } from '../support/embedded.ts'
import { enqueueJob, ownerSql, serviceSql } from '../support/queue.ts'
import { eventually } from '../support/signals.ts'
import { startEngine, testHandler } from '../support/worker.ts'

const listeners = 100
const jobs = 100_000

void t.test('what all processes hear through', async (test) => {
  const server = await ownServer(test, { max_notify_queue_pages: '64', track_functions: 'pl' })
  const owner = ownerSql(test, server.ownerUrl)
  const sql = serviceSql(test, server.appUrl)

  await test.test('a hundred thousand jobs of one statement wake each listener once a lane', async (part) => {
    const heard: string[] = []
    const marked = Promise.withResolvers<void>()
    let marks = 0
    const hear = (payload: string) => {
      if (payload !== 'mark') heard.push(payload)
      else if ((marks += 1) === listeners) marked.resolve()
    }
    const crowd = Array.from({ length: listeners }, () => postgres(server.appUrl, { max: 1 }))
    part.teardown(() => Promise.all(crowd.map((client) => client.end({ timeout: 1 }))))
    await Promise.all(crowd.map((client) => client.listen('exora_jobs', hear)))

    await owner.begin(async (tx) => {
      await tx`
        insert into public.job_queue (job_type, job_lane, job_name, job_payload)
        select known.job_type, known.job_lane, known.job_type, '{}'
        from generate_series(1, ${jobs / 2})
        join public.job_types as known on known.job_type in ('ocr', 'pass1_find')`
      // What is heard does not tell: PostgreSQL merges what one transaction says twice.
      const [asked] = await tx`
        select calls::int as n from pg_stat_xact_user_functions where funcname = 'notify_new_jobs'`
      part.same(asked, { n: 1 }, 'not once a job')
      // Before it is committed, others add, claim and commit.
      const id = await enqueueJob(sql, { type: 'export_record', payload: { export_id: randomUUID() } })
      const [claimed] = await sql`select id from public.claim_next_job_v3('w1', null, array['background'], 1)`
      part.equal(claimed?.['id'], id)
    })
    await sql`select pg_notify('exora_jobs', 'mark')`
    await marked.promise
    const byLane = Map.groupBy(heard, (lane) => lane)
    part.equal(byLane.get('fast_queue')?.length, listeners)
    part.equal(byLane.get('ai_queue')?.length, listeners)
    part.equal(byLane.get('background')?.length, listeners)
    part.equal(heard.length, 3 * listeners)
    await owner`truncate public.job_queue cascade`
  })

  await test.test('a queue of notifications that fills up is seen and warned of', async (part) => {
    const db = openDatabase({ url: server.appUrl, applicationName: 'exora-test', max: 4 })
    part.teardown(() => db.close())
    const worker = await startEngine(
      part,
      { ...server, db },
      {
        handlers: [testHandler(async () => done())],
        pingEveryMs: 100,
      },
    )
    // Somebody who listens and does not end a transaction keeps everybody's notifications.
    const sleeper = postgres(server.appUrl, { max: 1 })
    part.teardown(() => sleeper.end({ timeout: 1 }))
    const release = Promise.withResolvers<void>()
    await sleeper`listen exora_jobs`
    const sleeping = sleeper.begin(async (tx) => {
      await tx`select 1`
      for (let n = 1; n <= 45; n += 1) await sql`select pg_notify('elsewhere', ${String(n).padEnd(7_900, '.')})`
      await release.promise
    })
    await worker.watched.waitForLines(
      ({ level, msg }) => level === 'warn' && /notifications is filling up/.test(String(msg)),
    )
    part.ok((await worker.count('notifyQueueUsage')) > 0.5)
    release.resolve()
    await sleeping
    await eventually(async () => {
      if ((await worker.count('notifyQueueUsage')) > 0.1) throw new Error('still full')
    })
  })
})

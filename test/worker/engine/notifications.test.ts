import { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, ownerSql, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

const quick = testHandler(async () => done())

test('jobs that nobody notifies of are all found by the poll, whichever lane has them', async (t) => {
  const database = await testDatabase(t)
  const owner = ownerSql(t, database.ownerUrl)
  const sql = serviceSql(t, database.appUrl)
  await owner`alter table public.job_queue disable trigger job_queue_notify`
  const worker = await startEngine(t, database, { handlers: [quick], pollMs: 150 })
  for (let n = 1; n <= 5; n += 1) {
    await Promise.all(Array.from({ length: n }, () => enqueueJob(sql)))
    await worker.watched.waitForEnded('completed', (n * (n + 1)) / 2)
  }
  t.equal(await worker.count('claims', { reason: 'notification' }), 0)
  // Some may have come while an earlier poll was still claiming.
  t.ok((await worker.count('claims', { reason: 'poll' })) >= 1)
  t.equal(worker.engine.health().isListenerAlive, true, 'the connection itself hears')
})

test('an enqueue that stays open long keeps nobody else from being heard, and is found once it is committed', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const worker = await startEngine(t, database, { handlers: [quick], pollMs: null, pingEveryMs: 500 })
  await eventually(async () => {
    if ((await worker.count('hearing')) !== 1) throw new Error('not yet proven')
  })
  const late = await sql.begin(async (tx) => {
    const id = await enqueueJob(tx)
    // Open for long: whatever was in the same moment has passed.
    await tx`select pg_sleep(0.3)`
    for (let n = 1; n <= 3; n += 1) {
      const other = await enqueueJob(sql)
      await worker.watched.waitForLines((line) => line['job_id'] === other && line['outcome'] === 'completed')
    }
    return id
  })
  await worker.watched.waitForLines((line) => line['job_id'] === late && line['outcome'] === 'completed')
  t.ok((await worker.count('claims', { reason: 'notification' })) >= 2)
})

import { test } from 'tap'
import { done } from '../../../worker/engine/handler.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, jobRecord, serviceSql } from '../../support/queue.ts'
import { startEngine, testHandler } from '../../support/worker.ts'

test('a worker leaves a paused lane alone, says so, and goes on as soon as it is resumed', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  await sql`select public.pause_lane('fast_queue')`
  const held = await enqueueJob(sql)
  const ofFastLane = testHandler(async () => done())
  const ofAiLane = { ...ofFastLane, job: { ...ofFastLane.job, name: 'pass1_find', lane: 'ai_queue' as const } }
  const worker = await startEngine(t, database, {
    handlers: [ofFastLane, ofAiLane],
    lanes: ['fast_queue', 'ai_queue'],
  })
  t.same(worker.engine.health().pausedLanes, ['fast_queue'])
  t.ok(worker.engine.health().isHealthy, 'which is nothing to be ill of')

  const other = await enqueueJob(sql, { type: 'pass1_find' })
  await worker.watched.waitForLines((line) => line['msg'] === 'job ended' && line['job_id'] === other)
  t.equal((await jobRecord(sql, held)).status, 'pending', 'the claim that found the other could have had it')
  await sql`select public.resume_lane('fast_queue')`
  await worker.watched.waitForEnded('completed', 2)
  t.equal((await jobRecord(sql, held)).status, 'completed')
})

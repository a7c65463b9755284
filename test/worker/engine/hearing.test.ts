import { test } from 'tap'
import { openDatabase } from '../../../db/client.ts'
import { done } from '../../../worker/engine/handler.ts'
import { startDatabaseProxy } from '../../support/database-proxy.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown } from '../../support/postgres.ts'
import { enqueueJob, serviceSql } from '../../support/queue.ts'
import { eventually } from '../../support/signals.ts'
import { startEngine, testHandler } from '../../support/worker.ts'
import type { TestEngine } from '../../support/worker.ts'

// The minute between polls stands for "not by polling": what starts sooner was heard of, or polled for faster.
const pollMs = 60_000
const quick = testHandler(async () => done())

/** A worker whose straight way to the server, for LISTEN and claims, leads through a network of its own. */
async function setUp(t: Teardown, beforehand: 'hears' | 'is mute') {
  const database = await testDatabase(t)
  const proxy = await startDatabaseProxy(t, database.appUrl)
  if (beforehand === 'is mute') proxy.mute()
  const db = openDatabase({ url: database.appUrl, directUrl: proxy.url, applicationName: 'exora-test', max: 5 })
  t.teardown(() => db.close())
  const worker = await startEngine(
    t,
    { ...database, db },
    { handlers: [quick], pollMs, pingEveryMs: 300, pingWithinMs: 300 },
  )
  return { proxy, worker, sql: serviceSql(t, database.appUrl) }
}

const becomes = (worker: TestEngine, hears: 0 | 1) =>
  eventually(async () => {
    if ((await worker.count('hearing')) !== hears) throw new Error(`exora_listen_hearing is not ${hears}`)
  })

const warnings = (worker: TestEngine, text: RegExp) =>
  worker.watched.lines.filter(({ level, msg }) => level === 'warn' && text.test(String(msg))).length

test('a LISTEN connection that the network has swallowed is noticed and made anew, and what was missed is found', async (t) => {
  const { proxy, worker, sql } = await setUp(t, 'hears')
  await becomes(worker, 1)
  t.equal(worker.engine.health().isListenerAlive, true)
  // Its first look is over: what comes now has to be heard of.
  await eventually(async () => {
    if ((await worker.count('claims')) === 0) throw new Error('has not looked yet')
  })
  proxy.swallow()
  await enqueueJob(sql)
  await worker.watched.waitForEnded('completed')
  await becomes(worker, 1)
  t.equal(await worker.count('listening'), 2)
  t.equal(warnings(worker, /do not arrive/), 1)

  await eventually(async () => {
    await enqueueJob(sql)
    if ((await worker.count('claims', { reason: 'notification' })) === 0) throw new Error('not heard of')
  })
})

test('while notifications do not arrive a worker says so once, looks often, and does every job', async (t) => {
  const { proxy, worker, sql } = await setUp(t, 'is mute')
  await worker.watched.waitForLines(({ msg }) => /DATABASE_DIRECT_URL/.test(String(msg)))
  t.equal(await worker.count('hearing'), 0)
  t.equal(worker.engine.health().isListenerAlive, false)
  for (let n = 1; n <= 6; n += 1) {
    await enqueueJob(sql)
    await worker.watched.waitForEnded('completed', n)
  }
  t.ok((await worker.count('claims', { reason: 'poll' })) >= 1)
  await eventually(async () => {
    if ((await worker.count('listening')) < 3) throw new Error('not tried again')
  })
  t.equal(warnings(worker, /do not arrive/), 1, 'one warning, however often it was tried')

  proxy.unmute()
  await worker.watched.waitForLines(({ msg }) => msg === 'notifications of jobs arrive again')
  t.equal(await worker.count('hearing'), 1)
  t.equal(worker.engine.health().isListenerAlive, true)
})

test('while there is no way to the server at all a worker waits, and goes on by itself when there is one', async (t) => {
  const { proxy, worker, sql } = await setUp(t, 'hears')
  await becomes(worker, 1)
  proxy.swallowAll()
  await enqueueJob(sql)
  await becomes(worker, 0)
  proxy.refuse()
  await enqueueJob(sql)
  await worker.watched.waitForLines(({ msg }) => msg === 'claiming failed')
  proxy.recover()
  await worker.watched.waitForEnded('completed', 2)
  await becomes(worker, 1)
})

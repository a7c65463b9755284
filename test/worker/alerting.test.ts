import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { z } from 'zod'
import { asService } from '../../db/actor.ts'
import { createAlertingSchedule, postAlert } from '../../worker/alerting.ts'
import type { AlertDelivery } from '../../db/queries/alerts.ts'
import { openDatabase } from '../../db/client.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown, TestDatabase } from '../support/postgres.ts'
import { enqueueJob, ownerSql, serviceSql } from '../support/queue.ts'
import { evaluateMinutes } from '../support/slos.ts'
import { startWebhookServer } from '../support/webhook-server.ts'
import { createWatchedLog } from '../support/worker.ts'

const secret = 'a-secret-of-the-receiver'
const message = z.record(z.string(), z.unknown())

async function alertingOver(t: Teardown, database: TestDatabase, url: string) {
  const watched = createWatchedLog()
  // One connection: whoever held a transaction while calling out would leave none for anybody else.
  const db = openDatabase({ url: database.appUrl, max: 1, applicationName: 'test-alerting' })
  t.teardown(() => db.close())
  const schedule = createAlertingSchedule({ log: watched.log, webhook: { url, secret }, environment: 'test' })
  const stopping = new AbortController()
  const inService: Parameters<typeof schedule.run>[0]['inService'] = (work) => asService(db, {}, work)
  return { watched, db, stopping, run: () => schedule.run({ inService, signal: stopping.signal }) }
}

test('the receiver is told what is missed and when it is kept again, signed, and without anybody’s data', async (t) => {
  const database = await testDatabase(t)
  const service = serviceSql(t, database.appUrl)
  const receiver = await startWebhookServer(t)
  const { run, watched } = await alertingOver(t, database, receiver.url)
  const id = await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 1)
  await run()
  await service`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${id}`
  await service`update public.slo_states set last_slot_at = '2026-01-01', kept_in_row = 4`
  await run()

  const [firing, resolved] = receiver.told.map(({ body }) => message.parse(JSON.parse(body)))
  t.match(firing, {
    state: 'firing',
    slo: 'unclaimable_job_types',
    lane: 'fast_queue',
    value: 1,
    goal: 0,
    environment: 'test',
    occurred_at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/,
  })
  t.match(resolved, {
    state: 'resolved',
    slo: 'unclaimable_job_types',
    value: 0,
    alert_id: String(firing?.['alert_id']),
  })
  t.same(Object.keys(firing ?? {}).toSorted(), [
    'alert_id',
    'environment',
    'goal',
    'lane',
    'occurred_at',
    'slo',
    'state',
    'value',
  ])
  for (const { headers, body } of receiver.told) {
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
    t.equal(headers['webhook-signature'], `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`)
  }
  t.match(
    watched.lines.filter((line) => line['event'] === 'slo'),
    [
      { level: 'error', slo: 'unclaimable_job_types', lane: 'fast_queue', state: 'firing' },
      { level: 'warn', slo: 'unclaimable_job_types', lane: 'fast_queue', state: 'resolved' },
    ],
    'one line for each change',
  )
})

test('a receiver that fails, redirects or hangs up is told again later, and in order', async (t) => {
  const database = await testDatabase(t)
  const service = serviceSql(t, database.appUrl)
  const receiver = await startWebhookServer(t, 'fails', 'resets', 'redirects', 'takes')
  const { run } = await alertingOver(t, database, receiver.url)
  const owner = ownerSql(t, database.ownerUrl)
  const later = () => owner`update public.slo_alert_deliveries set next_attempt_at = now() where delivered_at is null`
  const id = await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 2)
  const codes: unknown[] = []
  for (let tries = 1; tries <= 3; tries += 1) {
    await run()
    const [delivery] = await owner`
      select attempts, last_error_code, next_attempt_at > now() as waits from public.slo_alert_deliveries`
    t.match(delivery, { attempts: tries, waits: true })
    codes.push(delivery?.['last_error_code'])
    await run()
    t.equal(receiver.told.length, tries, 'not before its time')
    await later()
  }
  t.same(codes, ['http_500', 'outbound_unreachable', 'outbound_unreachable'])

  await owner`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${id}`
  // Years later: the runs above have evaluated the minute that it is.
  await evaluateMinutes(service, 9_000_001, 9_000_005)
  await later()
  await run()
  await later()
  await run()
  const states = receiver.told.map(({ body }) => message.parse(JSON.parse(body))['state'])
  t.same(states, ['firing', 'firing', 'firing', 'firing', 'resolved'])
  const ids = receiver.told.map(({ headers }) => headers['webhook-id'])
  t.equal(new Set(ids).size, 2, 'a repeated delivery has the id of the first')
  const [open] = await owner`select count(*)::int as n from public.slo_alert_deliveries where delivered_at is null`
  t.same(open, { n: 0 })
})

test('no transaction is open while the receiver takes its time, and stopping does not wait for it', async (t) => {
  const database = await testDatabase(t)
  const service = serviceSql(t, database.appUrl)
  const receiver = await startWebhookServer(t, 'says_nothing')
  const { run, db, stopping } = await alertingOver(t, database, receiver.url)
  await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 2)
  const asked = receiver.nextTold()
  const running = run()
  await asked
  const [open] = await asService(db, {}, (tx) =>
    tx.execute(`select count(*)::int as n from pg_stat_activity
                where application_name = 'test-alerting' and pid <> pg_backend_pid() and state like 'idle in%'`),
  )
  t.same(open, { n: 0 })
  stopping.abort()
  await running
  const [delivery] = await service`select attempts, last_error_code from public.slo_alert_deliveries`
  t.same(delivery, { attempts: 1, last_error_code: 'worker_stopping' })
})

test('a delivery that a dying worker had taken is taken by another, after its time', async (t) => {
  const database = await testDatabase(t)
  const service = serviceSql(t, database.appUrl)
  await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 2)
  const take = () => service`select alert_state, attempts from public.claim_alert_deliveries()`
  const both = await Promise.all([take(), take()])
  t.equal(both.flat().length, 1, 'one of two takes it')
  t.equal((await take()).length, 0)
  await service`update public.job_queue set status = 'cancelled', completed_at = now()`
  await evaluateMinutes(service, 3, 7)
  t.equal((await take()).length, 0, 'that it is over waits until it was told that it began')
  await service`update public.slo_alert_deliveries set next_attempt_at = now() - interval '1 second'`
  t.match(await take(), [{ alert_state: 'firing', attempts: 2 }])
  await service`update public.slo_alert_deliveries
    set next_attempt_at = now(), occurred_at = now() - interval '25 hours'`
  t.equal((await take()).length, 0, 'after a day it is no news')
})

test('a secret in the form of the standard is taken as base64', async (t) => {
  const receiver = await startWebhookServer(t)
  const key = Buffer.from('key of twenty-four bytes')
  const delivery: AlertDelivery = {
    alertId: 'a',
    state: 'firing',
    slo: 'silent_workers',
    lane: 'all',
    value: 1,
    goal: 0,
    occurredAt: '2026-01-01T00:00:00.000Z',
    attempts: 1,
  }
  const context = { environment: 'test', signal: new AbortController().signal }
  t.equal(await postAlert({ url: receiver.url, secret: `whsec_${key.toString('base64')}` }, delivery, context), null)
  t.equal(await postAlert({ url: receiver.url, secret: null }, delivery, context), null)
  const [signed, plain] = receiver.told
  const text = `a.firing.${String(signed?.headers['webhook-timestamp'])}.${signed?.body}`
  t.equal(signed?.headers['webhook-signature'], `v1,${createHmac('sha256', key).update(text).digest('base64')}`)
  t.equal(plain?.headers['webhook-signature'], undefined)
})

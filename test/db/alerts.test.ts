import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ask, refusal, signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import { claim, enqueueJob, ownerSql, serviceSql } from '../support/queue.ts'
import { evaluateMinute, evaluateMinutes, setGoal } from '../support/slos.ts'

test('an alert fires once after two minutes, and is resolved once after five', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  t.same(await evaluateMinutes(service, 1, 2), [], 'nothing is missed')
  const id = await enqueueJob(service, { type: 'ocr' })
  t.same(await evaluateMinutes(service, 3, 6), ['4: unclaimable_job_types fast_queue firing'])
  t.match(await service`select since from public.evaluate_slos() where not holds`, [{ since: Date }])

  await owner`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${id}`
  t.same(await evaluateMinutes(service, 7, 10), [], 'it may come back')
  const again = await enqueueJob(service, { type: 'ocr' })
  t.same(await evaluateMinutes(service, 11, 12), [], 'it came back: one alert, not two')
  await owner`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${again}`
  t.same(await evaluateMinutes(service, 13, 20), ['17: unclaimable_job_types fast_queue resolved'])
  t.match(await service`select slo, resolved_at from public.slo_alerts`, [{ resolved_at: Date }])
})

test('one minute is enough for nothing', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  for (const minute of [1, 3, 5]) {
    const id = await enqueueJob(service, { type: 'ocr' })
    t.same(await evaluateMinutes(service, minute, minute), [])
    await owner`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${id}`
    t.same(await evaluateMinutes(service, minute + 1, minute + 1), [])
  }
})

test('twelve workers that evaluate the same minute at once make one alert of it', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl, 12)
  await enqueueJob(service, { type: 'ocr' })
  const crowd = (minute: number) => Promise.all(Array.from({ length: 12 }, () => evaluateMinute(service, minute)))
  t.equal((await crowd(1)).flat().length, 0, 'twelve looks at one minute are one')
  t.equal((await crowd(2)).flat().length, 1)
  t.equal((await crowd(3)).flat().length, 0)
  const [counted] = await ownerSql(t, ownerUrl)`
    select
      (select count(*)::int from public.slo_alerts) as alerts,
      (select count(*)::int from public.slo_alert_deliveries) as deliveries,
      (select missed_in_row from public.slo_states where slo = 'unclaimable_job_types' and job_lane = 'fast_queue') as missed`
  t.same(counted, { alerts: 1, deliveries: 1, missed: 3 })
})

test('operators are told, nobody else, and need not read what is over', async (t) => {
  const { db, ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl)
  const owner = ownerSql(t, ownerUrl)
  const [operator, person] = [await signUp(db), await signUp(db)]
  await owner`insert into public.account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  const id = await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 2)
  const told = sql`select kind, subject_id, patient_id, read_at from system_notifications`
  const [alert] = await owner`select id from public.slo_alerts`
  t.match(await ask(db, operator.actor, told), [
    { kind: 'slo_missed', subject_id: String(alert?.['id']), patient_id: null, read_at: null },
  ])
  t.same(await ask(db, person.actor, told), [])
  const status = sql`select slo, job_lane, holds, firing_since from public.get_slo_status()`
  t.match((await ask(db, operator.actor, status))[0], {
    slo: 'unclaimable_job_types',
    job_lane: 'fast_queue',
    holds: false,
  })
  t.equal(await refusal(ask(db, person.actor, status)), '42501')

  await owner`update public.job_queue set status = 'cancelled', completed_at = now() where id = ${id}`
  await evaluateMinutes(service, 3, 7)
  t.notMatch(await ask(db, operator.actor, told), [{ read_at: null }])
})

test('a snapshot that somebody holds while jobs come and go raises the alarm, and letting go of it ends it', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl, 1)
  const owner = ownerSql(t, ownerUrl)
  await setGoal(owner, 'snapshot_transactions', 50)
  await setGoal(owner, 'dead_job_rows', 50)
  const [taken, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  // As the login of another application would: one that this one may not look into.
  const holding = serviceSql(t, ownerUrl, 1).begin('isolation level repeatable read read only', async (tx) => {
    await tx`select count(*) from public.job_queue`
    taken.resolve()
    await letGo.promise
  })
  await taken.promise
  for (let n = 0; n < 60; n += 1) {
    const id = await enqueueJob(service)
    await claim(service, 'w')
    await service`select public.complete_job(${id}, 'w')`
  }
  await service`select pg_stat_force_next_flush()`
  await service`select 1`
  await owner`vacuum public.job_queue`
  t.same(await evaluateMinutes(service, 1, 2), ['2: dead_job_rows all firing', '2: snapshot_transactions all firing'])

  letGo.resolve()
  await holding
  await owner`vacuum public.job_queue`
  t.same(await evaluateMinutes(service, 3, 8), [
    '7: dead_job_rows all resolved',
    '7: snapshot_transactions all resolved',
  ])
})

test('a goal that operators take away ends its alert', async (t) => {
  const { ownerUrl, appUrl } = await testDatabase(t)
  const service = serviceSql(t, appUrl)
  await enqueueJob(service, { type: 'ocr' })
  await evaluateMinutes(service, 1, 2)
  await ownerSql(t, ownerUrl)`delete from public.system_configuration where config_key = 'slo.unclaimable_job_types'`
  t.same(await evaluateMinutes(service, 3, 4), ['3: unclaimable_job_types fast_queue resolved'])
})

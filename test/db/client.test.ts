import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { asService, askAsService, callAsActor } from '../../db/actor.ts'
import { looksPooled, openDatabase } from '../../db/client.ts'
import { actorOf } from '../support/actors.ts'
import { startDatabaseProxy } from '../support/database-proxy.ts'
import { testDatabase } from '../support/postgres.ts'

test('a listener hears what others notify, and says when it is back after its connection was cut', async (t) => {
  const { db } = await testDatabase(t)
  const events = new EventEmitter()
  const listening = once(events, 'listening')
  const subscription = await db.listen('lanes', (lane) => events.emit('heard', lane), {
    onListening: () => events.emit('listening'),
  })
  await listening

  const heard = once(events, 'heard')
  await db.sql`select pg_notify('lanes', 'fast')`
  t.same(await heard, ['fast'])

  const again = once(events, 'listening')
  await db.sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen %'
      and pid <> pg_backend_pid()`
  await again
  const heardAgain = once(events, 'heard')
  await db.sql`select pg_notify('lanes', 'ai')`
  t.same(await heardAgain, ['ai'])
  await subscription.stop()
})

test('drizzle and raw queries do not change how the other reads dates', async (t) => {
  const { db } = await testDatabase(t)
  await db.drizzle.execute('select now()')
  const [row] = await db.sql`select now() as at, ${db.sql.json({ a: 1 })}::jsonb as json`
  t.ok(row?.['at'] instanceof Date)
  t.same(row?.['json'], { a: 1 })
})

test('a pooled address is known by its marks, which are not sent to the server', async (t) => {
  t.ok(looksPooled('postgres://u:p@db.example.com:6543/postgres'))
  t.ok(looksPooled('postgres://u:p@10.0.0.7:6432/exora'))
  t.ok(looksPooled('postgres://u:p@db.example.com/postgres?pgbouncer=true'))
  t.ok(looksPooled('postgres://u:p@aws-0.pooler.example.com:5432/postgres'))
  t.notOk(looksPooled('postgres://u:p@127.0.0.1:5432/exora'))

  const { appUrl } = await testDatabase(t)
  const db = openDatabase({ url: `${appUrl}?pgbouncer=true&connection_limit=1`, applicationName: 'pooled' })
  t.teardown(() => db.close())
  t.same(await db.sql`select current_setting('application_name') as name`, [{ name: 'pooled' }])
  const [prepared] = await db.sql`select count(*)::int as n from pg_prepared_statements`
  t.equal(prepared?.['n'], 0)
})

test('a balancer with nothing behind it is an error for whoever asks, and is not stormed', async (t) => {
  const { appUrl } = await testDatabase(t)
  const proxy = await startDatabaseProxy(t, appUrl)
  const db = openDatabase({ url: proxy.url, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  proxy.refuse()
  await t.rejects(db.sql`select 1`, { code: 'CONNECTION_CLOSED' })
  await t.rejects(asService(db, {}, (tx) => tx.execute('select 1')))
  await t.rejects(db.listen('lanes', () => {}))
  t.ok(proxy.made() < 10, `${proxy.made()} connections`)
  proxy.recover()
  t.same(await db.sql`select 1 as n`, [{ n: 1 }])
})

test('what was asked on a way that died is told so once the way is given up', async (t) => {
  const { appUrl } = await testDatabase(t)
  const proxy = await startDatabaseProxy(t, appUrl)
  const db = openDatabase({ url: appUrl, directUrl: proxy.url, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  const ask = () => askAsService(db, (sql) => sql<{ who: string }[]>`select current_user as who`)
  t.same(await ask(), [{ who: 'service_role' }])
  proxy.swallow()
  const told = t.rejects(ask(), { code: 'CONNECTION_DESTROYED' })
  // What is asked is sent by then.
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
  db.reconnect()
  await told
  t.same(await ask(), [{ who: 'service_role' }])
})

test('what an account calls is a transaction of its own, and leaves nothing of the account behind', async (t) => {
  const { appUrl } = await testDatabase(t)
  const db = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 1 })
  t.teardown(() => db.close())
  const actor = { ...actorOf(randomUUID()), clientAddress: '192.0.2.7' }
  const settings = 'request.jwt.claims,exora.correlation_id,exora.initiated_by,exora.client_address'
  const said = async () =>
    await callAsActor(
      db,
      actor,
      (call) => call`(
    select jsonb_agg(current_setting(named, true)) from unnest(string_to_array(${settings}, ',')) as named
  )`,
    )
  t.match(await said(), [RegExp(String(actor.accountId)), actor.correlationId, actor.accountId, '192.0.2.7'])
  await t.rejects(
    callAsActor(
      db,
      actor,
      (call) => call`public.require_profile_access(${randomUUID()}::uuid, 'read_only', 'profile')`,
    ),
    { code: '42501' },
  )
  const left = await db.accounts?.ask(
    (sql) => sql<{ who: string; said: string[] }[]>`
    select current_user as who, jsonb_agg(coalesce(current_setting(named, true), '')) as said
    from unnest(string_to_array(${settings}, ',')) as named`,
  )
  t.same(left?.[0], { who: 'authenticated', said: ['{}', '', '', ''] })
  await t.rejects(
    callAsActor(db, { ...actor, accountId: null }, (call) => call`1`),
    TypeError,
  )
})

test('a pooler that nothing in its address tells of is noticed, and worked with', async (t) => {
  const { appUrl } = await testDatabase(t)
  const proxy = await startDatabaseProxy(t, appUrl)
  proxy.refuseRoles()
  const db = openDatabase({ url: proxy.url, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  const ask = () => askAsService(db, (sql) => sql<{ who: string }[]>`select current_user as who`)
  t.same(await ask(), [{ who: 'service_role' }])
  t.same(await ask(), [{ who: 'service_role' }])
  const actor = actorOf(randomUUID())
  const who = async () => await callAsActor(db, actor, (call) => call`concat_ws(' ', current_user, auth.uid())`)
  t.equal(await who(), `authenticated ${actor.accountId}`)
  t.equal(await who(), `authenticated ${actor.accountId}`)
  const [prepared] = await db.sql`select count(*)::int as n from pg_prepared_statements`
  t.equal(prepared?.['n'], 0)
})

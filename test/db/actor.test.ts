import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import { openDatabase } from '../../db/client.ts'
import { testDatabase } from '../support/postgres.ts'

const settings = sql`
  select
    current_user as role,
    coalesce(current_setting('request.jwt.claims', true), '') as claims,
    coalesce(current_setting('exora.correlation_id', true), '') as correlation,
    coalesce(current_setting('exora.initiated_by', true), '') as initiator,
    coalesce(current_setting('exora.job_id', true), '') as job,
    coalesce(current_setting('exora.patient_id', true), '') as patient`

test('a request has the rights of its account, whatever its claims say, and gives them back', async (t) => {
  const { db } = await testDatabase(t)
  const accountId = randomUUID()
  const claims = { sub: 'forged', role: 'service_role', email_verified: true }
  const actor = { accountId, role: 'authenticated', claims, correlationId: 'c-1' } as const

  const [inside] = await asActor(db, actor, (tx) => tx.execute(settings))
  t.match(inside, { role: 'authenticated', correlation: 'c-1', initiator: accountId })
  t.same(JSON.parse(String(inside?.['claims'])), { sub: accountId, role: 'authenticated', email_verified: true })
  const [account] = await asActor(db, actor, (tx) => tx.execute(sql`select auth.uid() as id`))
  t.equal(account?.['id'], accountId)

  const afterwards = await Promise.all(Array.from({ length: 5 }, () => db.drizzle.execute(settings)))
  for (const [row] of afterwards) t.match(row, { role: 'exora_app', claims: '', correlation: '' })
})

test('an anonymous request is nobody', async (t) => {
  const { db } = await testDatabase(t)
  const actor = { accountId: null, role: 'anon', claims: {}, correlationId: 'c-2' } as const
  const [row] = await asActor(db, actor, (tx) => tx.execute(sql`select current_user as role, auth.uid() as id`))
  t.same(row, { role: 'anon', id: null })
})

test('a worker acts as the service and says for whom', async (t) => {
  const { db } = await testDatabase(t)
  const [initiatedBy, patientId, jobId] = [randomUUID(), randomUUID(), randomUUID()]
  const [row] = await asService(db, { initiatedBy, patientId, jobId, correlationId: 'c-3' }, (tx) =>
    tx.execute(settings),
  )
  t.match(row, { role: 'service_role', initiator: initiatedBy, patient: patientId, job: jobId, correlation: 'c-3' })
})

test('work that fails leaves neither rights nor rows behind', async (t) => {
  const { db } = await testDatabase(t)
  const failing = asService(db, {}, async (tx) => {
    await tx.execute(sql`select set_config('exora.leak', 'yes', true)`)
    throw new Error('half way')
  })
  await t.rejects(failing, { message: 'half way' })
  const [row] = await db.drizzle.execute(
    sql`select current_user as role, coalesce(current_setting('exora.leak', true), '') as leak`,
  )
  t.match(row, { role: 'exora_app', leak: '' })
})

test('where a request came from is kept for the audit, and what is no address is left out', async (t) => {
  const { db } = await testDatabase(t)
  const seenFrom = async (clientAddress: string | null) => {
    const actor = {
      accountId: randomUUID(),
      role: 'authenticated',
      claims: {},
      correlationId: 'c',
      clientAddress,
    } as const
    const setting = sql`
      select current_setting('exora.client_address') as text, nullif(current_setting('exora.client_address'), '')::inet`
    return (await asActor(db, actor, (tx) => tx.execute(setting)))[0]?.['text']
  }
  t.equal(await seenFrom('203.0.113.7'), '203.0.113.7')
  t.equal(await seenFrom('2001:db8::7'), '2001:db8::7')
  t.equal(await seenFrom('::ffff:203.0.113.7'), '203.0.113.7', 'as sockets that speak both families name it')
  t.equal(await seenFrom('203.0.113.7:4711'), '203.0.113.7', 'without the port, which some proxies write beside it')
  t.equal(await seenFrom('fe80::1%eth0'), 'fe80::1', 'without the zone, which only that machine knows')
  for (const odd of [null, '', 'unknown', '203.0.113.7:port', "'; drop table audit_log", '1.2.3', '::ffff:1.2.3'])
    t.equal(await seenFrom(odd), '', String(odd))
})

test('a process that freezes in mid-transaction loses it, with every lock that others wait for', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  const frozen = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 1, idleTransactionMs: 100 })
  t.teardown(() => frozen.close())
  const work = asService(frozen, {}, async (tx) => {
    await tx.execute(sql`lock table workers in access exclusive mode`)
    // Gets its turn only once the server has ended the first one.
    await asService(db, {}, (other) => other.execute(sql`select from workers`))
    await tx.execute(sql`delete from workers`)
  })
  await t.rejects(work)
  const [row] = await asService(frozen, {}, (tx) => tx.execute(sql`select 1 as alive`))
  t.same(row, { alive: 1 }, 'and goes on with the next')
})

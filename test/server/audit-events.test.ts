import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { accessLogSchema } from '../../server/routes/access-log/schema.ts'
import { auditListSchema } from '../../server/routes/audit/schema.ts'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })

test('audit events', async (group) => {
  const { db, ownerUrl, account } = await startApp(group)
  const owner = ownerSql(group, ownerUrl)
  const person = async () => await account(randomUUID())
  const [patient, reader, stranger, operator] = [await person(), await person(), await person(), await person()]
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  await giveAccess(db, acting(patient), acting(reader), patient.profileId, { level: 'read_only' })
  const documentId = String((await patient.upload({ bytes: pdf('a letter') })).body['shell_file_id'])
  const shared = { patient_id: patient.profileId, event: 'document_shared', document_id: documentId }
  const report = (who: TestAccount, ...events: readonly object[]) => who.post('/audit/events', { events })
  const path = `/audit/events?patient_id=${patient.profileId}`
  const eventsOf = async (who: TestAccount, query = path) => auditListSchema.parse((await who.get(query)).body)
  const logged = async () => Number((await owner`select count(*)::int as n from audit_log`)[0]?.['n'])

  await group.test(
    'what a reader’s client shared is in the patient’s log, with who it was and why they could',
    async (t) => {
      const sent = await reader.post('/audit/events', { events: [shared] }, { 'x-correlation-id': 'tap-7' })
      t.match(sent, { status: 201, body: { event_ids: [String] } })
      t.match((await eventsOf(patient)).events[0], {
        view: 'document_shared',
        reported: true,
        record_id: documentId,
        account_id: reader.accountId,
        actor_role: 'authenticated',
        correlation_id: 'tap-7',
      })
      const [row] = await owner`select ip_address, new_values from audit_log where correlation_id = 'tap-7'`
      t.match(row, { ip_address: /127\.0\.0\.1/, new_values: { basis: 'delegate' } })
      const { body } = await patient.get(`/profiles/${patient.profileId}/access-log?who=others`)
      t.match(accessLogSchema.parse(body).entries[0], { what: { view: 'document_shared' }, why: { basis: 'delegate' } })
    },
  )

  await group.test('a client says nothing but a word of the list and ids', async (t) => {
    const before = await logged()
    for (const wrong of [
      { ...shared, event: 'document_eaten' },
      { ...shared, note: 'has diabetes' },
      { ...shared, account_id: stranger.accountId },
      { ...shared, document_id: undefined },
      { ...shared, event: 'record_shared' },
    ])
      t.match(await report(patient, shared, wrong), { status: 400, body: { code: 'invalid_request' } })
    t.equal((await report(patient)).status, 400)
    t.equal(await logged(), before, 'all are written, or none')
  })

  await group.test('nobody reports about, or reads, what is not open to them', async (t) => {
    const before = await logged()
    const nothing = { ...(await report(stranger, { ...shared, patient_id: randomUUID() })).body, correlation_id: 0 }
    for (const event of [shared, { ...shared, patient_id: stranger.profileId }]) {
      const { status, body } = await report(stranger, event)
      t.equal(status, 404)
      t.same({ ...body, correlation_id: 0 }, nothing)
    }
    for (const who of [stranger, reader]) t.match(await who.get(path), { status: 404, body: { code: 'not_found' } })
    t.equal((await stranger.get('/audit/events')).status, 404)
    t.equal(await logged(), before)
  })

  await group.test('an operator reads the audit of anybody, and that is in it', async (t) => {
    t.ok((await eventsOf(operator)).events.length > 1)
    t.match((await eventsOf(patient)).events[0], {
      resource: 'audit_log',
      view: 'audit_events',
      account_id: operator.accountId,
    })
    t.ok((await eventsOf(operator, '/audit/events')).events.some((event) => event.patient_id === stranger.profileId))
  })

  await group.test('the list comes page by page, each row once', async (t) => {
    const whole = await eventsOf(patient, `${path}&limit=200`)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await eventsOf(patient, `${path}&limit=3${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.events.map(({ id }) => id))
      cursor = page.next_cursor
    }
    t.ok(seen.length > 3)
    t.same(
      seen,
      whole.events.map(({ id }) => id),
    )
    t.equal((await patient.get(`${path}&cursor=abc`)).status, 400)
  })
})

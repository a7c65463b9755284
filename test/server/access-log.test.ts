import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { accessLogSchema } from '../../server/routes/access-log/schema.ts'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'
import { breakGlassOf, glassReason, letClinicianIn } from '../support/grounds.ts'
import { pdf } from '../support/multipart.ts'
import { eventually } from '../support/signals.ts'

const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })

test('a person reads who looked at a document, when and why', async (t) => {
  const server = await startApp(t)
  const owner = ownerSql(t, server.ownerUrl)
  const [person, doctor, helper] = [
    await server.account(randomUUID()),
    await server.account(randomUUID()),
    await server.account(randomUUID()),
  ]
  const id = String((await person.upload({ bytes: pdf('seen') })).body['shell_file_id'])
  await owner`insert into account_roles (account_id, role) values (${helper.accountId}, 'operator')`
  const approved = { doctor: acting(doctor), by: acting(person), patientId: person.profileId }
  await letClinicianIn(server.db, acting(helper), approved)
  await breakGlassOf(server.db, acting(helper), person.profileId)
  for (const who of [doctor, helper]) t.equal((await who.get(`/documents/${id}`)).status, 200)

  const path = `/profiles/${person.profileId}/access-log?who=others`
  const { entries, next_cursor: cursor } = await eventually(async () => {
    const log = accessLogSchema.parse((await person.get(path)).body)
    if (log.entries.filter(({ what }) => what.operation === 'SELECT').length < 2) throw new Error('not yet')
    return log
  })
  const what = { resource: 'shell_files', view: 'document', record_id: id, operation: 'SELECT' }
  t.match(entries, [
    {
      who: { kind: 'account', on_behalf_of: null },
      why: { basis: 'break_glass', reason: 'emergency_care', explanation: glassReason },
      what,
      count: 1,
    },
    {
      who: { kind: 'clinician', name: 'Dr Ada Hart' },
      why: { basis: 'provider', reason: 'second_opinion', explanation: null, shared_by: null },
      what,
      count: 1,
    },
    ...entries.slice(2),
  ])
  t.equal(cursor, null)
  for (const who of [doctor, helper])
    t.equal((await who.get(path)).status, 404, 'which is theirs to know, and nobody else’s')
})

test('the log comes page by page, each entry once, to owners alone', async (t) => {
  const server = await startApp(t)
  const [person, friend] = [await server.account(randomUUID()), await server.account(randomUUID())]
  for (let n = 0; n < 5; n += 1) await person.upload({ bytes: pdf(`letter ${n}`) })
  await giveAccess(server.db, acting(person), acting(friend), person.profileId, { level: 'full_access' })
  const path = `/profiles/${person.profileId}/access-log`
  const whole = accessLogSchema.parse((await person.get(`${path}?limit=200`)).body)
  t.equal(whole.entries.length, 8, 'the profile, five documents, an access that was given and taken')
  t.equal(whole.next_cursor, null)

  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = accessLogSchema.parse((await person.get(`${path}?limit=3${cursor && `&cursor=${cursor}`}`)).body)
    t.ok(page.entries.length <= 3)
    seen.push(...page.entries.map((entry) => entry.id))
    cursor = page.next_cursor
  }
  t.same(
    seen,
    whole.entries.map((entry) => entry.id),
  )

  t.match(
    await friend.get(path),
    { status: 404, body: { code: 'not_found' } },
    'a delegate may see the record, not this',
  )
  t.match(await person.get(`${path}?cursor=abc`), { status: 400, body: { code: 'invalid_request' } })
  t.match(await person.get(`${path}?who=nobody`), { status: 400, body: { errors: [{ path: 'who' }] } })
})

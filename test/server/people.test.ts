import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { grantListSchema } from '../../server/routes/access/schema.ts'
import { consentListSchema } from '../../server/routes/consents/schema.ts'
import { notificationListSchema } from '../../server/routes/notifications/schema.ts'
import { requestListSchema } from '../../server/routes/providers/schema.ts'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { clinicianOf, requestAccess } from '../support/clinicians.ts'
import { giveAccess } from '../support/factories.ts'

const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString()
const withoutId = (body: object) => ({ ...body, correlation_id: 0 })

test('people and access', async (group) => {
  const { db, ownerUrl, account } = await startApp(group)
  const owner = ownerSql(group, ownerUrl)
  const person = async () => await account(randomUUID())
  const patient = await person()
  const stranger = await person()
  const reader = await person()
  const operator = await person()
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  const reading = await giveAccess(db, acting(patient), acting(reader), patient.profileId, { level: 'read_only' })
  const access = `/profiles/${patient.profileId}/access`
  const consents = `/profiles/${patient.profileId}/consents`
  const grantsOf = async (who: TestAccount, path = access) => grantListSchema.parse((await who.get(path)).body)

  /** A clinician has asked for the record of the patient; what they see of it has this id. */
  const asked = async () => {
    const clinician = await clinicianOf(db, acting(operator))
    await requestAccess(db, clinician, patient.profileId, { level: 'read_write', resources: ['document', 'clinical'] })
    const { body } = await patient.get(`/providers/requests?patient_id=${patient.profileId}&limit=1`)
    return String(requestListSchema.parse(body).requests[0]?.id)
  }

  await group.test('access is offered, opens nothing, is accepted, opens the record, and is taken away', async (t) => {
    const carer = await person()
    const offered = await patient.post(access, {
      account_id: carer.accountId,
      level: 'read_write',
      ends_at: tomorrow(),
    })
    t.match(offered, { status: 201, body: { status: 'offered', level: 'read_write', granted_by: patient.accountId } })
    const id = String(offered.body['id'])
    t.equal((await carer.get(`/profiles/${patient.profileId}`)).status, 404)
    t.match((await grantsOf(carer)).grants, [{ id, status: 'offered' }], 'but the offer is seen')
    t.equal((await patient.post(`${access}/${id}/accept`, {})).status, 404, 'nobody takes it for somebody else')

    t.match(await carer.post(`${access}/${id}/accept`, {}), { status: 200, body: { status: 'active' } })
    t.match(await carer.post(`${access}/${id}/accept`, {}), { status: 200 }, 'twice is once')
    t.equal((await carer.get(`/profiles/${patient.profileId}`)).status, 200)

    t.equal((await patient.remove(`${access}/${id}`)).status, 204)
    t.equal((await carer.get(`/profiles/${patient.profileId}`)).status, 404)
    t.equal((await patient.remove(`${access}/${id}`)).status, 404, 'it is over')
    t.match((await grantsOf(patient)).grants[0], { id, status: 'revoked' }, 'and stays in the list')
  })

  await group.test('what cannot be given is refused', async (t) => {
    const other = await person()
    const give = (more: object) => patient.post(access, { account_id: other.accountId, level: 'read_only', ...more })
    t.match(await give({ level: 'king' }), { status: 400, body: { errors: [{ path: 'level' }] } })
    t.match(await give({ ends_at: '2020-01-01T00:00:00Z' }), { status: 400, body: { code: 'invalid_request' } })
    t.match(await give({ account_id: patient.accountId }), { status: 400 }, 'oneself')
    t.match(await give({ account_id: randomUUID() }), { status: 400 }, 'nobody')
  })

  await group.test('the list comes page by page, each grant once', async (t) => {
    const whole = await grantsOf(patient)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await grantsOf(patient, `${access}?limit=1${cursor && `&cursor=${cursor}`}`)
      seen.push(...page.grants.map(({ id }) => id))
      cursor = page.next_cursor
    }
    t.ok(whole.grants.length > 1)
    t.same(
      seen,
      whole.grants.map(({ id }) => id),
    )
    t.match(await patient.get(`${access}?cursor=abc`), { status: 400, body: { code: 'invalid_request' } })
  })

  await group.test('consent is withdrawn and given again, in effect when it is answered', async (t) => {
    const before = consentListSchema.parse((await patient.get(consents)).body).consents
    t.match(
      before.find(({ purpose }) => purpose === 'outside_ai'),
      { holds: true, decision: null, decided_at: null },
    )
    const put = (body: object) => patient.put(`${consents}/outside_ai`, body)
    t.match(await put({ decision: 'withdrawn' }), { status: 200, body: { holds: false, decided_at: String } })
    const given = { decision: 'granted', expires_at: tomorrow(), policy_version: '2026-1' }
    t.match(await put(given), { status: 200, body: { holds: true, ...given, capacity: 'self' } })
    t.match(await put({ decision: 'granted', expires_at: '2020-01-01T00:00:00Z' }), { status: 400 })
    t.match(await put({ decision: 'granted', policy_version: 'free text' }), { status: 400 })
    t.match(await patient.put(`${consents}/selling`, { decision: 'granted' }), { status: 400 })
  })

  await group.test('a clinician is let in to less than they asked for, and is out again', async (t) => {
    const id = await asked()
    const approve = (body: object) => patient.post(`/providers/requests/${id}/approve`, body)
    const narrowed = { level: 'read_only', resources: ['clinical'] }
    t.match(await approve({ ends_at: '2020-01-01T00:00:00Z' }), { status: 400 })
    t.match(await approve({ ends_at: tomorrow(), narrowed }), {
      status: 200,
      body: { status: 'approved', ...narrowed },
    })
    t.match(await approve({ ends_at: tomorrow() }), { status: 409, body: { code: 'request_not_open' } })
    const revoke = () => patient.post(`/providers/requests/${id}/revoke`, {})
    t.match(await revoke(), { status: 200, body: { status: 'revoked' } })
    t.match(await revoke(), { status: 409, body: { code: 'request_not_open' } })
  })

  await group.test('a clinician is told no', async (t) => {
    const path = `/providers/requests/${await asked()}/decline`
    t.match(await patient.post(path, {}), { status: 200, body: { status: 'declined' } })
    t.match(await patient.post(path, {}), { status: 409 })
  })

  await group.test('what one was told is read once, and is nobody else’s', async (t) => {
    await asked()
    const told = async (which: string) =>
      notificationListSchema.parse((await patient.get(`/notifications?which=${which}`)).body).notifications
    const [newest] = await told('unread')
    t.match(newest, { kind: 'provider_access_requested', patient_id: patient.profileId, read_at: null })
    const path = `/notifications/${newest?.id}/read`
    t.equal((await stranger.post(path, {})).status, 404)
    t.equal((await patient.post(path, {})).status, 204)
    t.notOk((await told('unread')).some(({ id }) => id === newest?.id))
    t.match((await told('all'))[0], { id: newest?.id, read_at: String })
    t.same((await stranger.get('/notifications')).body, { notifications: [], next_cursor: null })
  })

  await group.test('a stranger who knows all ids is told what is told of nothing', async (t) => {
    const request = await asked()
    const asking = (profileId: string, grantId: string, requestId: string) => ({
      'GET access': stranger.get(`/profiles/${profileId}/access`),
      'POST access': stranger.post(`/profiles/${profileId}/access`, {
        account_id: reader.accountId,
        level: 'read_only',
      }),
      'POST accept': stranger.post(`/profiles/${profileId}/access/${grantId}/accept`, {}),
      'DELETE access': stranger.remove(`/profiles/${profileId}/access/${grantId}`),
      'GET consents': stranger.get(`/profiles/${profileId}/consents`),
      'PUT consent': stranger.put(`/profiles/${profileId}/consents/outside_ai`, { decision: 'granted' }),
      'GET requests': stranger.get(`/providers/requests?patient_id=${profileId}`),
      'POST approve': stranger.post(`/providers/requests/${requestId}/approve`, { ends_at: tomorrow() }),
      'POST decline': stranger.post(`/providers/requests/${requestId}/decline`, {}),
      'POST revoke': stranger.post(`/providers/requests/${requestId}/revoke`, {}),
    })
    const nobodys = asking(randomUUID(), randomUUID(), randomUUID())
    for (const [name, answer] of Object.entries(asking(patient.profileId, reading, request))) {
      const { status, body } = await answer
      const missing = await nobodys[name as keyof typeof nobodys]
      t.equal(status, 404, name)
      t.same(withoutId(body), withoutId(missing.body), `${name} leaks no existence`)
    }
    t.equal((await patient.get(`/profiles/${stranger.profileId}/access/${reading}`)).status, 404)
    t.match((await grantsOf(reader)).grants, [{ id: reading, status: 'active' }], 'nothing has changed')
  })

  await group.test('who may only read sees their own access, decides nothing, and may leave', async (t) => {
    const request = await asked()
    t.match((await grantsOf(reader)).grants, [{ id: reading }])
    t.equal((await grantsOf(reader)).grants.length, 1)
    const body = { account_id: stranger.accountId, level: 'read_only' }
    t.match(await reader.post(access, body), { status: 403, body: { code: 'forbidden' } })
    t.match(await reader.get(consents), { status: 403 })
    t.match(await reader.put(`${consents}/outside_ai`, { decision: 'denied' }), { status: 403 })
    t.match((await reader.get(`/providers/requests?patient_id=${patient.profileId}`)).body, { requests: [] })
    t.match(await reader.post(`/providers/requests/${request}/decline`, {}), { status: 404 })
    t.equal((await reader.remove(`${access}/${reading}`)).status, 204)
    t.equal((await reader.get(`/profiles/${patient.profileId}`)).status, 404)
  })
})

import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, ask, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { completeStages, fillRecord, giveAccess, holdForReview } from '../support/factories.ts'
import { pdf, uploadForm } from '../support/multipart.ts'

test('what belongs to somebody', async (group) => {
  const { db, account } = await startApp(group)
  const owner = await account(randomUUID())
  const stranger = await account(randomUUID())
  const bytes = pdf('private')
  const id = String((await owner.upload({ bytes, key: 'owners-key' })).body['shell_file_id'])
  await completeStages(db, id, ['security_scan'])
  await fillRecord(db, { id, patientId: owner.profileId })
  const [job] = await serve<{ n: string }>(db, sql`select count(*) as n from public.job_queue`)

  // Everything that names somebody else's profile or document, with a body that would do if it were one's own.
  const asking = (who: TestAccount, documentId: string, profileId: string) => ({
    'GET profile': who.get(`/profiles/${profileId}`),
    'PATCH profile': who.patch(`/profiles/${profileId}`, { display_name: 'Mine' }),
    'GET documents': who.get(`/documents?patient_id=${profileId}`),
    'GET document': who.get(`/documents/${documentId}`),
    'GET content': who.get(`/documents/${documentId}/content`),
    'GET part of content': who.get(`/documents/${documentId}/content`, { range: 'bytes=0-1' }),
    'GET pages': who.get(`/documents/${documentId}/pages`),
    'GET image': who.get(`/documents/${documentId}/pages/1/image`),
    'GET words': who.get(`/documents/${documentId}/pages/1/words`),
    'GET text': who.get(`/documents/${documentId}/text`),
    'GET facts': who.get(`/documents/${documentId}/facts`),
    'GET narratives': who.get(`/documents/${documentId}/narratives`),
    'GET narratives of a person': who.get(`/profiles/${profileId}/narratives`),
    'GET events': who.get(`/documents/${documentId}/events`),
    'GET access log': who.get(`/profiles/${profileId}/access-log`),
    'GET usage': who.get(`/usage?patient_id=${profileId}`),
    'GET usage check': who.get(`/usage/check?patient_id=${profileId}&bytes=1`),
    'POST identity review': who.post(`/documents/${documentId}/identity-review`, { decision: 'accepted' }),
    'GET usage history': who.get(`/usage/history?patient_id=${profileId}`),
    'DELETE document': who.remove(`/documents/${documentId}`),
    'POST restore': who.post(`/documents/${documentId}/restore`, {}),
    'POST process': who.post('/api/process-document', { shell_file_id: documentId }),
    'POST upload': who.upload({ form: uploadForm(profileId, bytes) }),
    'POST upload with the key of its owner': who.upload({ form: uploadForm(profileId, bytes), key: 'owners-key' }),
  })

  await group.test('is not there for a stranger, in the same words as what does not exist', async (t) => {
    const theirs = asking(stranger, id, owner.profileId)
    const nobodys = asking(stranger, randomUUID(), randomUUID())
    for (const [name, answer] of Object.entries(theirs)) {
      const { status, body } = await answer
      t.equal(status, 404, name)
      const missing = await nobodys[name as keyof typeof nobodys]
      t.same({ ...body, correlation_id: 0 }, { ...missing.body, correlation_id: 0 }, `${name} leaks no existence`)
    }
    t.same((await serve<{ n: string }>(db, sql`select count(*) as n from public.job_queue`))[0], job)
  })

  await group.test('does not show in the lists of a stranger', async (t) => {
    const { body } = await stranger.get('/profiles')
    t.match(body, { profiles: [{ id: stranger.profileId }] })
    t.equal(Array.isArray(body['profiles']) ? body['profiles'].length : 0, 1)
    t.same((await stranger.get(`/documents?patient_id=${stranger.profileId}`)).body, {
      documents: [],
      next_cursor: null,
    })
  })

  await group.test('opens with a grant that was accepted and closes with its end', async (t) => {
    const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    const carer = await account(randomUUID())
    const permissionId = await giveAccess(db, acting(owner), acting(carer), owner.profileId, { level: 'read_only' })
    for (const path of ['', '/facts', '/narratives', '/pages', '/content'])
      t.equal((await carer.get(`/documents/${id}${path}`)).status, 200, path)
    await ask(db, actorOf(owner.accountId), sql`select public.revoke_profile_access(${permissionId})`)
    for (const path of ['', '/facts', '/narratives', '/pages', '/content'])
      t.equal((await carer.get(`/documents/${id}${path}`)).status, 404, path)
  })

  await group.test('cannot be claimed by naming oneself its owner', async (t) => {
    const forged = await stranger.post('/profiles', {
      display_name: 'Mine',
      profile_type: 'child',
      id: owner.profileId,
      account_owner_id: owner.accountId,
    })
    t.equal(forged.status, 201)
    t.not(forged.body['id'], owner.profileId)
    t.match((await stranger.get(`/profiles/${String(forged.body['id'])}`)).body, { is_own: true })
    t.match(await stranger.post('/profiles', { display_name: 'Again', profile_type: 'self' }), {
      status: 409,
      body: { code: 'profile_exists' },
    })
  })

  await group.test('a held document is decided by its people alone', async (t) => {
    const held = String((await owner.upload({ bytes: pdf('held') })).body['shell_file_id'])
    await holdForReview(db, held, owner.profileId)
    t.equal((await stranger.post(`/documents/${held}/identity-review`, { decision: 'accepted' })).status, 404)
    t.match((await owner.get(`/documents/${held}`)).body, { status: 'needs_review' })
  })
})

test('profiles', async (t) => {
  const { account } = await startApp(t)
  const parent = await account(randomUUID())
  const made = await parent.post('/profiles', {
    display_name: 'Kim',
    full_name: 'Kim Alex Doe',
    profile_type: 'child',
    relationship: 'child',
    date_of_birth: '2019-02-28',
  })
  t.equal(made.status, 201)
  t.equal(made.headers.get('location'), `/profiles/${String(made.body['id'])}`)
  t.match(made.body, {
    display_name: 'Kim',
    full_name: 'Kim Alex Doe',
    profile_type: 'child',
    date_of_birth: '2019-02-28',
    is_own: true,
  })
  t.same((await parent.get(`/profiles/${String(made.body['id'])}`)).body, made.body)

  const bad = [
    ['display_name', { display_name: '', profile_type: 'child' }],
    ['profile_type', { display_name: 'Kim', profile_type: 'robot' }],
    ['relationship', { display_name: 'Kim', profile_type: 'child', relationship: 'boss' }],
    ['date_of_birth', { display_name: 'Kim', profile_type: 'child', date_of_birth: '2019-02-30' }],
    ['date_of_birth', { display_name: 'Kim', profile_type: 'child', date_of_birth: '2999-01-01' }],
    ['time_zone', { display_name: 'Kim', profile_type: 'child', time_zone: 'Mars/Olympus' }],
  ] as const
  for (const [path, body] of bad) {
    t.match(
      await parent.post('/profiles', body),
      { status: 400, body: { code: 'invalid_request', errors: [{ path }] } },
      path,
    )
  }
})

test('what is said about a person', async (group) => {
  const { db, account } = await startApp(group)
  const parent = await account(randomUUID())
  const path = `/profiles/${parent.profileId}`

  await group.test('is changed field by field by the account that it belongs to', async (t) => {
    const before = (await parent.get(path)).body
    const named = await parent.patch(path, { full_name: 'Robin Doe', date_of_birth: '1980-04-01' })
    t.match(named, { status: 200, body: { full_name: 'Robin Doe', date_of_birth: '1980-04-01' } })
    t.equal(named.body['display_name'], before['display_name'], 'what is left out stays')
    t.match(await parent.patch(path, { full_name: null }), { status: 200, body: { full_name: null } })
    t.match((await parent.get(path)).body, { full_name: null, date_of_birth: '1980-04-01', profile_type: 'self' })
  })

  await group.test('is not changed to nonsense, nor by nothing', async (t) => {
    const bad = [
      {},
      { profile_type: 'child' },
      { display_name: null },
      { display_name: ' ' },
      { date_of_birth: '2999-01-01' },
    ]
    for (const body of bad) {
      t.match(await parent.patch(path, body), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(body))
    }
  })

  await group.test('is not changed by who was let in to care', async (t) => {
    const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    const carer = await account(randomUUID())
    await giveAccess(db, acting(parent), acting(carer), parent.profileId, { level: 'full_access' })
    t.match(await carer.patch(path, { full_name: 'Other' }), { status: 403, body: { code: 'forbidden' } })
    t.equal((await carer.get(path)).body['full_name'], null)
  })
})

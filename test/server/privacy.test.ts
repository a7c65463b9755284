import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { ask, startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { openArchive } from '../support/archive.ts'
import { ownerSql } from '../support/actors.ts'
import { purge } from '../support/purge.ts'
import { stageRunner } from '../support/stage-runner.ts'

const houseOf = (t: Parameters<typeof ownerSql>[0], { db, ownerUrl, store }: TestApp) => ({
  db,
  owner: ownerSql(t, ownerUrl),
  store,
})

test('a person asks for everything, follows it, and fetches it as one archive', async (t) => {
  const app = await startApp(t)
  const runner = await stageRunner(t, app.db, { store: app.store })
  const person = await app.account(randomUUID())
  const path = `/profiles/${person.profileId}`
  t.same((await person.get(`${path}/exports`)).body, { exports: [] })

  const asked = await person.post(`${path}/export`, {})
  t.match(asked, { status: 202, body: { status: 'requested', patient_id: person.profileId, job_id: String } })
  const id = String(asked.body['export_id'])
  const content = asked.headers.get('location') ?? ''
  t.equal(content, `${path}/exports/${id}/content`)
  t.match(await person.post(`${path}/export`, {}), { status: 202, body: { export_id: id } })
  const early = await person.get(content)
  t.match(early, { status: 409, body: { code: 'export_not_ready' } })
  t.ok(early.headers.get('retry-after'))

  await runner.runAll()
  t.match(await person.get(`${path}/exports`), {
    status: 200,
    body: { exports: [{ export_id: id, status: 'ready', size_bytes: Number, sha256: String, expires_at: String }] },
  })
  const fetched = await fetch(app.url + content, { headers: person.headers })
  t.equal(fetched.status, 200)
  t.equal(fetched.headers.get('content-type'), 'application/zip')
  t.equal(fetched.headers.get('cache-control'), 'private, no-store')
  t.match(fetched.headers.get('content-disposition'), /^attachment; filename="exora-export-\d{4}-\d\d-\d\d\.zip"$/)
  const bytes = Buffer.from(await fetched.arrayBuffer())
  t.equal(fetched.headers.get('content-length'), String(bytes.length))
  const archive = openArchive(bytes)
  t.match(archive.rows('profile'), [{ id: person.profileId }])

  const { owner } = houseOf(t, app)
  await owner`update data_exports set expires_at = now()`
  t.match(await person.get(content), { status: 410, body: { code: 'export_gone' } })
  await owner`update data_exports set status = 'failed'`
  t.match(await person.get(content), { status: 410, body: { code: 'export_gone' } })
})

test('an export is fetched by nobody else, nor at another person', async (t) => {
  const app = await startApp(t)
  const [person, stranger] = [await app.account(randomUUID()), await app.account(randomUUID())]
  const id = String((await person.post(`/profiles/${person.profileId}/export`, {})).body['export_id'])
  const at = (profileId: string) => `/profiles/${profileId}/exports/${id}/content`
  for (const path of [at(person.profileId), at(stranger.profileId), `/profiles/${person.profileId}/exports`])
    t.match(await stranger.get(path), { status: 404, body: { code: 'not_found' } })
  t.match(await stranger.post(`/profiles/${person.profileId}/export`, {}), { status: 404 })
  t.match(await person.get(at(stranger.profileId)), { status: 404 })
  t.match(await ask(app.url + at(person.profileId)), { status: 401 })

  const { owner } = houseOf(t, app)
  await owner`
    insert into profile_access_permissions (profile_id, account_id, permission_level, accepted_at)
    values (${person.profileId}, ${stranger.accountId}, 'owner', now())`
  t.match(await stranger.post(`/profiles/${person.profileId}/export`, {}), { status: 403, body: { code: 'forbidden' } })
  t.match(await stranger.get(at(person.profileId)), { status: 404 }, 'who sees that there is one may not have it')
})

test('an account is closed after its waiting period, or called off', async (t) => {
  const app = await startApp(t)
  const person = await app.account(randomUUID())
  t.match(await person.get('/account/closure'), { status: 200, body: { closure: null } })
  t.match(await person.post('/account/close/cancel', {}), { status: 409, body: { code: 'nothing_to_cancel' } })

  const asked = await person.post('/account/close', {})
  t.match(asked, { status: 202, body: { status: 'requested', due_at: String, cancelled_at: null } })
  const days = (Date.parse(String(asked.body['due_at'])) - Date.parse(String(asked.body['requested_at']))) / 86_400_000
  t.equal(days, 30)
  t.match(await person.post('/account/close', {}), { body: { closure_id: asked.body['closure_id'] } })
  t.match(await person.get('/account/closure'), { body: { closure: { status: 'requested' } } })
  t.match(await person.get(`/documents?patient_id=${person.profileId}`), { status: 200 }, 'reading goes on')

  t.match(await person.post('/account/close/cancel', {}), { status: 200, body: { status: 'cancelled' } })
  t.match(await person.get('/account/closure'), { body: { closure: { status: 'cancelled', cancelled_at: String } } })
})

test('a token that outlives its account finds nobody and makes nobody', async (t) => {
  const app = await startApp(t)
  const house = houseOf(t, app)
  const person = await app.account(randomUUID())
  const closureId = String((await person.post('/account/close', {})).body['closure_id'])
  await house.owner`update account_closures set due_at = now()`
  await purge(house, closureId)

  // This server has seen the account a moment ago and does not ask again yet.
  t.match(await person.get('/profiles'), { status: 200, body: { profiles: [] } })
  const child = { display_name: 'Ottilie', profile_type: 'child' }
  t.match(await person.post('/profiles', child), { status: 401, body: { code: 'account_closed' } })
  t.match(await person.post('/account/close', {}), { status: 401, body: { code: 'account_closed' } })

  const other = await startApp(t, { db: () => app.db })
  const answer = await ask(`${other.url}/profiles`, { headers: person.headers })
  t.match(answer, { status: 401, body: { code: 'account_closed' } })
  t.equal((await house.owner`select from user_profiles where erased_at is null`).length, 0)
})

test('an embedded account that is erased can sign in no more, and its address is free again', async (t) => {
  const app = await startApp(t, { accounts: 'embedded' })
  const house = houseOf(t, app)
  const login = { email: 'wilhelmina@example.test', password: 'correct horse', name: 'Wilhelmina' }
  const send = (path: string, body: unknown, token?: string) =>
    ask(app.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    })
  const signedUp = await send('/auth/sign-up/email', login)
  const session = String(signedUp.body['token'])
  const got = await ask(`${app.url}/auth/token`, { headers: { authorization: `Bearer ${session}` } })
  const token = String(got.body['token'])
  const closed = await send('/account/close', {}, token)
  t.equal(closed.status, 202)
  await house.owner`update account_closures set due_at = now()`
  await purge(house, String(closed.body['closure_id']))

  t.match(await send('/auth/sign-in/email', login), { status: 401, body: { code: 'sign_in_refused' } })
  t.equal((await ask(`${app.url}/auth/token`, { headers: { authorization: `Bearer ${session}` } })).status, 401)
  const other = await startApp(t, { accounts: 'embedded', db: () => app.db })
  t.match(await ask(`${other.url}/profiles`, { headers: { authorization: `Bearer ${token}` } }), {
    status: 401,
    body: { code: 'account_closed' },
  })
  t.equal((await send('/auth/sign-up/email', login)).status, 200)
})

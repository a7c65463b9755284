import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { test } from 'tap'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import { beginStage, completeStages, fillRecord, finishStage, giveAccess, holdForReview } from '../support/factories.ts'
import { pdf, uploadForm } from '../support/multipart.ts'
import { recordApi } from './api-recorder.ts'
import type { ApiRecorder, Request } from './api-recorder.ts'

/** Declared statuses that are not provoked here, and why; a route and status, or a status everywhere. */
const elsewhere: Readonly<Record<string, string>> = {
  'POST /auth/sign-out 401':
    'better-auth ends a session that is over without a word; only a version that minds would answer so',
  '500': 'a mistake of ours, or a store that says no: test/platform/errors.test.ts, test/platform/storage',
  '503':
    'a database, store or trace that is away, too many at once: test/server/upload-crowd.test.ts, read-traces.test.ts, events.test.ts',
  '429': 'signing in is not limited here, so that it can be tried: test/server/accounts.test.ts',
  'GET /profiles/{id}/exports/{export_id}/content 200':
    'needs a worker that makes the archive: test/server/privacy.test.ts',
}

test('the description of the API and the API agree', async (t) => {
  const server = await startApp(t, {
    accounts: 'embedded',
    env: { UPLOAD_MAX_MB: '1' },
    renderPage: async () => Buffer.from('a picture'),
  })
  const described: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
  const api = recordApi(server.url, described)
  const owner = ownerSql(t, server.ownerUrl)

  const person = await signUp(api, 'ann@example.test')
  const carer = await signUp(api, 'carer@example.test')
  const operator = await signUp(api, 'operator@example.test')
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  await giveAccess(server.db, person, carer, person.profileId)
  const { token, profileId } = person
  const asPerson = (name: string, request: Request = {}) => api.ask(name, { token, ...request })
  const upload = async (form = uploadForm(profileId, pdf(randomUUID())), key?: string) =>
    await asPerson('POST /documents/upload', {
      body: form,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  const uploaded = async () => String((await upload()).body['shell_file_id'])

  await refuseAll(api, token)
  await signInAndOut(api)

  // Documents.
  const read = await uploaded()
  await completeStages(server.db, read, ['security_scan'])
  await fillRecord(server.db, { id: read, patientId: profileId })
  const path = { id: read, n: '1' }
  const query = `?patient_id=${profileId}`
  for (const name of ['', '/pages', '/facts', '/text', '/pages/{n}/words', '/pages/{n}/image', '/content', '/events'])
    await asPerson(`GET /documents/{id}${name}`, { path })
  await asPerson('GET /documents', { query })
  await asPerson('GET /documents/{id}/events', { path, headers: { accept: 'image/png' } })
  const etags = { image: '', content: '' }
  for (const [name, route] of [
    ['image', '/pages/{n}/image'],
    ['content', '/content'],
  ] as const)
    etags[name] = (await asPerson(`GET /documents/{id}${route}`, { path })).headers.get('etag') ?? ''
  await asPerson('GET /documents/{id}/pages/{n}/image', { path, headers: { 'if-none-match': etags.image } })
  await asPerson('GET /documents/{id}/content', { path, headers: { 'if-none-match': etags.content } })
  for (const range of ['bytes=0-1', 'bytes=99999-'])
    await asPerson('GET /documents/{id}/content', { path, headers: { range } })
  const unread = { id: await uploaded(), n: '1' }
  const failed = { id: await uploaded(), n: '1' }
  await beginStage(server.db, failed.id, 'security_scan')
  await finishStage(server.db, failed.id, 'security_scan', 'failed')
  for (const one of [unread, failed]) {
    await asPerson('GET /documents/{id}/content', { path: one })
    await asPerson('GET /documents/{id}/pages/{n}/image', { path: one })
  }
  const held = { id: await uploaded() }
  await holdForReview(server.db, held.id, profileId)
  const decision = { json: { decision: 'accepted' } }
  await api.ask('POST /documents/{id}/identity-review', { token: carer.token, path: held, ...decision })
  for (const one of [held, { id: unread.id }])
    await asPerson('POST /documents/{id}/identity-review', { path: one, ...decision })
  await owner`update job_queue set status = 'cancelled' where shell_file_id = ${failed.id}`
  await asPerson('POST /api/process-document', { json: { shell_file_id: failed.id } })
  await asPerson('POST /api/process-document', { json: { shell_file_id: failed.id } })
  await api.ask('POST /api/process-document', { token: carer.token, json: { shell_file_id: read } })

  // Uploads and the bin.
  const bytes = pdf('twice')
  const binned = { id: String((await upload(uploadForm(profileId, bytes), 'a key')).body['shell_file_id']) }
  await upload(uploadForm(profileId, bytes), 'a key')
  await upload(uploadForm(profileId, bytes))
  await upload(uploadForm(profileId, pdf('other')), 'a key')
  await upload(uploadForm(profileId, Buffer.from('MZ\0\0')))
  await upload(new FormData())
  await upload(uploadForm(randomUUID(), bytes))
  await asPerson('POST /documents/upload', {
    body: 'x',
    headers: { 'content-length': '1', 'content-type': 'text/plain' },
  })
  await upload(uploadForm(profileId, Buffer.alloc(server.config.uploads.maxBytes + 100_000)))
  await owner`
    insert into idempotency_keys (account_id, profile_id, idempotency_key, attempt_token, locked_until, expires_at)
    select ${person.accountId}, ${profileId}, 'held', ${randomUUID()}, now() + interval '1 hour', now() + interval '1 day'`
  await upload(undefined, 'held')
  await api.ask('POST /documents/upload', { token: carer.token, body: uploadForm(profileId, pdf('x')) })
  for (const name of ['DELETE /documents/{id}', 'POST /documents/{id}/restore'])
    await api.ask(name, { token: carer.token, path: binned })
  await asPerson('DELETE /documents/{id}', { path: binned })
  await asPerson('POST /documents/{id}/restore', { path: binned })
  await asPerson('DELETE /documents/{id}', { path: binned })
  const again = await upload(uploadForm(profileId, bytes))
  await asPerson('POST /documents/{id}/restore', { path: binned })
  await asPerson('DELETE /documents/{id}', { path: { id: String(again.body['shell_file_id']) } })
  await upload(uploadForm(profileId, pdf('pages'), { estimated_pages: '100' }))
  await owner`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  await upload()
  await owner`
    insert into usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
    values (${person.accountId}, ${profileId}, 'file_uploaded', ${randomUUID()}, ${100 * 1_048_576}, current_date)`
  await asPerson('POST /documents/{id}/restore', { path: binned })

  // People, plans, privacy.
  const own = { id: profileId }
  for (const name of ['GET /profiles', 'GET /usage/plans', 'GET /usage/history', 'GET /account/closure'])
    await asPerson(name)
  await asPerson('POST /profiles', { json: { display_name: 'Child', profile_type: 'child' } })
  await asPerson('POST /profiles', { json: { display_name: 'Me', profile_type: 'self' } })
  await asPerson('GET /profiles/{id}', { path: own })
  for (const who of [token, carer.token])
    await api.ask('PATCH /profiles/{id}', { token: who, path: own, json: { display_name: 'Ann' } })
  await asPerson('GET /profiles/{id}/access-log', { path: own })
  await asPerson('GET /usage', { query })
  for (const who of [token, carer.token]) await api.ask('GET /usage/check', { token: who, query: `${query}&bytes=1` })
  const change = { json: { account_id: person.accountId, plan_type: 'premium' } }
  for (const who of [operator.token, token]) await api.ask('PUT /usage/subscription', { token: who, ...change })
  const nobody = { json: { account_id: randomUUID(), plan_type: 'premium' } }
  await api.ask('PUT /usage/subscription', { token: operator.token, ...nobody })
  const made = await asPerson('POST /profiles/{id}/export', { path: own })
  await api.ask('POST /profiles/{id}/export', { token: carer.token, path: own })
  await asPerson('GET /profiles/{id}/exports', { path: own })
  const archive = { path: { ...own, export_id: String(made.body['export_id']) } }
  await asPerson('GET /profiles/{id}/exports/{export_id}/content', archive)
  await owner`update data_exports set status = 'failed' where id = ${archive.path.export_id}`
  await asPerson('GET /profiles/{id}/exports/{export_id}/content', archive)
  for (const name of ['POST /account/close', 'POST /account/close/cancel', 'POST /account/close/cancel'])
    await asPerson(name)
  for (const name of ['GET /health', 'GET /ready', 'GET /metrics']) await api.ask(name)

  t.same(api.breaches, [], 'every answer is one that was declared')
  t.same(missing(api), [], 'every declared status came, or says where it comes')
  const untyped = [...api.operations].flatMap(([name, { parameters }]) =>
    parameters.filter(({ schema }) => schema?.['type'] === undefined).map((one) => `${name} ${one.in} ${one.name}`),
  )
  t.same(untyped, [], 'every parameter has a type')
})

/**
 * Every route without a token, with ids of nobody, with ids that are none: whatever it declares, so that what it leaves
 * out shows. What would sign out or close the account is asked without a token alone.
 */
async function refuseAll(api: ApiRecorder, token: string): Promise<void> {
  const nobody = { id: randomUUID(), export_id: randomUUID(), n: '1' }
  for (const name of api.operations.keys()) {
    const [method = '', route = ''] = name.split(' ')
    if (route.startsWith('/auth/')) continue
    const hasBody = ['PATCH', 'POST', 'PUT'].includes(method) && route !== '/documents/upload'
    const json = hasBody ? { json: bodies[route] ?? {} } : {}
    const query = `?patient_id=${nobody.id}&bytes=1`
    await api.ask(name, { path: nobody, query, ...json })
    if (route.startsWith('/account/') || route === '/documents/upload') continue
    await api.ask(name, { token, path: nobody, query, ...json })
    await api.ask(name, { token, query: '?patient_id=x&months=x', ...(hasBody ? { json: [] } : {}) })
  }
}

const bodies: Readonly<Record<string, unknown>> = {
  '/documents/{id}/identity-review': { decision: 'accepted' },
  '/api/process-document': { shell_file_id: randomUUID() },
  '/profiles/{id}': { display_name: 'Nobody' },
}

const missing = (api: ApiRecorder) =>
  [...api.operations].flatMap(([name, { responses }]) =>
    Object.keys(responses)
      .filter((status) => !api.seen.has(`${name} ${status}`))
      .filter((status) => elsewhere[status] === undefined && elsewhere[`${name} ${status}`] === undefined)
      .map((status) => `${name} ${status}`),
  )

const password = 'correct horse battery'

async function signUp(api: ApiRecorder, email: string) {
  const up = await api.ask('POST /auth/sign-up/email', { json: { email, password, name: 'Ann' } })
  const { body } = await api.ask('GET /auth/token', { token: up.headers.get('set-auth-token') ?? '' })
  const token = String(body['token'])
  const accountId = String(decodeJwt(token).sub)
  const { body: listed } = await api.ask('GET /profiles', { token })
  const profiles = listed['profiles'] as { id: string }[]
  return { token, accountId, profileId: String(profiles[0]?.id), actor: actorOf(accountId) }
}

async function signInAndOut(api: ApiRecorder): Promise<void> {
  const email = 'ann@example.test'
  const taken = { email, password, name: 'Ann' }
  await api.ask('POST /auth/sign-up/email', { json: taken })
  for (const name of ['POST /auth/sign-up/email', 'POST /auth/sign-in/email']) await api.ask(name, { json: {} })
  await api.ask('POST /auth/sign-in/email', { json: { email, password: 'not this one' } })
  const { headers } = await api.ask('POST /auth/sign-in/email', { json: { email, password } })
  const session = { token: headers.get('set-auth-token') ?? '' }
  await api.ask('GET /auth/get-session', session)
  await api.ask('GET /auth/jwks')
  for (const who of [session, {}]) await api.ask('POST /auth/sign-out', { ...who, json: {} })
  await api.ask('GET /auth/token')
}

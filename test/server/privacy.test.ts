import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { ask, startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { openArchive } from '../support/archive.ts'
import { ownerSql } from '../support/actors.ts'
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

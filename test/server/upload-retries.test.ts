import { equal, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import { beginIdempotentRequest } from '../../db/queries/uploads.ts'
import type { Database } from '../../db/client.ts'
import type { RoleSessions } from '../../db/role-sessions.ts'
import { keepClaim, lockSeconds } from '../../server/routes/uploads/key-claim.ts'
import { actorOf, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { completeStages } from '../support/factories.ts'
import { encodeForm, formType, pdf, uploadForm } from '../support/multipart.ts'
import { openUpload } from '../support/open-upload.ts'
import { eventually } from '../support/signals.ts'

const countOf = async ({ db }: TestApp, table: string) => {
  const [row] = await serve<{ n: string }>(db, sql`select count(*) as n from ${sql.identifier(table)}`)
  return Number(row?.n)
}
const objectsOf = async ({ store }: TestApp) => (await Array.fromAsync(store.list())).length

test('repeating an upload', async (group) => {
  const server = await startApp(group)
  const { db, account } = server

  await group.test('the same upload under its key is answered as before and counted once', async (t) => {
    const parent = await account(randomUUID())
    const letter = { bytes: pdf('replay'), key: 'upload-7' }
    const first = await parent.upload(letter)
    const again = await parent.upload(letter)

    t.equal(first.status, 201)
    t.equal(first.headers.get('idempotent-replayed'), null)
    t.equal(again.status, 201)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    t.equal(again.headers.get('location'), first.headers.get('location'))
    t.same(again.body, first.body)
    t.match((await parent.get(`/usage?patient_id=${parent.profileId}`)).body, { usage: { shell_files: { used: 1 } } })
    const [jobs] = await serve<{ n: string }>(
      db,
      sql`select count(*) as n from public.job_queue where patient_id = ${parent.profileId}`,
    )
    t.equal(Number(jobs?.n), 1)
  })

  await group.test('the key may come as a field, before or behind the file, or under its other name', async (t) => {
    const parent = await account(randomUUID())
    const file = { file: pdf('field') }
    const me = { field: 'patient_id', value: parent.profileId }
    const key = { field: 'idempotency_key', value: 'in-a-field' }
    const send = (parts: Parameters<typeof encodeForm>[0], headers = {}) =>
      fetch(`${server.url}/documents/upload`, {
        method: 'POST',
        headers: { ...parent.headers, 'content-type': formType, ...headers },
        body: new Uint8Array(encodeForm(parts)),
      })
    const replays = [
      await send([key, me, file]),
      await send([me, file, key]),
      await send([file, key, me]),
      await send([me, file], { 'x-idempotency-key': 'in-a-field' }),
    ]
    t.same(
      replays.map(({ status, headers }) => [status, headers.get('idempotent-replayed')]),
      [
        [201, null],
        [201, 'true'],
        [201, 'true'],
        [201, 'true'],
      ],
    )
  })

  await group.test('a key used again for other bytes or other fields is refused', async (t) => {
    const parent = await account(randomUUID())
    await parent.upload({ bytes: pdf('mine'), key: 'reused' })
    const before = await objectsOf(server)
    for (const other of [
      { bytes: pdf('other'), key: 'reused' },
      { bytes: pdf('mine'), key: 'reused', fields: { note: 'another' } },
      { bytes: pdf('mine'), key: 'reused', query: '?keep_both=true' },
    ]) {
      t.match(await parent.upload(other), { status: 422, body: { code: 'idempotency_key_reused' } })
    }
    t.equal(await objectsOf(server), before)
  })

  await group.test('a key belongs to its account and its person', async (t) => {
    const parent = await account(randomUUID())
    const other = await account(randomUUID())
    const bytes = pdf('scope')
    await parent.upload({ bytes, key: 'shared' })
    const theirs = await other.upload({ bytes, key: 'shared' })
    t.equal(theirs.status, 201)
    t.equal(theirs.headers.get('idempotent-replayed'), null)
    const child = await parent.post('/profiles', { display_name: 'Kim', profile_type: 'child' })
    const form = uploadForm(String(child.body['id']), bytes)
    t.match(await parent.upload({ form, key: 'shared' }), { status: 201, body: { duplicate_of: null } })
  })

  await group.test('twenty at once are one document, and each is told so or told to wait', async (t) => {
    const parent = await account(randomUUID())
    const bytes = pdf('twenty')
    const before = [await objectsOf(server), await countOf(server, 'shell_files'), await countOf(server, 'job_queue')]
    const answers = await Promise.all(Array.from({ length: 20 }, () => parent.upload({ bytes, key: 'at once' })))

    const created = answers.filter(({ status }) => status === 201)
    t.ok(created.length >= 1)
    t.equal(new Set(created.map(({ body }) => body['shell_file_id'])).size, 1)
    for (const { status, body, headers } of answers.filter((answer) => answer.status !== 201)) {
      t.match({ status, body }, { status: 409, body: { code: 'idempotency_in_progress' } })
      t.ok(Number(headers.get('retry-after')) >= 1)
    }
    const after = [await objectsOf(server), await countOf(server, 'shell_files'), await countOf(server, 'job_queue')]
    t.same(
      after,
      before.map((count) => count + 1),
    )
    t.equal((await parent.upload({ bytes, key: 'at once' })).status, 201)
  })

  await group.test('twenty at once without a key are one document too', async (t) => {
    const parent = await account(randomUUID())
    const bytes = pdf('twenty without')
    const before = await objectsOf(server)
    const answers = await Promise.all(Array.from({ length: 20 }, () => parent.upload({ bytes })))
    t.equal(answers.filter(({ status }) => status === 201).length, 1)
    t.equal(answers.filter(({ status, body }) => status === 200 && body['duplicate_of'] !== null).length, 19)
    t.equal(await objectsOf(server), before + 1)
  })

  await group.test('an attempt that lives keeps its key, one that died loses it', async (t) => {
    const parent = await account(randomUUID())
    const letter = { bytes: pdf('died'), key: 'died' }
    const begin = (seconds: number) =>
      asActor(db, actorOf(parent.accountId), (tx) =>
        beginIdempotentRequest(tx, {
          profileId: parent.profileId,
          key: 'died',
          attemptToken: randomUUID(),
          lockSeconds: seconds,
        }),
      )
    await begin(60)
    t.match(await parent.upload(letter), { status: 409, body: { code: 'idempotency_in_progress' } })
    await serve(db, sql`update public.idempotency_keys set locked_until = now() where idempotency_key = 'died'`)
    t.match(await parent.upload(letter), { status: 201 })
  })

  await group.test('a slow attempt holds its key for as long as it takes, and no longer', async (t) => {
    const parent = await account(randomUUID())
    const actor = actorOf(parent.accountId)
    const claim = { profileId: parent.profileId, key: 'long', attemptToken: randomUUID() }
    await asActor(db, actor, (tx) => beginIdempotentRequest(tx, { ...claim, lockSeconds }))
    const lockOf = async () => {
      const [row] = await serve<{ at: string }>(
        db,
        sql`select locked_until::text as at from public.idempotency_keys where idempotency_key = 'long'`,
      )
      return row?.at ?? ''
    }
    const before = await lockOf()
    const renewing = keepClaim(db, actor, claim, 10)
    await eventually(async () => ok((await lockOf()) > before))
    await renewing.stop()
    const after = await lockOf()
    t.match(await parent.upload({ bytes: pdf('long'), key: 'long' }), { status: 409 })
    t.equal(await lockOf(), after)
  })

  await group.test('an attempt whose key was taken over registers nothing', async (t) => {
    const parent = await account(randomUUID())
    const before = await objectsOf(server)
    const form = encodeForm([{ field: 'patient_id', value: parent.profileId }, { file: pdf('slow') }])
    const slow = await openUpload(server, { ...parent.headers, 'idempotency-key': 'slow' }, form.byteLength)
    slow.write(form.subarray(0, -20))
    await eventually(async () => equal(await keysOf(server, 'slow'), 1))
    await serve(db, sql`update public.idempotency_keys set locked_until = now() where idempotency_key = 'slow'`)
    const quick = await parent.upload({ bytes: pdf('slow'), key: 'slow' })
    t.equal(quick.status, 201)

    slow.write(form.subarray(-20))
    const [answer] = await once(slow, 'data')
    t.match(String(answer), /^HTTP\/1.1 409 /)
    t.equal(await objectsOf(server), before + 1)
    slow.destroy()
  })

  await group.test('a connection that breaks leaves neither object nor key', async (t) => {
    const parent = await account(randomUUID())
    const before = await objectsOf(server)
    const form = encodeForm([
      { field: 'patient_id', value: parent.profileId },
      { file: Buffer.concat([pdf('broken'), Buffer.alloc(300_000, 65)]) },
    ])
    const socket = await openUpload(server, { ...parent.headers, 'idempotency-key': 'broken' }, form.byteLength)
    socket.write(form.subarray(0, 150_000))
    await eventually(async () => equal(await keysOf(server, 'broken'), 1))
    socket.destroy()
    await eventually(async () => equal(await keysOf(server, 'broken'), 0))
    t.equal(await objectsOf(server), before)
    t.match(await server.store.sweepTemporary({ olderThanMs: -1_000 }), { removed: 0 })
  })
})

test('when the answer of the database is lost after it has committed, the document is not', async (group) => {
  const line = { state: 'whole', fault: new Error('the connection was closed') }
  const server = await startApp(group, { db: (db) => loseNextRegistration(db, line) })
  const parent = await server.account(randomUUID())
  const faults = [
    { code: 'CONNECTION_CLOSED', status: 503 },
    { code: 'EHOSTUNREACH', status: 503 },
    { code: 'ERR_SSL_BAD_RECORD', status: 500 },
  ]
  for (const { code, status } of faults)
    await group.test(code, async (t) => {
      const letter = { bytes: pdf(`lost ${code}`), key: `lost ${code}` }
      Object.assign(line, { state: 'about to break', fault: Object.assign(new Error('gone'), { code }) })
      t.equal((await parent.upload(letter)).status, status)
      t.equal(line.state, 'broken')
      const again = await parent.upload(letter)
      t.equal(again.status, 201)
      t.equal(again.headers.get('idempotent-replayed'), 'true')
      const id = String(again.body['shell_file_id'])
      await completeStages(server.db, id, ['security_scan'])
      const content = await parent.get(`/documents/${id}/content`)
      t.equal(content.text, letter.bytes.toString('latin1'))
    })
})

test('when the answer to the opening is lost, the key is free at once', async (t) => {
  const line = { state: 'whole', fault: Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }) }
  const server = await startApp(t, { db: (db) => loseNextAnswer(db, line, async () => true) })
  const parent = await server.account(randomUUID())
  const letter = { bytes: pdf('lost opening'), key: 'lost opening' }
  line.state = 'about to break'
  t.match(await parent.upload(letter), { status: 503, body: { code: 'database_unavailable' } })
  t.equal((await parent.upload(letter)).status, 201)
})

type Line = { state: string; readonly fault: Error }

const loseNextRegistration = (db: Database, line: Line) => {
  let filesBefore = 0
  return loseNextAnswer(db, line, async () => {
    const [row] = await serve<{ n: string }>(db, sql`select count(*) as n from public.shell_files`)
    const isNew = Number(row?.n) > filesBefore
    filesBefore = Number(row?.n)
    return isNew
  })
}

/** Commits what an account has asked for, and then fails as a broken connection does. */
function loseNextAnswer(db: Database, line: Line, isMeant: () => Promise<boolean>): Database {
  const { accounts } = db
  if (accounts === null) throw new TypeError('no pooler stands before the database of a test')
  const ask: RoleSessions['ask'] = async (work) => {
    const answer = await accounts.ask(work)
    if (line.state !== 'about to break' || !(await isMeant())) return answer
    line.state = 'broken'
    throw line.fault
  }
  return { ...db, accounts: { ...accounts, ask } }
}

async function keysOf({ db }: TestApp, key: string): Promise<number> {
  const [row] = await serve<{ n: string }>(
    db,
    sql`select count(*) as n from public.idempotency_keys where idempotency_key = ${key}`,
  )
  return Number(row?.n)
}

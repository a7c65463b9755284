import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { actorOf, ask as askDatabase, ownerSql } from '../support/actors.ts'
import { ask, signToken, startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { openEvents } from '../support/event-stream.ts'
import { beginStage, giveAccess, offerAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })

test('an account follows all that it may read', async (group) => {
  const server = await startApp(group)
  const { db, account, url } = server
  const owner = ownerSql(group, server.ownerUrl)
  const parent = await account(randomUUID())
  const uploaded = async (who = parent) =>
    String((await who.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])
  const follow = (who: Pick<TestAccount, 'headers'>, after?: string | null) =>
    openEvents(`${url}/realtime`, { ...who.headers, ...(after ? { 'last-event-id': after } : {}) })
  const writeEvent = (sender: postgres.ISql, id: string, who: TestAccount, stage: string) =>
    sender`
      insert into public.shell_file_events (shell_file_id, patient_id, stage, stage_status, file_status)
      values (${id}, ${who.profileId}, ${stage}, 'running', 'processing')`
  const notify = () => owner`select pg_notify('exora_account_notifications', '')`

  await group.test('what happens to its documents, and nothing of what happens to others', async (t) => {
    const other = await account(randomUUID())
    const stream = await follow(parent)
    t.match(await stream.next(), { event: 'ready' })
    const theirs = await uploaded(other)
    const mine = await uploaded()
    t.match(await stream.next(), {
      event: 'file',
      data: { document_id: mine, patient_id: parent.profileId, file_status: 'uploaded', stage: null },
    })
    await beginStage(db, theirs, 'security_scan')
    await beginStage(db, mine, 'security_scan')
    t.match(await stream.next(), { event: 'stage', data: { document_id: mine, stage: 'security_scan' } })
    t.notOk(stream.text().includes(theirs) || stream.text().includes(other.profileId))
    await stream.close()
  })

  await group.test('also of people it is let in to later, and no longer once that is taken away', async (t) => {
    const carer = await account(randomUUID())
    const stream = await follow(carer)
    await stream.next()
    const permissionId = await giveAccess(db, acting(parent), acting(carer), parent.profileId)
    t.match(await stream.next(), { event: 'notification', data: { patient_id: parent.profileId } })
    const before = await uploaded()
    t.match(await stream.next(), { event: 'file', data: { document_id: before } })
    await askDatabase(db, actorOf(parent.accountId), sql`select public.revoke_profile_access(${permissionId})`)
    const after = await uploaded()
    const own = await uploaded(carer)
    const told = await nextOf(stream, 'file')
    t.equal(told?.data['document_id'], own)
    t.notOk(stream.text().includes(after))
    await stream.close()
  })

  await group.test('exactly once across a break, also what was begun before and committed after it', async (t) => {
    const id = await uploaded()
    const first = await follow(parent)
    await first.next()
    const isWritten = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const late = owner.begin(async (tx) => {
      await writeEvent(tx, id, parent, 'ocr')
      isWritten.resolve()
      await mayCommit.promise
    })
    await isWritten.promise
    await writeEvent(owner, id, parent, 'security_scan')
    await writeEvent(owner, id, parent, 'spatial_mapping')
    await notify()
    const told = await first.next()
    t.match(told, { data: { stage: 'security_scan' } }, 'the others are not waited for')
    await first.close()

    mayCommit.resolve()
    await late
    await writeEvent(owner, id, parent, 'pass1_find')
    const second = await follow(parent, told?.id)
    const missed = [await second.next(), await second.next(), await second.next()]
    t.same(new Set(missed.map((one) => one?.data['stage'])), new Set(['ocr', 'pass1_find', 'spatial_mapping']))
    t.match(await second.next(), { event: 'ready' }, 'and nothing more')
    await second.close()
    const third = await follow(parent, missed[2]?.id)
    t.match(await third.next(), { event: 'ready' }, 'what was told is not told again')
    await third.close()
  })

  await group.test('and nothing of what it missed while it had no access', async (t) => {
    const carer = await account(randomUUID())
    const permissionId = await giveAccess(db, acting(parent), acting(carer), parent.profileId)
    const stream = await follow(carer)
    const ready = await stream.next()
    await stream.close()
    const id = await uploaded()
    await askDatabase(db, actorOf(parent.accountId), sql`select public.revoke_profile_access(${permissionId})`)
    const again = await follow(carer, ready?.id)
    t.match(await again.next(), { event: 'ready' })
    t.notOk(again.text().includes(id))
    await again.close()
  })

  await group.test('what it is told itself', async (t) => {
    const friend = await account(randomUUID())
    const stream = await follow(friend)
    await stream.next()
    await offerAccess(db, acting(parent), acting(friend), parent.profileId)
    t.match(await stream.next(), { event: 'notification', data: { patient_id: parent.profileId, kind: String } })
    await stream.close()
  })

  await group.test('an id that is too old, or of another database, is answered with a reset', async (t) => {
    const stream = await follow(parent)
    const id = String((await stream.next())?.id)
    await stream.close()
    const [, ...rest] = id.split('~')
    const old = await follow(parent, ['1000', ...rest].join('~'))
    t.match(await old.next(), { event: 'reset', data: { reason: 'too_old' } })
    t.match(await old.next(), { event: 'ready' })
    await old.close()
    const foreign = await follow(parent, `${Math.floor(Date.now() / 1000)}~9000000000:9000000000:~~`)
    t.match(await foreign.next(), { event: 'reset', data: { reason: 'unknown' } })
    await foreign.close()
    for (const made of ['7', '1~5:4:~~', '1~5:9:9~~', "1~1:1:~~f1'", `1~1:1:~1:1:~x`])
      t.match(await parent.get('/realtime', { 'last-event-id': made }), { status: 400 }, made)
    t.match(await parent.get('/realtime', { accept: 'application/json' }), { status: 406 })
  })

  await group.test('nothing once the token is over', async (t) => {
    const token = await signToken(parent.accountId, { expires: '1s' })
    const stream = await follow({ headers: { authorization: `Bearer ${token}` } })
    await stream.next()
    t.equal(await stream.next(), null)
    // Requests may be as late as clocks differ, streams may not.
    const late = { authorization: `Bearer ${await signToken(parent.accountId, { expires: '-1s' })}` }
    t.match(await ask(`${url}/profiles`, { headers: late }), { status: 200 })
    t.match(await ask(`${url}/realtime`, { headers: late }), { status: 401 })
  })

  await group.test('and goes on when the connection to the database was lost in between', async (t) => {
    const stream = await follow(parent)
    await stream.next()
    await db.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`
    const id = await uploaded()
    t.match(await stream.next(), { data: { document_id: id } })
    await stream.close()
  })

  await group.test('but who reads nothing is dropped', async (t) => {
    const ready = await follow(parent)
    const id = String((await ready.next())?.id)
    await ready.close()
    const file = await uploaded()
    await owner`
      insert into public.shell_file_events (shell_file_id, patient_id, stage, stage_status, file_status)
      select ${file}, ${parent.profileId}, 'ocr', 'running', 'processing' from generate_series(1, 40000)`
    const accepted = once(server.app.server, 'connection')
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname).pause()
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    const [serverSide] = await accepted
    if (!(serverSide instanceof Socket)) throw new Error('no connection')
    const dropped = once(serverSide, 'close')
    socket.write(
      `GET /realtime HTTP/1.1\r\nhost: x\r\nlast-event-id: ${id}\r\nauthorization: ${parent.headers.authorization}\r\n\r\n`,
    )
    await dropped
    t.ok(serverSide.bytesWritten < 9_000_000, `${serverSide.bytesWritten} bytes of some 14 million`)
    t.match((await fetch(`${url}/metrics`).then((answer) => answer.text())).match(/dropped_total\S* (\d+)/)?.[1], '1')
  })
})

test('two servers tell the same, and a client goes from one to the other', async (t) => {
  const first = await startApp(t)
  const second = await startApp(t, { db: () => first.db })
  const person = await first.account(randomUUID())
  const streams = await Promise.all([first, second].map(({ url }) => openEvents(`${url}/realtime`, person.headers)))
  for (const stream of streams) await stream.next()
  const id = String((await person.upload({ bytes: pdf('two servers') })).body['shell_file_id'])
  const [here, there] = await Promise.all(streams.map((stream) => stream.next()))
  t.match(here, { data: { document_id: id } })
  t.same(there?.data, here?.data)
  await Promise.all(streams.map((stream) => stream.close()))
  const moved = await openEvents(`${second.url}/realtime`, { ...person.headers, 'last-event-id': String(here?.id) })
  t.match(await moved.next(), { event: 'ready' }, 'nothing a second time')
  await beginStage(first.db, id, 'security_scan')
  t.match(await moved.next(), { data: { stage: 'security_scan' } })
  await moved.close()
})

test('a server that hears no notifications tells all the same', async (t) => {
  const relistened = Promise.withResolvers<void>()
  const deaf = await startApp(t, {
    db: (db) => ({ ...db, listen: async () => ({ stop: async () => {} }), relisten: () => relistened.resolve() }),
  })
  const person = await deaf.account(randomUUID())
  const stream = await openEvents(`${deaf.url}/realtime`, person.headers)
  await stream.next()
  const id = String((await person.upload({ bytes: pdf('deaf') })).body['shell_file_id'])
  t.match(await stream.next(), { data: { document_id: id } })
  // Of files that are new not each is notified, of stages each is.
  await beginStage(deaf.db, id, 'security_scan')
  t.match(await stream.next(), { data: { stage: 'security_scan' } })
  await relistened.promise
  t.pass('and makes another connection')
  await stream.close()
})

test('streams have a limit, of an account and of the server, and end with it', async (t) => {
  const server = await startApp(t, { env: { EVENT_STREAMS_MAX: '3', EVENT_STREAMS_PER_ACCOUNT: '2' } })
  const [ann, ben] = [await server.account(randomUUID()), await server.account(randomUUID())]
  const follow = (who: TestAccount) => openEvents(`${server.url}/realtime`, who.headers)
  const streams = [await follow(ann), await follow(ann)]
  const refused = await ann.get('/realtime')
  t.match(refused, { status: 429, body: { code: 'too_many_requests' } })
  t.ok(refused.headers.get('retry-after'))
  streams.push(await follow(ben))
  t.match(await ben.get('/realtime'), { status: 503, body: { code: 'overloaded' } })
  for (const stream of streams) await stream.next()
  await server.app.close()
  for (const stream of streams) {
    t.equal(await stream.next(), null)
    t.match(stream.text(), /retry: [1-4]\d{3}\n\n$/)
  }
})

test('who has left before a stream opens takes no place, and who comes at once with others gets no more', async (t) => {
  const server = await startApp(t, { env: { EVENT_STREAMS_PER_ACCOUNT: '2' } })
  const ann = await server.account(randomUUID())
  const { hostname, port } = new URL(server.url)
  for (let client = 0; client < 5; client += 1) {
    const accepted = once(server.app.server, 'connection')
    const asked = once(server.app.server, 'request')
    const socket = connect(Number(port), hostname)
    socket.write(`GET /realtime HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\n\r\n`)
    const [serverSide] = await accepted
    if (!(serverSide instanceof Socket)) throw new Error('no connection')
    await asked
    const isGone = once(serverSide, 'close')
    socket.destroy()
    await isGone
  }
  const opened = await Promise.allSettled(
    Array.from({ length: 5 }, () => openEvents(`${server.url}/realtime`, ann.headers)),
  )
  const streams = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  t.equal(streams.length, 2)
  for (const stream of streams) await stream.next()
  await Promise.all(streams.map((stream) => stream.close()))
})

async function nextOf(stream: Awaited<ReturnType<typeof openEvents>>, event: string) {
  for (;;) {
    const told = await stream.next()
    if (told === null || told.event === event) return told
  }
}

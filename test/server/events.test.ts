import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, ask, ownerSql, serve } from '../support/actors.ts'
import { signToken, startApp } from '../support/app.ts'
import type { TestAccount, TestApp } from '../support/app.ts'
import { openEvents } from '../support/event-stream.ts'
import { beginStage, completeStages, finishStage, giveAccess, holdForReview } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

test('events of a document', async (group) => {
  const server = await startApp(group)
  const { db, account } = server
  const parent = await account(randomUUID())
  const uploaded = async (who = parent) =>
    String((await who.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])

  await group.test('tell each stage as it happens, and end when a person is asked', async (t) => {
    const id = await uploaded()
    const stream = await listen(server, parent, id)
    t.match(await stream.next(), { event: 'file', data: { file_status: 'uploaded', stage: null } })

    await beginStage(db, id, 'security_scan')
    t.match(await stream.next(), {
      event: 'stage',
      data: { stage: 'security_scan', status: 'running', file_status: 'processing' },
    })
    await finishStage(db, id, 'security_scan')
    t.match(await stream.next(), { event: 'stage', data: { stage: 'security_scan', status: 'completed' } })
    await serve(db, sql`select public.begin_stage(${id}, 'ocr', '1')`)
    await stream.next()
    await serve(db, sql`select public.report_stage_progress(${id}, 'ocr', 3, 9)`)
    t.match(await stream.next(), { data: { stage: 'ocr', pages_done: 3, pages_total: 9 } })
    await finishStage(db, id, 'ocr', 'failed')
    t.match(await stream.next(), { data: { stage: 'ocr', status: 'failed', file_status: 'failed' } })
    t.match(await stream.next(), { event: 'end', data: { file_status: 'failed' } })
    t.equal(await stream.next(), null, 'and the stream closes')
  })

  await group.test('come again after Last-Event-ID, and only those', async (t) => {
    const id = await uploaded()
    await completeStages(db, id, ['security_scan', 'ocr'])
    const first = await listen(server, parent, id)
    const told = [await first.next(), await first.next(), await first.next()]
    await first.close()

    const second = await listen(server, parent, id, { 'last-event-id': String(told[1]?.id) })
    t.same(await second.next(), told[2])
    await second.close()
    const ids = told.map((event) => Number(event?.id))
    t.same(
      ids,
      ids.toSorted((a, b) => a - b),
    )
  })

  await group.test('of a finished document are told whole and end', async (t) => {
    const id = await uploaded()
    await holdForReview(db, id, parent.profileId)
    const stream = await listen(server, parent, id)
    const told: string[] = []
    for (let event = await stream.next(); event !== null; event = await stream.next()) told.push(event.event)
    t.equal(told.at(-1), 'end')
    t.equal(told.filter((event) => event === 'stage').length, 8)
  })

  await group.test('reach nobody who watches another document', async (t) => {
    const other = await account(randomUUID())
    const [mine, theirs] = [await uploaded(), await uploaded(other)]
    const stream = await listen(server, parent, mine)
    await stream.next()
    await completeStages(db, theirs, ['security_scan'])
    await beginStage(db, mine, 'security_scan')
    t.match(await stream.next(), { data: { stage: 'security_scan', status: 'running' } })
    t.notOk(stream.text().includes(theirs))
    await stream.close()
  })

  await group.test('stop when access is taken away', async (t) => {
    const carer = await account(randomUUID())
    const acting = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    const permissionId = await giveAccess(db, acting(parent), acting(carer), parent.profileId)
    const id = await uploaded()
    const stream = await listen(server, carer, id)
    await stream.next()
    await ask(db, actorOf(parent.accountId), sql`select public.revoke_profile_access(${permissionId})`)
    await beginStage(db, id, 'security_scan')
    t.equal(await stream.next(), null)
  })

  await group.test('stop when the token is over', async (t) => {
    const id = await uploaded()
    const token = await signToken(parent.accountId, { expires: '1s' })
    const stream = await listen(server, { ...parent, headers: { authorization: `Bearer ${token}` } }, id)
    await stream.next()
    t.equal(await stream.next(), null)
  })

  await group.test('are refused in another form, and with an id that is none', async (t) => {
    const id = await uploaded()
    const path = `/documents/${id}/events`
    t.match(await parent.get(path, { accept: 'application/json' }), { status: 406, body: { code: 'not_acceptable' } })
    t.match(await parent.get(path, { 'last-event-id': 'x' }), { status: 400 })
  })

  await group.test('go on when the connection to the database was lost in between', async (t) => {
    const id = await uploaded()
    const stream = await listen(server, parent, id)
    await stream.next()
    await db.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`
    await beginStage(db, id, 'security_scan')
    t.match(await stream.next(), { data: { stage: 'security_scan', status: 'running' } })
    await stream.close()
  })

  await group.test('end when the server stops, so that it can', async (t) => {
    const own = await startApp(t)
    const person = await own.account(randomUUID())
    const id = String((await person.upload({ bytes: pdf('stop') })).body['shell_file_id'])
    const stream = await listen(own, person, id)
    await stream.next()
    await own.app.close()
    t.equal(await stream.next(), null)
  })

  await group.test('a reader that reads nothing is dropped', async (t) => {
    const id = await uploaded()
    const owner = ownerSql(t, server.ownerUrl)
    await owner`
      insert into public.shell_file_events (shell_file_id, patient_id, stage, stage_status, file_status)
      select ${id}, ${parent.profileId}, 'ocr', 'running', 'processing' from generate_series(1, 60000)`
    const accepted = once(server.app.server, 'connection')
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname).pause()
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    const [serverSide] = await accepted
    if (!(serverSide instanceof Socket)) throw new Error('no connection')
    const dropped = once(serverSide, 'close')
    socket.write(
      `GET /documents/${id}/events HTTP/1.1\r\nhost: x\r\nauthorization: ${parent.headers.authorization}\r\n\r\n`,
    )
    await dropped
    t.ok(serverSide.bytesWritten < 9_000_000, `${serverSide.bytesWritten} bytes of some 10 million`)
  })
})

const listen = (
  { url }: TestApp,
  who: Pick<TestAccount, 'headers'>,
  id: string,
  headers: Record<string, string> = {},
) => openEvents(`${url}/documents/${id}/events`, { ...who.headers, ...headers })

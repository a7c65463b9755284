import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'tap'
import { signalOf } from '../../server/routes/uploads/request-signal.ts'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { activeUploads, chunked, leftOver, problem, uploadHead } from '../support/hostile.ts'
import { encodeForm, formType, pdf } from '../support/multipart.ts'
import { head, openRaw } from '../support/raw-http.ts'

const mb = 1_000_000
const lengthOf = (bytes: number) => `content-length: ${bytes}`

test('connections that break, hang or are misused', async (group) => {
  const server = await startApp(group, {
    env: { UPLOAD_MAX_MB: '1', HEADERS_TIMEOUT_SECONDS: '1', BODY_WINDOW_SECONDS: '1' },
  })
  const owner = ownerSql(group, server.ownerUrl)
  const person = await server.account(randomUUID())
  const form = encodeForm([{ field: 'patient_id', value: person.profileId }, { file: pdf('hostile') }])

  await group.test('a connection that breaks off anywhere leaves nothing', async (t) => {
    const before = await leftOver(server, owner)
    for (const share of [0, 0.2, 0.5, 0.8, 0.99]) {
      const connection = await openRaw(server.url)
      const arrived = new Promise((resolve) => server.app.server.once('request', resolve))
      connection.say(uploadHead(person, [lengthOf(form.byteLength)]), form.subarray(0, form.byteLength * share))
      await arrived
      connection.socket.resetAndDestroy()
    }
    t.same(await leftOver(server, owner), before)
  })

  await group.test('an upload whose connection went before it began holds no place', async (t) => {
    const request = new IncomingMessage(new Socket())
    request.destroy()
    await once(request, 'close')
    t.ok(signalOf(request).aborted)
  })

  await group.test('a resumable upload that trickles keeps what came, and gives its place back', async (t) => {
    const tus = { ...person.headers, 'tus-resumable': '1.0.0' }
    const named = `patient_id ${Buffer.from(person.profileId).toString('base64')}`
    const created = await ask(`${server.url}/documents/upload/resumable`, {
      method: 'POST',
      headers: { ...tus, 'upload-length': '1000', 'upload-metadata': named },
    })
    const place = created.headers.get('location') ?? ''
    const connection = await openRaw(server.url)
    connection.say(
      head(`PATCH ${place}`, [
        ...Object.entries(tus).map(([name, value]) => `${name}: ${value}`),
        'content-type: application/offset+octet-stream',
        'upload-offset: 0',
        lengthOf(1_000),
      ]),
      Buffer.alloc(100),
    )
    await connection.untilClosed()
    while ((await activeUploads(server)) > 0) await new Promise((resolve) => setImmediate(resolve))
    const state = await ask(`${server.url}${place}`, { method: 'HEAD', headers: tus })
    t.equal(state.headers.get('upload-offset'), '100')
    t.equal((await ask(`${server.url}${place}`, { method: 'DELETE', headers: tus })).status, 204, 'it is held no more')
  })

  await group.test('a head that never ends is answered and closed', async (t) => {
    const connection = await openRaw(server.url)
    connection.say('POST /documents/upload HTTP/1.1\r\nhost: x\r\nx-slow')
    t.match(await connection.untilClosed(), problem(408, 'request_timeout'))
    const silent = await openRaw(server.url)
    t.match(await silent.untilClosed(), /^(HTTP\/1\.1 408 |$)/, 'also one that never began')
  })

  await group.test('who asks before sending sends only what is wanted', async (t) => {
    const ask100 = ['expect: 100-continue', lengthOf(form.byteLength)]
    const stranger = await openRaw(server.url)
    stranger.say(head('POST /documents/upload', ['content-type: ' + formType, ...ask100]))
    t.match(await stranger.untilClosed(), /^HTTP\/1\.1 401 [\s\S]*connection: close/i)
    const large = await openRaw(server.url)
    large.say(uploadHead(person, ['expect: 100-continue', lengthOf(9 * mb)]))
    t.match(await large.untilClosed(), problem(413, 'file_too_large'))

    const welcome = await openRaw(server.url)
    welcome.say(uploadHead(person, ask100))
    await welcome.heard(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    welcome.say(form)
    await welcome.heard(/HTTP\/1\.1 20[01] [\s\S]*\}$/)
    welcome.socket.destroy()
  })

  await group.test('a stranger who was answered does not go on sending for ever', async (t) => {
    const { socket, say } = await openRaw(server.url)
    say(head('POST /documents/upload', ['content-type: ' + formType, 'transfer-encoding: chunked']))
    const piece = chunked(Buffer.alloc(64_000))
    const isClosed = new Promise((resolve) => socket.once('close', resolve))
    while (!socket.destroyed) {
      const isFull = !socket.write(piece)
      const mayGoOn = new Promise((resolve) => (isFull ? socket.once('drain', resolve) : setImmediate(resolve)))
      await Promise.race([isClosed, mayGoOn])
    }
    t.pass('the server has ended it')
  })

  await group.test('requests in one breath are answered one after the other', async (t) => {
    const connection = await openRaw(server.url)
    const upload = head('POST /documents/upload', [
      `authorization: ${person.headers.authorization}`,
      `content-type: ${formType}`,
      lengthOf(form.byteLength),
    ])
    connection.say(upload, form, head('GET /health', []), head('GET /nowhere', ['connection: close']))
    const said = await connection.untilClosed()
    t.same(
      [...said.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status),
      ['200', '200', '404'],
    )
  })

  await group.test('rubbish behind a request does not become its answer', async (t) => {
    for (const asking of [[], ['expect: 100-continue']]) {
      const connection = await openRaw(server.url)
      const upload = head('POST /documents/upload', [
        `authorization: ${person.headers.authorization}`,
        `content-type: ${formType}`,
        lengthOf(form.byteLength),
        ...asking,
      ])
      connection.say(upload, form, 'NONSENSE\r\n\r\n')
      const said = await connection.untilClosed()
      t.match(said, /^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 20[01] [^]*"shell_file_id"/)
    }
  })

  await group.test('the server is as it was', async (t) => {
    const { text } = await ask(`${server.url}/metrics`)
    for (const state of ['active', 'waiting'])
      t.match(text, new RegExp(`exora_uploads\\{[^}]*state="${state}"[^}]*\\} 0`))
    t.equal((await person.upload({ bytes: pdf('still here') })).status, 201)
    t.notOk(server.logLines.some((line) => line['code'] === 'internal_error'))
  })
})

test('whoever asks and never takes the answer is let go', async (t) => {
  const server = await startApp(t, { env: { HEADERS_TIMEOUT_SECONDS: '1', REQUEST_TIMEOUT_SECONDS: '1' } })
  const accepted = once(server.app.server, 'connection')
  const { socket, say } = await openRaw(server.url)
  const [theirs] = await accepted
  socket.pause()
  say(...Array.from({ length: 60 }, () => head('GET /openapi.json', [])))
  await new Promise((resolve) => theirs.once('close', resolve))
  socket.destroy()
  t.equal((await ask(`${server.url}/health`)).status, 200)
})

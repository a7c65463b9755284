import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { signalOf } from '../../server/routes/uploads/request-signal.ts'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import type { TestAccount, TestApp } from '../support/app.ts'
import { boundary, encodeForm, formType, pdf } from '../support/multipart.ts'
import type { FormPart } from '../support/multipart.ts'
import { head, openRaw } from '../support/raw-http.ts'

type Said = string | Uint8Array
type Hostile = {
  readonly headers?: readonly string[]
  readonly body: readonly Said[]
  /** The socket says nothing more after the body. */
  readonly ends?: 'then'
  readonly answer: RegExp
}

const mb = 1_000_000
const partHead = (lines: readonly string[]) => `--${boundary}\r\n${lines.join('\r\n')}\r\n\r\n`
const disposition = (parameters: string) => `content-disposition: form-data; ${parameters}`
const closing = `--${boundary}--\r\n`
const chunked = (...parts: readonly Said[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      return [Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]
    }),
  )
const problem = (status: number, code: string) => new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"code":"${code}"`)

test('requests that lie, break off or never end', async (group) => {
  const server = await startApp(group, {
    env: { UPLOAD_MAX_MB: '1', HEADERS_TIMEOUT_SECONDS: '1', BODY_WINDOW_SECONDS: '1' },
  })
  const owner = ownerSql(group, server.ownerUrl)
  const person = await server.account(randomUUID())
  const me: FormPart = { field: 'patient_id', value: person.profileId }
  const ours = partHead([disposition('name="patient_id"')]) + `${person.profileId}\r\n`
  const fileHead = partHead([disposition('name="file"; filename="letter.pdf"'), 'content-type: application/pdf'])
  const form = encodeForm([me, { file: pdf('hostile') }])

  const lengthOf = (bytes: number) => `content-length: ${bytes}`
  const whole = (...parts: readonly Said[]) => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
    return { headers: [lengthOf(body.byteLength)], body: [body] }
  }
  const field = (name: string, value: Said, more: readonly string[] = []) =>
    whole(partHead([disposition(name), ...more]), value, '\r\n', ours, fileHead, pdf('x'), '\r\n', closing)

  const cases: Readonly<Record<string, Hostile>> = {
    'a length that is too short': {
      headers: [lengthOf(form.byteLength - 40)],
      body: [form],
      answer: problem(400, 'upload_broken'),
    },
    'a form that ends in the middle of its file': {
      ...whole(ours, fileHead, pdf('cut')),
      answer: problem(400, 'upload_broken'),
    },
    'a form that ends in the middle of the head of a part': {
      ...whole(ours, `--${boundary}\r\ncontent-dispo`),
      answer: problem(400, 'upload_broken'),
    },
    'ten thousand parts': {
      ...whole(...Array.from({ length: 10_000 }, (_, n) => partHead([disposition(`name="f${n}"`)]) + 'x\r\n'), closing),
      answer: problem(400, 'invalid_request'),
    },
    'ten thousand parts of no kind': {
      ...whole(...Array.from({ length: 10_000 }, () => partHead(['x-a: b']) + 'x\r\n'), closing),
      answer: problem(400, 'invalid_request'),
    },
    'a field of a megabyte': { ...field('name="note"', 'x'.repeat(900_000)), answer: problem(400, 'invalid_request') },
    'a name of a field of half a megabyte': {
      ...field(`name="${'n'.repeat(500_000)}"`, 'x'),
      answer: /^HTTP\/1\.1 (400|20[01]) /,
    },
    'a thousand headers of a part': {
      ...field(
        'name="note"',
        'x',
        Array.from({ length: 1_000 }, (_, n) => `x-${n}: y`),
      ),
      answer: /^HTTP\/1\.1 (400|20[01]) /,
    },
    'a field without a name': { ...field('x="y"', 'value'), answer: problem(400, 'invalid_request') },
    'a long field without a name': { ...field('x="y"', 'v'.repeat(9_000)), answer: problem(400, 'invalid_request') },
    'a field that is named like a part of every object': {
      ...field('name="__proto__"', '{}'),
      answer: problem(400, 'upload_broken'),
    },
    'a field that is JSON and no text': {
      ...field('name="note"', '{"a":1}', ['content-type: application/json']),
      answer: problem(400, 'invalid_request'),
    },
    'a field that says it is JSON and is not': {
      ...field('name="note"', '{"a":', ['content-type: application/json']),
      answer: problem(400, 'upload_broken'),
    },
    'a field in Latin-1 that says nothing of it': {
      ...field('name="note"', Buffer.from('M\xfcller', 'latin1')),
      answer: problem(400, 'invalid_request'),
    },
    'a NUL in a field': { ...field('name="note"', 'a\0b'), answer: problem(400, 'invalid_request') },
    'a megabyte before the first boundary': {
      headers: ['transfer-encoding: chunked'],
      body: [chunked('x'.repeat(2 * mb)), '0\r\n\r\n'],
      answer: problem(413, 'file_too_large'),
    },
    'a part of no kind that never ends': {
      headers: ['transfer-encoding: chunked'],
      body: [chunked(ours, partHead(['x-a: b']), 'x'.repeat(2 * mb)), '0\r\n\r\n'],
      answer: problem(413, 'file_too_large'),
    },
    'a chunk of no length': {
      headers: ['transfer-encoding: chunked'],
      body: [chunked(ours), 'zz\r\n'],
      answer: problem(400, 'invalid_request'),
    },
    'two lengths': {
      headers: [lengthOf(form.byteLength), lengthOf(5)],
      body: [form],
      answer: problem(400, 'invalid_request'),
    },
    'a length and chunks': {
      headers: [lengthOf(form.byteLength), 'transfer-encoding: chunked'],
      body: [form],
      answer: problem(400, 'invalid_request'),
    },
    'a length below nothing': {
      headers: ['content-length: -5'],
      body: [form],
      answer: problem(400, 'invalid_request'),
    },
    'a length beyond all measure': {
      headers: ['content-length: 99999999999999'],
      body: [],
      answer: problem(413, 'file_too_large'),
    },
    'two hundred headers': {
      headers: [...Array.from({ length: 200 }, (_, n) => `x-${n}: y`), lengthOf(form.byteLength)],
      body: [form],
      answer: problem(431, 'headers_too_large'),
    },
    'a body that trickles': {
      headers: [lengthOf(form.byteLength)],
      body: [form.subarray(0, form.byteLength - 100)],
      answer: problem(408, 'request_timeout'),
    },
    'a length that is too long': {
      headers: [lengthOf(form.byteLength + 2_000)],
      body: [fileHead, pdf('x')],
      answer: problem(408, 'request_timeout'),
    },
    'chunks of which the last never comes': {
      headers: ['transfer-encoding: chunked'],
      body: [chunked(ours, fileHead, pdf('x'))],
      answer: problem(408, 'request_timeout'),
    },
  }

  for (const [name, { headers = [], body, answer }] of Object.entries(cases)) {
    await group.test(name, async (t) => {
      const before = await leftOver(server, owner)
      const connection = await openRaw(server.url)
      connection.say(uploadHead(person, headers), ...body)
      const said = await connection.untilClosed()
      t.match(said, answer)
      t.notMatch(said, /node_modules|at .*\.ts:|FST_|HPE_/)
      if (!said.startsWith('HTTP/1.1 20')) t.same(await leftOver(server, owner), before)
    })
  }

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

function uploadHead(person: TestAccount, headers: readonly string[]): string {
  return head('POST /documents/upload', [
    `authorization: ${person.headers.authorization}`,
    `content-type: ${formType}`,
    `idempotency-key: ${randomUUID()}`,
    'connection: close',
    ...headers,
  ])
}

type LeftOver = { readonly files: number; readonly rows: number; readonly jobs: number; readonly keys: number }

/** What there is once no upload is under way: what a broken connection began is undone after it. */
async function leftOver(server: TestApp, owner: ReturnType<typeof ownerSql>): Promise<LeftOver> {
  while ((await activeUploads(server)) > 0) await new Promise((resolve) => setImmediate(resolve))
  const [counts] = await owner<Omit<LeftOver, 'files'>[]>`
    select
      (select count(*)::int from shell_files) as rows,
      (select count(*)::int from job_queue where shell_file_id is not null) as jobs,
      (select count(*)::int from idempotency_keys) as keys`
  if (counts === undefined) throw new Error('nothing was counted')
  const found = await readdir(join(server.config.dataDir, 'objects'), { recursive: true, withFileTypes: true })
  return { ...counts, files: found.filter((entry) => entry.isFile()).length }
}

async function activeUploads({ url }: TestApp): Promise<number> {
  const { text } = await ask(`${url}/metrics`)
  return Number(/exora_uploads\{[^}]*state="active"[^}]*\} (\d+)/.exec(text)?.[1])
}

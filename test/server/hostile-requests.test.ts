import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { chunked, leftOver, problem, uploadHead } from '../support/hostile.ts'
import { boundary, encodeForm, pdf } from '../support/multipart.ts'
import type { FormPart } from '../support/multipart.ts'
import { openRaw } from '../support/raw-http.ts'

type Said = string | Uint8Array
type Hostile = {
  readonly headers?: readonly string[]
  readonly body: readonly Said[]
  readonly answer: RegExp
}

const mb = 1_000_000
const partHead = (lines: readonly string[]) => `--${boundary}\r\n${lines.join('\r\n')}\r\n\r\n`
const disposition = (parameters: string) => `content-disposition: form-data; ${parameters}`
const closing = `--${boundary}--\r\n`

test('requests that lie, break off or never end', async (group) => {
  const server = await startApp(group, {
    env: { UPLOAD_MAX_MB: '1', BODY_WINDOW_SECONDS: '1' },
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
    'headers of twenty kilobytes': {
      headers: [`x-large: ${'x'.repeat(20_000)}`, lengthOf(form.byteLength)],
      body: [form],
      answer: problem(431, 'headers_too_large'),
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

  await group.test('the server is as it was', async (t) => {
    const { text } = await ask(`${server.url}/metrics`)
    for (const state of ['active', 'waiting'])
      t.match(text, new RegExp(`exora_uploads\\{[^}]*state="${state}"[^}]*\\} 0`))
    t.equal((await person.upload({ bytes: pdf('still here') })).status, 201)
    t.notOk(server.logLines.some((line) => line['code'] === 'internal_error'))
  })
})

import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { leftOver } from '../support/hostile.ts'
import { boundary, encodeForm, formType, pdf } from '../support/multipart.ts'
import { head, openRaw } from '../support/raw-http.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')

test('forms and files that are not what they say', async (group) => {
  const server = await startApp(group, { env: { UPLOAD_MAX_MB: '1' } })
  const owner = ownerSql(group, server.ownerUrl)
  const person = await server.account(randomUUID())
  const me = { field: 'patient_id', value: person.profileId } as const
  const send = (body: Uint8Array, headers: Readonly<Record<string, string>> = {}) =>
    ask(`${server.url}/documents/upload`, {
      method: 'POST',
      headers: { ...person.headers, 'content-type': formType, ...headers },
      body: Buffer.from(body),
    })
  const form = (word: string) => encodeForm([me, { file: pdf(word) }])

  await group.test('a boundary that is not the one of the form, or none that could be', async (t) => {
    const before = await leftOver(server, owner)
    const wrong = {
      'another one': 'another',
      'the beginning of it': boundary.slice(0, -1),
      'a longer one': `${boundary}-and-more`,
      'one in capitals': boundary.toUpperCase(),
      'an empty one': '""',
      'one of a thousand letters': 'b'.repeat(1_000),
      'one that is a pattern': '.*',
      'one of line ends': '"\\r\\n"',
    }
    for (const [name, given] of Object.entries(wrong)) {
      const answer = await send(form(name), { 'content-type': `multipart/form-data; boundary=${given}` })
      t.match(answer, { status: 400, body: { code: 'upload_broken' } }, name)
    }
    for (const type of ['multipart/mixed', 'multipart/form-dataX', 'application/x-www-form-urlencoded', 'text/plain']) {
      const answer = await send(form(type), { 'content-type': `${type}; boundary=${boundary}` })
      t.match(answer, { status: 415, body: { code: 'unsupported_media_type' } }, type)
    }
    t.same(await leftOver(server, owner), before)
    const quoted = await send(form('quoted'), { 'content-type': `multipart/form-data; boundary="${boundary}"` })
    t.equal(quoted.status, 201, 'in quotes it is the same')
  })

  await group.test('a form that came in another coding than it can be read in', async (t) => {
    const before = await leftOver(server, owner)
    t.match(await send(gzipSync(form('packed')), { 'content-encoding': 'gzip' }), { status: 400 })
    const told = (line: string, value: Buffer) =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="note"\r\n${line}\r\n\r\n`),
        value,
        Buffer.from('\r\n'),
        form(line),
      ])
    t.match(await send(told('content-type: text/plain', latin1('M\xfcller'))), { status: 400 })
    t.match(await send(told('content-type: text/plain; charset=no-such-charset', latin1('M\xfcller'))), { status: 400 })
    t.same(await leftOver(server, owner), before)
    const notes = [
      ['content-type: text/plain; charset=iso-8859-1', latin1('M\xfcller')],
      ['content-type: text/plain; charset=utf-16le', Buffer.from('Müller', 'utf16le')],
      ['content-type: text/plain', Buffer.from('Müller')],
    ] as const
    for (const [line, value] of notes) {
      const id = String((await send(told(line, value))).body['shell_file_id'])
      const [kept] = await owner`select note from shell_files where id = ${id}`
      t.same(kept, { note: 'Müller' }, line)
    }
  })

  await group.test('a name that is a path, a command or another name', async (t) => {
    const names = {
      '../../../etc/passwd': 'passwd',
      '..\\\\..\\\\windows\\\\win.ini': 'win.ini',
      '/dev/null': 'null',
      '....//....//x.pdf': 'x.pdf',
      '..': 'document',
      'a\0b.pdf': 'ab.pdf',
      '%2e%2e%2fx.pdf': '%2e%2e%2fx.pdf',
      '$(rm -rf ~);.pdf': '$(rm -rf ~);.pdf',
      '\u202egnp.exe': 'gnp.exe',
    }
    for (const [given, shown] of Object.entries(names)) {
      const answer = await send(encodeForm([me, { file: pdf(given), filename: given }]))
      t.match(answer, { status: 201, body: { filename: shown } }, JSON.stringify(given))
    }
    const keys = await owner<{ storage_key: string }[]>`select storage_key from shell_files`
    t.ok(
      keys.every(({ storage_key: key }) => /^[\w/-]+$/.test(key)),
      'and none of them says where the file lies',
    )
  })

  await group.test('a file of another type than its name and its sender say', async (t) => {
    const refused = {
      'a program': latin1('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0PE\0\0'),
      'a page with a script': Buffer.from('\n <html><script>alert(1)</script></html>'),
      'a drawing with a script': Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
      'a picture that is also a page': latin1('GIF89a/*<html><script>*/=1;/*</script>*/\0'),
      'an archive': latin1('PK\x03\x04\x14\0\0\0\x08\0bomb.txt'),
      'an old Office file': latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0'),
      'text with control characters': latin1('MSH|^~\\&|\0\x01\x02'),
      'text in half of an encoding': utf16('\ud800\ud800'),
      'a header behind too much': Buffer.concat([Buffer.alloc(2_000, 0), pdf('late')]),
      'a single NUL': Buffer.alloc(1),
    }
    const before = await leftOver(server, owner)
    for (const [name, file] of Object.entries(refused)) {
      const answer = await send(encodeForm([me, { file, filename: 'letter.pdf', type: 'application/pdf' }]))
      t.match(answer, { status: 415, body: { code: 'unsupported_file_type' } }, name)
    }
    t.same(await leftOver(server, owner), before)

    const taken = [
      [latin1('\xff\xd8\xff\xe0\0\x10JFIF\0 named a PDF'), 'image/jpeg'],
      [Buffer.concat([Buffer.from('%PDF-1.7\n'), latin1('PK\x03\x04')]), 'application/pdf'],
      [Buffer.from('MSH|^~\\&|A|B'), 'x-application/hl7-v2+er7'],
      [Buffer.from(`{"resourceType":"Bundle","entry":${'['.repeat(5_000)}`), 'application/fhir+json'],
      [
        Buffer.from('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><ClinicalDocument></ClinicalDocument>'),
        'application/hl7-cda+xml',
      ],
    ] as const
    for (const [file, mimeType] of taken) {
      const answer = await send(encodeForm([me, { file, filename: 'program.exe', type: 'application/x-msdownload' }]))
      t.match(answer, { status: 201, body: { mime_type: mimeType } }, mimeType)
    }
  })

  await group.test('an address that leads out of the API, or is none', async (t) => {
    const paths = ['/../../etc/passwd', '/documents/..%2f..%2fetc', '//etc/passwd', '/%00', '/documents/%00', '/%ff%fe']
    for (const path of [...paths, '/%', `/${'a/'.repeat(3_000)}`, '/documents/upload/resumable/../../x']) {
      const { say, untilClosed } = await openRaw(server.url)
      const auth = `authorization: ${person.headers.authorization}`
      say(head(`GET ${path}`, [auth, 'connection: close']))
      const said = await untilClosed()
      t.match(said, /^HTTP\/1\.1 40[04] [\s\S]*"code":"(not_found|invalid_request)"/, path.slice(0, 50))
    }
    for (const line of ['GET /health\0', 'GET /health HTTP/9.9\r\nx:', 'G\x00T /', 'TRACE /', 'CONNECT x:1']) {
      const { say, untilClosed } = await openRaw(server.url)
      say(head(line, ['connection: close']))
      t.match(await untilClosed(), /^(HTTP\/1\.1 (400|404|405) |$)/, JSON.stringify(line))
    }
    t.notOk(server.logLines.some((line) => line['code'] === 'internal_error'))
  })
})

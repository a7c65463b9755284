import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { actorOf, serve } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { completeStages, giveAccess } from '../support/factories.ts'
import { encodeForm, formType, pdf, sha256, uploadForm } from '../support/multipart.ts'

const maxBytes = 1_000_000

test('uploading a document', async (group) => {
  const server = await startApp(group, { env: { UPLOAD_MAX_MB: '1' } })
  const { url, store, db, account } = server
  const send = (headers: Record<string, string>, body: Buffer) =>
    ask(`${url}/documents/upload`, {
      method: 'POST',
      headers: { 'content-type': formType, ...headers },
      body: new Uint8Array(body),
    })
  const objects = async () => (await Array.fromAsync(store.list())).length
  const files = async () =>
    Number((await serve<{ n: string }>(db, sql`select count(*) as n from public.shell_files`))[0]?.n)

  await group.test('a stored document is answered with where it is, and its job waits', async (t) => {
    const parent = await account(randomUUID())
    const bytes = pdf('discharge')
    const answer = await parent.upload({
      bytes,
      fields: { estimated_pages: '3', document_date: '2026-03-01', note: 'from the ward' },
    })

    t.equal(answer.status, 201)
    const id = String(answer.body['shell_file_id'])
    t.equal(answer.headers.get('location'), `/documents/${id}`)
    t.match(answer.body, {
      status: 'enqueued',
      filename: 'letter.pdf',
      size_bytes: bytes.byteLength,
      mime_type: 'application/pdf',
      sha256: sha256(bytes),
      duplicate_of: null,
      correlation_id: answer.headers.get('x-correlation-id'),
      usage: { usage: { shell_files: { used: 1 }, pages: { used: 3 } } },
    })
    const [job] = await serve<{ id: string; job_type: string; patient_id: string; correlation_id: string }>(
      db,
      sql`select id, job_type, patient_id, correlation_id from public.job_queue where shell_file_id = ${id}`,
    )
    t.match(job, {
      id: answer.body['job_id'],
      job_type: 'security_scan',
      patient_id: parent.profileId,
      correlation_id: answer.body['correlation_id'],
    })
    await completeStages(db, id, ['security_scan'])
    const content = await parent.get(`/documents/${id}/content`)
    t.equal(content.text, bytes.toString('latin1'))
  })

  await group.test('fields may stand behind the file', async (t) => {
    const parent = await account(randomUUID())
    const answer = await send(
      parent.headers,
      encodeForm([
        { file: pdf('late fields') },
        { field: 'patient_id', value: parent.profileId },
        { field: 'note', value: 'late' },
      ]),
    )
    t.equal(answer.status, 201)
  })

  await group.test(
    'the same bytes again are answered with the document that is there, unless both are wanted',
    async (t) => {
      const parent = await account(randomUUID())
      const bytes = pdf('twice')
      const first = await parent.upload({ bytes })
      const before = await objects()

      const again = await parent.upload({ bytes })
      t.equal(again.status, 200)
      t.equal(again.body['duplicate_of'], first.body['shell_file_id'])
      t.equal(again.body['job_id'], null)
      t.equal(await objects(), before, 'its second copy is not kept')

      const both = await parent.upload({ bytes, query: '?keep_both=true' })
      t.equal(both.status, 201)
      t.not(both.body['shell_file_id'], first.body['shell_file_id'])

      const other = await account(randomUUID())
      t.equal((await other.upload({ bytes })).status, 201, 'the same bytes of somebody else are theirs')
    },
  )

  await group.test('what cannot be taken is refused by name and leaves nothing behind', async (t) => {
    const parent = await account(randomUUID())
    const me = { field: 'patient_id', value: parent.profileId }
    const ok = pdf(randomUUID())
    const cases = [
      ['no file', [me], 400, 'missing_field'],
      ['no person', [{ file: ok }], 400, 'missing_field'],
      ['nothing at all', [], 400, 'missing_field'],
      ['a file under another name', [me, { file: ok, name: 'document' }], 400, 'missing_field'],
      ['two files', [me, { file: ok }, { file: pdf('second') }], 400, 'invalid_request'],
      ['a person twice', [me, me, { file: ok }], 400, 'invalid_request'],
      ['no id', [{ field: 'patient_id', value: 'me' }, { file: ok }], 400, 'invalid_request'],
      ['no date', [me, { field: 'document_date', value: '31/12/2020' }, { file: ok }], 400, 'invalid_request'],
      ['pages below one', [me, { field: 'estimated_pages', value: '0' }, { file: ok }], 400, 'invalid_request'],
      [
        'a field that never ends',
        [me, { field: 'note', value: 'x'.repeat(9_000) }, { file: ok }],
        400,
        'invalid_request',
      ],
      ['a NUL', [me, { field: 'note', value: 'a\0b' }, { file: ok }], 400, 'invalid_request'],
      [
        'a hundred fields',
        [...Array.from({ length: 100 }, (_, n) => ({ field: `f${n}`, value: 'x' })), me, { file: ok }],
        400,
        'invalid_request',
      ],
      ['an empty file', [me, { file: Buffer.alloc(0) }], 422, 'file_empty'],
      ['a program', [me, { file: Buffer.from('MZ\x90\0\x03\0\0\0') }], 415, 'unsupported_file_type'],
      [
        'a program called a letter',
        [me, { file: Buffer.from('\x7fELF\x02\x01'), filename: 'letter.pdf' }],
        415,
        'unsupported_file_type',
      ],
      [
        'a page of the web',
        [me, { file: Buffer.from('<!doctype html><script>1</script>') }],
        415,
        'unsupported_file_type',
      ],
      ['too much', [me, { file: Buffer.concat([ok, Buffer.alloc(maxBytes)]) }], 413, 'file_too_large'],
      ['far too much', [me, { file: Buffer.concat([ok, Buffer.alloc(3 * maxBytes)]) }], 413, 'file_too_large'],
    ] as const
    const before = [await objects(), await files()]
    for (const [name, parts, status, code] of cases) {
      const answer = await send(parent.headers, encodeForm(parts))
      t.equal(answer.status, status, name)
      t.equal(answer.body['code'], code, name)
      t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8', name)
    }
    t.same([await objects(), await files()], before)
  })

  await group.test('a body too large is refused without a length as well', async (t) => {
    const parent = await account(randomUUID())
    const body = encodeForm([
      { field: 'patient_id', value: parent.profileId },
      { file: Buffer.concat([pdf('x'), Buffer.alloc(maxBytes)]) },
    ])
    const answer = await ask(`${url}/documents/upload`, {
      method: 'POST',
      headers: { ...parent.headers, 'content-type': formType },
      body: new Blob([new Uint8Array(body)]).stream(),
      duplex: 'half',
    })
    t.match(answer, { status: 413, body: { code: 'file_too_large' } })
  })

  await group.test('a form that is cut, without a boundary or of another kind is refused', async (t) => {
    const parent = await account(randomUUID())
    const parts = [{ field: 'patient_id', value: parent.profileId }, { file: pdf('cut') }] as const
    const before = [await objects(), await files()]
    const cut = await send(parent.headers, encodeForm(parts, 'cut'))
    t.match(cut, { status: 400, body: { code: 'upload_broken' } })
    const wrong = await send(
      { ...parent.headers, 'content-type': 'multipart/form-data; boundary=another' },
      encodeForm(parts),
    )
    t.match(wrong, { status: 400 })
    const none = await send({ ...parent.headers, 'content-type': 'multipart/form-data' }, encodeForm(parts))
    t.match(none, { status: 400, body: { code: 'upload_broken' } })
    const json = await parent.post('/documents/upload', { patient_id: parent.profileId })
    t.match(json, { status: 415, body: { code: 'unsupported_media_type' } })
    t.same([await objects(), await files()], before)
  })

  await group.test('nobody uploads without a token, for a stranger, or with a right to read only', async (t) => {
    const parent = await account(randomUUID())
    const stranger = await account(randomUUID())
    const carer = await account(randomUUID())
    const before = await objects()
    t.match(await ask(`${url}/documents/upload`, { method: 'POST', body: uploadForm(parent.profileId, pdf('x')) }), {
      status: 401,
    })
    const form = () => uploadForm(parent.profileId, pdf('x'))
    t.match(await stranger.upload({ form: form() }), { status: 404, body: { code: 'not_found' } })
    const late = encodeForm([{ file: pdf('late') }, { field: 'patient_id', value: parent.profileId }])
    t.match(await send(stranger.headers, late), { status: 404, body: { code: 'not_found' } })

    const [from, to] = [parent, carer].map((who) => ({ ...who, actor: actorOf(who.accountId) }))
    if (from === undefined || to === undefined) throw new Error('two people')
    await giveAccess(db, from, to, parent.profileId, { level: 'read_only' })
    t.match(await carer.upload({ form: form() }), { status: 403, body: { code: 'forbidden' } })
    t.equal(await objects(), before)
  })

  await group.test('a name keeps its letters and loses its path and its tricks', async (t) => {
    const parent = await account(randomUUID())
    const form = new FormData()
    form.set('patient_id', parent.profileId)
    form.set('file', new Blob([new Uint8Array(pdf('name'))]), 'C:\\Users\\me\\Entlassbrief Müller \u202efdp.exe')
    t.match((await parent.upload({ form })).body, { filename: 'Entlassbrief Müller fdp.exe' })
  })

  await group.test('nothing of a document or its name is in the log', async (t) => {
    const all = JSON.stringify(server.logLines)
    for (const word of ['letter.pdf', 'Müller', 'from the ward', 'discharge']) t.notOk(all.includes(word), word)
  })
})

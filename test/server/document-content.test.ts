import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { ask, startApp } from '../support/app.ts'
import { completeStages } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

test('the original of a document', async (suite) => {
  const server = await startApp(suite)
  const parent = await server.account(randomUUID())
  const bytes = pdf('range')
  const size = bytes.byteLength
  const id = String((await parent.upload({ bytes })).body['shell_file_id'])
  await completeStages(server.db, id, ['security_scan'])
  const path = `/documents/${id}/content`
  const get = (headers: Readonly<Record<string, string>> = {}) => parent.get(path, headers)
  const head = (headers: Readonly<Record<string, string>> = {}) =>
    ask(`${server.url}${path}`, { method: 'HEAD', headers: { ...parent.headers, ...headers } })
  const whole = await get()
  const etag = whole.headers.get('etag') ?? ''

  await suite.test('comes whole, as a file to be kept', async (t) => {
    t.match(whole, { status: 200, text: bytes.toString('latin1') })
    t.equal(whole.headers.get('content-length'), String(size))
    t.equal(whole.headers.get('content-type'), 'application/pdf')
    t.equal(whole.headers.get('accept-ranges'), 'bytes')
    t.match(whole.headers.get('content-disposition'), /^attachment; filename\*=UTF-8''letter\.pdf$/)
    t.match(whole.headers.get('content-security-policy'), /sandbox/)
    t.match(etag, /^"[0-9a-f]{64}"$/)
  })

  await suite.test('comes in part', async (t) => {
    const parts = {
      'bytes=0-3': [0, 4],
      'bytes=0-0': [0, 1],
      'bytes=5-': [5, size],
      'bytes=-6': [size - 6, size],
      'bytes=-99999999999999999999': [0, size],
      'bytes=4-99999': [4, size],
      [`bytes=${size - 1}-99999999999999999999`]: [size - 1, size],
      'Bytes=0-3': [0, 4],
    } as const
    for (const [range, [start = 0, end = 0]] of Object.entries(parts)) {
      const part = await get({ range })
      t.match(part, { status: 206, text: bytes.subarray(start, end).toString('latin1') }, range)
      t.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`, range)
      t.equal(part.headers.get('content-length'), String(end - start), range)
      t.equal(part.headers.get('etag'), etag, range)
    }
    const several = `bytes=${Array.from({ length: 500 }, (_, n) => `${n}-${n}`).join(',')}`
    for (const range of ['bytes=0-1,3-4', 'lines=1-2', 'bytes=5-2', 'bytes=', 'bytes=a-b', 'bytes=-', several]) {
      t.match(await get({ range }), { status: 200, text: bytes.toString('latin1') }, `${range.slice(0, 30)} is ignored`)
    }
  })

  await suite.test('has no part behind its end', async (t) => {
    for (const range of [`bytes=${size}-`, 'bytes=99999999999999999999-', 'bytes=-0']) {
      const none = await get({ range })
      t.match(none, { status: 416, body: { code: 'range_not_satisfiable' } }, range)
      t.equal(none.headers.get('content-range'), `bytes */${size}`)
      t.equal(none.headers.get('content-disposition'), null)
    }
  })

  await suite.test('comes in part only of what the reader has the rest of', async (t) => {
    const range = 'bytes=0-3'
    t.equal((await get({ range, 'if-range': etag })).status, 206)
    for (const other of ['"another"', `W/${etag}`, 'Sun, 06 Nov 1994 08:49:37 GMT'])
      t.equal((await get({ range, 'if-range': other })).status, 200, other)
    t.equal((await get({ range: `bytes=${size}-`, 'if-range': '"another"' })).status, 200)
    t.equal((await get({ range, 'if-match': etag })).status, 206)
    const changed = await get({ range, 'if-match': '"another"' })
    t.match(changed, { status: 412, body: { code: 'precondition_failed' } })
    t.equal(changed.headers.get('content-disposition'), null)
    t.equal((await get({ 'if-match': `W/${etag}` })).status, 412)
    for (const fits of ['*', `"another", ${etag}`]) t.equal((await get({ 'if-match': fits })).status, 200, fits)
  })

  await suite.test('does not come again to who has it', async (t) => {
    for (const has of [etag, `W/${etag}`, '*', `"a, b", W/"c" ,${etag}`]) {
      const unchanged = await get({ 'if-none-match': has, range: 'bytes=0-3' })
      t.match(unchanged, { status: 304, text: '' }, has)
      t.equal(unchanged.headers.get('etag'), etag)
    }
    for (const has of ['"another"', etag.slice(1, -1)]) t.equal((await get({ 'if-none-match': has })).status, 200, has)
  })

  await suite.test('is described without being opened', async (t) => {
    for (const answer of [await head(), await head({ range: 'bytes=0-3' })]) {
      t.match(answer, { status: 200, text: '' }, 'a range is nothing that HEAD has')
      t.equal(answer.headers.get('content-length'), String(size))
      t.equal(answer.headers.get('content-type'), 'application/pdf')
      t.equal(answer.headers.get('accept-ranges'), 'bytes')
      t.equal(answer.headers.get('etag'), etag)
    }
    t.equal((await head({ 'if-none-match': etag })).status, 304)
  })

  await suite.test('whose bytes are gone is not found, in any way of asking', async (t) => {
    for await (const { key } of server.store.list()) await server.store.delete(key)
    for (const answer of [await get(), await get({ range: 'bytes=0-3' })])
      t.match(answer, { status: 404, body: { code: 'object_not_found' } })
    t.equal((await head()).status, 404)
  })
})

import { createHash, randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { ownerSql, serve } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'
import { anotherServer, offsetOf, pieceBytes, piecesOf, placeOf, resumablePath, tus } from '../support/resumable.ts'
import { openS3TestStore } from '../support/s3-store.ts'
import { startS3Server } from '../support/s3-server.ts'
import { schedulesOver } from '../support/schedules.ts'

async function countOf({ db }: TestApp, table: 'shell_files' | 'job_queue' | 'usage_events') {
  const [row] = await serve<{ n: string }>(db, sql`select count(*) as n from ${sql.identifier(table)}`)
  return Number(row?.n)
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve))
}

async function sweep({ db, store }: TestApp, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const schedule = schedulesOver(store).find((each) => each.name === name)
    if (schedule === undefined) throw new Error(`no schedule ${name}`)
    await schedule.run({ inService: (work) => asService(db, {}, work), signal: new AbortController().signal })
  }
}

const storedIn = async ({ store }: TestApp) => (await Array.fromAsync(store.list())).length

test('resumable uploads', async (suite) => {
  const house = await startApp(suite, { env: { UPLOAD_MAX_MB: '20' } })
  const parent = await house.account(randomUUID())
  const client = piecesOf(parent, house.url)

  await suite.test('a letter sent in two pieces becomes one document, and says which', async (t) => {
    const bytes = pdf('in two pieces')
    const created = await client.create(bytes.byteLength)
    t.equal(created.status, 201, created.text)
    t.ok(Date.parse(created.headers.get('upload-expires') ?? '') > Date.now())
    const place = placeOf(created)
    const first = await client.send(place, 0, bytes.subarray(0, 20))
    t.equal(first.status, 204, first.text)
    t.equal(offsetOf(first), 20)
    t.equal(first.headers.get('x-shell-file-id'), null)
    t.equal(offsetOf(await client.head(place)), 20)

    const last = await client.send(place, 20, bytes.subarray(20))
    t.equal(last.status, 204, last.text)
    const id = last.headers.get('x-shell-file-id') ?? ''
    t.equal(last.headers.get('location'), `/documents/${id}`)
    t.ok(last.headers.get('x-job-id'))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const state = await parent.get(place)
    t.match(state.body, { upload: { shell_file_id: id, sha256, filename: 'letter.pdf', status: 'enqueued' } })

    // Its answer was lost: the same piece again, at the old place.
    t.match(await client.send(place, 20, bytes.subarray(20)), { status: 409, body: { code: 'upload_offset_wrong' } })
    t.equal(offsetOf(await client.head(place)), bytes.byteLength)
    t.equal((await client.head(place)).headers.get('x-shell-file-id'), id)
    t.equal(await countOf(house, 'shell_files'), 1)
    t.equal(await countOf(house, 'job_queue'), 1)
    await sweep(house, 'delete_erased_objects')
    t.equal(await storedIn(house), 1, 'the pieces are gone')
  })

  await suite.test('the key of an upload in one piece is the key of one in pieces', async (t) => {
    const bytes = pdf('with a key')
    const first = await parent.upload({ bytes, key: 'same' })
    const created = await client.create(bytes.byteLength, { idempotency_key: 'same' })
    const again = await client.send(placeOf(created), 0, bytes)
    t.equal(again.status, 204, again.text)
    t.equal(again.headers.get('idempotent-replayed'), 'true')
    t.equal(again.headers.get('x-shell-file-id'), first.body['shell_file_id'])
    t.equal(offsetOf(await client.head(placeOf(created))), bytes.byteLength)
  })

  await suite.test('to a stranger it is as if there were no such upload', async (t) => {
    const stranger = piecesOf(await house.account(randomUUID()), house.url)
    const place = placeOf(await client.create(100))
    const nowhere = `${resumablePath}/${randomUUID()}`
    for (const there of [place, nowhere]) {
      t.match(await stranger.send(there, 0, pdf('x')), { status: 404, body: { code: 'not_found' } })
      t.equal((await stranger.head(there)).status, 404)
      t.equal((await stranger.remove(there)).status, 404)
    }
    t.equal((await stranger.create(100, { patient_id: parent.profileId })).status, 404)
    t.equal((await ask(`${house.url}${place}`, { method: 'HEAD', headers: tus })).status, 401)
    t.equal((await client.remove(place)).status, 204)
    t.equal((await client.head(place)).status, 404)
  })

  await suite.test(
    'who may write for the same person sees nothing of an upload that another account began',
    async (t) => {
      const other = await house.account(randomUUID())
      const own =
        placeOf(await client.create(100))
          .split('/')
          .at(-1) ?? ''
      const theirs = randomUUID()
      await ownerSql(t, house.ownerUrl)`
        insert into resumable_uploads
          (id, account_id, patient_id, size_bytes, filename, fields, keep_both, expires_at)
        select ${theirs}, ${other.accountId}, patient_id, size_bytes, filename, fields, keep_both, expires_at
        from resumable_uploads where id = ${own}`
      const place = `${resumablePath}/${theirs}`
      t.equal((await client.head(place)).status, 404)
      t.equal((await client.send(place, 0, pdf('x'))).status, 404)
      t.equal((await client.remove(place)).status, 404)
    },
  )

  await suite.test('what cannot be taken is refused before a byte is sent', async (t) => {
    t.match(await client.create(20_000_001), { status: 413, body: { code: 'file_too_large' } })
    t.equal((await client.create(100, { patient_id: 'nobody' })).status, 400)
    t.match(await parent.post(resumablePath, {}, { 'tus-resumable': '0.2.0' }), { status: 412 })
    const asked = await ask(`${house.url}${resumablePath}`, { method: 'OPTIONS' })
    t.equal(asked.status, 204)
    t.equal(asked.headers.get('tus-max-size'), '20000000')
  })

  await suite.test('a file of a kind that nobody can read is refused with its last piece', async (t) => {
    const before = await countOf(house, 'shell_files')
    const created = await client.create(4)
    t.match(await client.send(placeOf(created), 0, Buffer.from([0, 1, 2, 3])), { status: 415 })
    t.equal(offsetOf(await client.head(placeOf(created))), 0)
    t.equal(await countOf(house, 'shell_files'), before)
  })

  await suite.test(
    'a connection that breaks keeps what has come, another server goes on, and only one sends at a time',
    async (t) => {
      const second = await anotherServer(t, house)
      const elsewhere = piecesOf(parent, second)
      const bytes = Buffer.concat([pdf('a long one'), Buffer.alloc(pieceBytes + 1_000_000)])
      const place = placeOf(await client.create(bytes.byteLength))
      const sending = client.begin(place, 0, bytes.byteLength, bytes.subarray(0, pieceBytes + 100))
      await eventually(async () => offsetOf(await elsewhere.head(place)) === pieceBytes)
      t.match(await elsewhere.send(place, pieceBytes, bytes.subarray(pieceBytes)), {
        status: 423,
        body: { code: 'upload_held' },
      })
      t.equal((await elsewhere.remove(place)).status, 423)
      const gone = new Promise((resolve) => sending.once('close', resolve))
      sending.destroy()
      await gone
      await eventually(async () => offsetOf(await elsewhere.head(place)) === pieceBytes + 100)
      await eventually(async () => {
        const [row] = await serve<{ free: boolean }>(
          house.db,
          sql`select locked_until is null as free from resumable_uploads where id = ${place.split('/').at(-1) ?? ''}::uuid`,
        )
        return row?.free === true
      })
      const last = await elsewhere.send(place, pieceBytes + 100, bytes.subarray(pieceBytes + 100))
      t.equal(last.status, 204, last.text)
      t.ok(last.headers.get('x-shell-file-id'))
    },
  )

  await suite.test('who does not come back in time begins anew, and leaves no bytes behind', async (t) => {
    await sweep(house, 'delete_erased_objects')
    const before = await storedIn(house)
    const place = placeOf(await client.create(100))
    await client.send(place, 0, pdf('half of a letter that is long enough for this').subarray(0, 30))
    t.equal(await storedIn(house), before + 1)
    await ownerSql(t, house.ownerUrl)`update resumable_uploads set expires_at = now() where received_bytes = 30`
    t.equal((await client.head(place)).status, 404)
    await sweep(house, 'delete_expired_uploads', 'delete_erased_objects')
    t.equal(await storedIn(house), before)
  })

  await suite.test('bytes beyond those announced are no part of the file', async (t) => {
    const bytes = pdf('exactly this long')
    const place = placeOf(await client.create(bytes.byteLength))
    const more = await client.send(place, 0, Buffer.concat([bytes, Buffer.from('and more')]))
    t.equal(more.status, 400, more.text)
    t.equal((await client.send(place, 0, bytes)).status, 204)
  })

  await suite.test('over a bucket, another server goes on where the first was', async (t) => {
    const store = await openS3TestStore(await startS3Server(t))
    const [one, other] = [await anotherServer(t, { ...house, store }), await anotherServer(t, { ...house, store })]
    const bytes = Buffer.concat([pdf('in a bucket'), Buffer.alloc(pieceBytes)])
    const place = placeOf(await piecesOf(parent, one).create(bytes.byteLength))
    t.equal((await piecesOf(parent, one).send(place, 0, bytes.subarray(0, 1_000))).status, 204)
    const last = await piecesOf(parent, other).send(place, 1_000, bytes.subarray(1_000))
    t.equal(last.status, 204, last.text)
    t.ok(last.headers.get('x-shell-file-id'))
    await sweep({ ...house, store }, 'delete_erased_objects')
    t.same(
      (await Array.fromAsync(store.list())).map(({ sizeBytes }) => sizeBytes),
      [bytes.byteLength],
    )
  })
})

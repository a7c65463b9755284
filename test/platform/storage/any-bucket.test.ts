/**
 * What must hold over every server that speaks S3. `S3_TEST_ENDPOINT` and its companions name a real one
 * (docs/operations.md); without them it is the one of these tests, which can also be made to fail: s3.test.ts.
 */
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import { newKey } from '../../../platform/storage/object-key.ts'
import { inPieces, storeContract } from '../../contracts/store.ts'
import { startCuttingProxy } from '../../support/cutting-proxy.ts'
import type { Teardown } from '../../support/postgres.ts'
import { openTestBucket, openTestPrefix } from '../../support/s3-bucket.ts'
import { openS3TestStore } from '../../support/s3-store.ts'

const mebibyte = 1024 * 1024
const limits = { maxBytes: 32 * mebibyte }

storeContract('any bucket', newPlace)

test('a connection that is cut while a file is sent leaves nothing, and one cut is not the end', async (t) => {
  const { bucket, prefix, everything } = await newPlace(t)
  const way = await startCuttingProxy(t, bucket.endpoint)
  const store = await openS3TestStore({ ...bucket, endpoint: way.url }, { prefix })
  for (const sizeBytes of [mebibyte, 12 * mebibyte]) {
    way.cut('sent', { afterBytes: mebibyte / 2, connections: Number.POSITIVE_INFINITY })
    await t.rejects(store.put(inPieces(randomBytes(sizeBytes)), limits), { code: 'storage_unavailable', status: 503 })
    t.same(await everything(), [], `${sizeBytes} bytes`)
  }
  way.cut('sent', { afterBytes: mebibyte / 2, connections: 1 })
  const before = way.cuts()
  const bytes = randomBytes(12 * mebibyte)
  const { key } = await store.put(inPieces(bytes), limits)
  t.equal(way.cuts(), before + 1)
  t.ok(bytes.equals(await buffer((await store.open(key)).stream)))
  t.equal((await everything()).length, 1)
})

test('a connection that is cut while a file is read is an error, and the next reader has it whole', async (t) => {
  const { bucket, prefix } = await newPlace(t)
  const way = await startCuttingProxy(t, bucket.endpoint)
  const store = await openS3TestStore({ ...bucket, endpoint: way.url }, { prefix })
  const bytes = randomBytes(12 * mebibyte)
  const { key } = await store.put(inPieces(bytes), limits)
  way.cut('answered', { afterBytes: 3 * mebibyte, connections: 1 })
  const { stream } = await store.open(key)
  await t.rejects(buffer(stream))
  t.equal(way.cuts(), 1)
  t.ok(bytes.equals(await buffer((await store.open(key)).stream)))
})

test('more objects than the server lists at a time are each listed once', async (t) => {
  const { bucket, store, putAt } = await newPlace(t)
  const keys = Array.from({ length: bucket.severalPages }, newKey)
  const left = [...keys]
  const fill = async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await putAt(key)
  }
  await Promise.all(Array.from({ length: 16 }, fill))
  const listed = (await Array.fromAsync(store.list())).map(({ key }) => key)
  t.same(listed.toSorted(), keys.toSorted())
})

test('what others keep under our prefix, whatever its name, is neither listed nor swept', async (t) => {
  const { store, everything, putAt } = await newPlace(t)
  const { key } = await store.put(inPieces(Buffer.from('x')), limits)
  const names = ['a b+c&d=e?f#g', '100%25 <of> "it"', 'Müller/Bericht ü.pdf', `aa/bb/${newKey()}`, `${key}.part`, '..a']
  for (const name of names) await putAt(name)
  t.same(
    (await Array.fromAsync(store.list())).map((found) => found.key),
    [key],
  )
  t.same(await store.sweepTemporary({ olderThanMs: -2_000 }), { removed: 0 })
  t.equal((await everything()).length, names.length + 1)
})

test('a prefix of any kind that STORAGE_URL takes keeps its files', async (t) => {
  const bucket = await openTestBucket(t)
  const name = `Files.of_the-house/${newKey()}/2026`
  const { everything } = openTestPrefix(t, bucket, name)
  const store = await openS3TestStore(bucket, { prefix: name })
  const { key } = await store.put(inPieces(randomBytes(12 * mebibyte)), limits)
  t.equal((await store.head(key))?.sizeBytes, 12 * mebibyte)
  t.same(await everything(), [`${name}/${key}`])
})

test('whoever has a wrong secret reaches nothing', async (t) => {
  const { bucket, prefix, store } = await newPlace(t)
  const { key } = await store.put(inPieces(Buffer.from('x')), limits)
  const credentials = { ...bucket.credentials, secretAccessKey: 'somebody-guessed-this' }
  const guest = await openS3TestStore(bucket, { prefix, credentials })
  const refused = { code: 'storage_refused', status: 500 }
  await t.rejects(guest.open(key), refused)
  await t.rejects(guest.head(key), refused)
  await t.rejects(guest.delete(key), refused)
  await t.rejects(guest.put(inPieces(Buffer.from('y')), limits), refused)
  await t.rejects(guest.put(inPieces(randomBytes(12 * mebibyte)), limits), refused)
  t.equal((await Array.fromAsync(store.list())).length, 1)
})

async function newPlace(t: Teardown) {
  const bucket = await openTestBucket(t)
  const place = openTestPrefix(t, bucket)
  return { bucket, ...place, store: await openS3TestStore(bucket, { prefix: place.prefix }) }
}

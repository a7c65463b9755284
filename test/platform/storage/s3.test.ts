/** What the store makes of a server that fails; what it does over one that works: any-bucket.test.ts. */
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { test } from 'tap'
import { newKey } from '../../../platform/storage/object-key.ts'
import { inPieces, watched } from '../../contracts/store.ts'
import type { Teardown } from '../../support/postgres.ts'
import { openS3TestStore } from '../../support/s3-store.ts'
import { startS3Server } from '../../support/s3-server.ts'
import type { Operation, S3Server, Trouble } from '../../support/s3-server.ts'

const limits = { maxBytes: 32 * 1024 * 1024 }
const small = () => inPieces(randomBytes(1_000))
const largeBytes = 12 * 1024 * 1024
const large = () => inPieces(randomBytes(largeBytes))
const unavailable = { code: 'storage_unavailable', status: 503, retryAfterMs: 5_000 }
const refused = { code: 'storage_refused', status: 500 }

test('a wrong secret is refused, and no error tells a secret', async (t) => {
  const server = await startS3Server(t)
  const credentials = { ...server.credentials, secretAccessKey: 'somebody-guessed-this' }
  const store = await openS3TestStore(server, { credentials })
  const attempts = [
    store.put(small(), limits),
    store.put(large(), limits),
    store.open(newKey()),
    store.head(newKey()),
    store.delete(newKey()),
    Array.fromAsync(store.list()),
    store.sweepTemporary({ olderThanMs: 0 }),
  ]
  for (const attempt of await Promise.allSettled(attempts)) {
    const error: unknown = attempt.status === 'rejected' ? attempt.reason : null
    t.match(error, refused)
    const told = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    t.notMatch(told, /somebody-guessed|exora-test|AWS4-HMAC|files\//)
  }
  t.same(everythingIn(server), [])
})

test('a store that fails now and then is asked again', async (t) => {
  const { store, server } = await newStore(t)
  server.fails('PutObject', 'internal_error', 'reset')
  server.fails('UploadPart', 'slow_down', 'reset')
  server.fails('CompleteMultipartUpload', 'slow_down')
  server.fails('GetObject', 'internal_error', 'slow_down')
  const { key } = await store.put(small(), limits)
  const { sizeBytes } = await store.put(large(), limits)
  t.equal(sizeBytes, largeBytes)
  t.equal((await buffer((await store.open(key)).stream)).length, 1_000)
})

test('a put that the store fails leaves nothing, wherever it fails and even when only the answers get lost', async (t) => {
  const { store, server } = await newStore(t)
  const breakages: [Operation, Trouble][] = [
    ['CreateMultipartUpload', 'internal_error'],
    ['UploadPart', 'slow_down'],
    ['UploadPart', 'lost'],
    ['CompleteMultipartUpload', 'internal_error'],
    ['CompleteMultipartUpload', 'late_error'],
    ['PutObject', 'internal_error'],
    ['PutObject', 'lost'],
    ['HeadObject', 'internal_error'],
  ]
  for (const [operation, trouble] of breakages) {
    const source = watched(randomBytes(operation === 'PutObject' ? 1_000 : largeBytes))
    const broken = server.breaks(operation, trouble)
    await t.rejects(store.put(source.bytes, limits), unavailable, `${operation} ${trouble}`)
    t.ok(source.isClosed(), 'nobody goes on reading')
    t.same(everythingIn(server), [], `${operation} ${trouble}`)
    broken.mend()
  }
  // The first did it, the second finds the upload gone.
  server.fails('CompleteMultipartUpload', 'lost')
  await t.rejects(store.put(large(), limits), { code: 'storage_refused' })
  t.same(everythingIn(server), [])
})

test('a store that fails for good ends the upload before its sender has sent all', async (t) => {
  const { store, server } = await newStore(t)
  server.breaks('CreateMultipartUpload', 'internal_error')
  const piece = randomBytes(1024 * 1024)
  let sent = 0
  async function* endless() {
    for (;;) {
      sent += 1
      yield await Promise.resolve(piece)
    }
  }
  await t.rejects(store.put(endless(), { maxBytes: 1024 * piece.length }), unavailable)
  t.ok(sent < 64, `after ${sent} MiB`)
})

test('an upload given up while its requests are under way leaves nothing', async (t) => {
  for (const operation of ['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    const { store, server } = await newStore(t)
    const giveUp = new AbortController()
    const held = server.holds(operation)
    const put = store.put(operation === 'PutObject' ? small() : large(), { ...limits, signal: giveUp.signal })
    await held.reached
    giveUp.abort(new Error('given up'))
    held.letGo()
    await t.rejects(put, { message: 'given up' })
    t.same(everythingIn(server), [], operation)
  }
})

test('what could not be taken back at once is swept later, and the first error is the one told', async (t) => {
  const { store, server } = await newStore(t)
  server.fails('AbortMultipartUpload', 'internal_error', 'internal_error', 'internal_error')
  const source = inPieces(randomBytes(largeBytes), () => Promise.reject(new Error('connection lost')))
  await t.rejects(store.put(source, limits), { message: 'connection lost' })
  t.equal(server.uploads.size, 1)
  t.same(await store.sweepTemporary({ olderThanMs: -2_000 }), { removed: 1 })
  t.same(everythingIn(server), [])
})

test('a store that keeps other bytes than it was sent is found out', async (t) => {
  const { store, server } = await newStore(t)
  const held = server.holds('PutObject')
  const put = store.put(small(), limits)
  await held.reached
  for (const key of server.objects.keys())
    server.objects.set(key, { bytes: randomBytes(1_089), modifiedAt: new Date() })
  held.letGo()
  await t.rejects(put, refused)
  t.same(everythingIn(server), [])
})

test('a refusal within the first bytes asks the store nothing', async (t) => {
  const { store, server } = await newStore(t)
  await t.rejects(store.put(small(), { maxBytes: 999 }), { code: 'file_too_large' })
  t.same(server.asked, [])
})

test('a file whose connection breaks half-way is an error, not a short file', async (t) => {
  const { store, server } = await newStore(t)
  const { key } = await store.put(large(), limits)
  server.fails('GetObject', 'cut')
  const { stream } = await store.open(key)
  await t.rejects(buffer(stream), { code: 'ECONNRESET' })
})

test('a store that falls silent is given up on, and what it did all the same is taken back', async (t) => {
  const { store: patient, server } = await newStore(t)
  const store = await openS3TestStore(server, { patience: { connectMs: 5_000, silenceMs: 500 } })
  const { key } = await patient.put(small(), limits)
  const silent = server.breaks('PutObject', 'silent')
  await t.rejects(store.put(small(), limits), unavailable)
  silent.mend()
  t.same(everythingIn(server), [`files/${key}`])
  server.fails('GetObject', 'stalls')
  await t.rejects(buffer((await store.open(key)).stream), 'a file that stops half-way is no short file')
})

test('a store that takes no notice of ranges is found out', async (t) => {
  const { store, server } = await newStore(t)
  const { key } = await store.put(small(), limits)
  server.fails('GetObject', 'ignores_range')
  await t.rejects(store.open(key, { start: 10, end: 19 }), refused)
})

test('a missing bucket and a store that is away are no missing file', async (t) => {
  const server = await startS3Server(t)
  const nowhere = await openS3TestStore({ ...server, bucket: 'another-bucket' })
  await t.rejects(nowhere.head(newKey()), refused)
  await t.rejects(nowhere.open(newKey()), refused)
  await t.rejects(nowhere.delete(newKey()), refused)

  const away = await openS3TestStore({ ...server, endpoint: 'http://127.0.0.1:9' })
  await t.rejects(away.head(newKey()), unavailable)
  await t.rejects(away.put(small(), limits), unavailable)
})

test('two houses share a bucket without seeing or sweeping what is the other’s', async (t) => {
  const { store, server } = await newStore(t)
  const neighbour = await openS3TestStore(server, { prefix: 'files-of-others/here' })
  const root = await openS3TestStore(server, { prefix: '' })
  const { key } = await neighbour.put(small(), limits)
  server.uploads.set(newKey(), { key: `files-of-others/here/${key}`, initiatedAt: new Date(0), parts: new Map() })
  server.uploads.set(newKey(), { key: 'files/a-backup-of-ours', initiatedAt: new Date(0), parts: new Map() })

  for (const other of [store, root]) {
    t.same(await Array.fromAsync(other.list()), [])
    t.same(await other.sweepTemporary({ olderThanMs: 0 }), { removed: 0 })
    t.equal(await other.head(key), null)
  }
  t.equal((await Array.fromAsync(neighbour.list())).length, 1)
})

async function newStore(t: Teardown) {
  const server = await startS3Server(t, { pageSize: 3 })
  return { server, store: await openS3TestStore(server) }
}

const everythingIn = (server: S3Server) => [...server.objects.keys(), ...server.uploads.keys()]

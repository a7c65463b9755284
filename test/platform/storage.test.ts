import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import { fileTooLarge, objectNotFound } from '../../platform/storage/store.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import { openStore } from '../../platform/storage/index.ts'

const limits = { maxBytes: 1_000_000 }

test('what is put can be read back, whole and in part, under a key that says nothing', async (t) => {
  const { store } = await newStore(t)
  const bytes = randomBytes(200_000)
  const { key, sha256, sizeBytes } = await store.put(inPieces(bytes), limits)

  t.match(key, /^[0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f-]{36}$/)
  t.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
  t.equal(sizeBytes, bytes.length)
  const whole = await store.open(key)
  t.equal(whole.sizeBytes, bytes.length)
  t.ok(bytes.equals(await buffer(whole.stream)))
  const part = await store.open(key, { start: 10, end: 19 })
  t.ok(bytes.subarray(10, 20).equals(await buffer(part.stream)))
})

test('a file that is too large leaves nothing behind', async (t) => {
  const { store, files } = await newStore(t)
  await t.rejects(store.put(inPieces(randomBytes(3_000)), { maxBytes: 2_999 }), { code: fileTooLarge.code })
  t.same(files(), [])
})

test('a source that breaks off leaves nothing behind', async (t) => {
  const { store, files } = await newStore(t)
  await t.rejects(store.put(breakingOff(), limits), { message: 'connection lost' })
  t.same(files(), [])
})

test('an upload that is given up leaves nothing behind', async (t) => {
  const { store, files } = await newStore(t)
  const giveUp = new AbortController()
  async function* slow() {
    yield randomBytes(1_000)
    giveUp.abort(new Error('given up'))
    yield randomBytes(1_000)
  }
  await t.rejects(store.put(slow(), { ...limits, signal: giveUp.signal }), { message: 'given up' })
  t.same(files(), [])
})

test('nobody sees an object before it is whole', async (t) => {
  const { store } = await newStore(t)
  async function* watched() {
    yield randomBytes(1_000)
    t.same(await Array.fromAsync(store.list()), [])
    yield randomBytes(1_000)
  }
  const { key } = await store.put(watched(), limits)
  t.match(await Array.fromAsync(store.list()), [{ key, sizeBytes: 2_000 }])
})

test('deleting is final, and deleting again is no error', async (t) => {
  const { store } = await newStore(t)
  const { key } = await store.put(inPieces(randomBytes(10)), limits)
  await store.delete(key)
  await store.delete(key)
  t.equal(await store.head(key), null)
  await t.rejects(store.open(key), { code: objectNotFound.code })
})

test('a key that was not allotted here reaches no file', async (t) => {
  const { store, root } = await newStore(t)
  writeFileSync(join(dirname(root), 'secret'), 'x')
  for (const key of ['../secret', '/etc/passwd', 'aa/bb/../../../secret', '', 'aa/bb/x.part']) {
    await t.rejects(store.open(key), { code: objectNotFound.code }, key)
    t.equal(await store.head(key), null, key)
    await store.delete(key)
  }
})

test('left-overs of dead processes are swept, those still being written are not', async (t) => {
  const { store, root, files } = await newStore(t)
  const { key } = await store.put(inPieces(randomBytes(10)), limits)
  const [old, fresh] = [join(root, `${key}1.part`), join(root, `${key}2.part`)]
  for (const path of [old, fresh]) writeFileSync(path, 'x')
  utimesSync(old, new Date(0), new Date(0))

  t.same(await store.sweepTemporary({ olderThanMs: 60_000 }), { removed: 1 })
  t.equal(files().length, 2, 'the object and the fresh one')
})

test('the address of the store decides where it is', async (t) => {
  const { root } = await newStore(t)
  const store = await openStore({ storageUrl: `file://${root}`, dataDir: '/nowhere' })
  await store.put(inPieces(randomBytes(10)), limits)
  t.equal(readdirSync(root).length, 1)
  await t.rejects(openStore({ storageUrl: 's3://bucket', dataDir: '/nowhere' }), { name: 'ConfigurationError' })
})

async function newStore(t: { teardown(work: () => unknown): unknown }) {
  const folder = mkdtempSync(join(tmpdir(), 'exora-store-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'objects')
  const store = await openDiskStore(root)
  const files = () =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
  return { store, root, files }
}

async function* breakingOff(): AsyncIterable<Uint8Array> {
  yield randomBytes(1_000)
  throw new Error('connection lost')
}

async function* inPieces(bytes: Buffer): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 16_384) yield bytes.subarray(start, start + 16_384)
}

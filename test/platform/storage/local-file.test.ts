import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { openDiskStore } from '../../../platform/storage/disk.ts'
import { withLocalFile } from '../../../platform/storage/local-file.ts'
import { newKey } from '../../../platform/storage/object-key.ts'
import type { Store } from '../../../platform/storage/store.ts'
import { inPieces } from '../../contracts/store.ts'
import type { Teardown } from '../../support/postgres.ts'
import { openS3TestStore } from '../../support/s3-store.ts'
import { startS3Server } from '../../support/s3-server.ts'

const signal = new AbortController().signal
const limits = { maxBytes: 1_000_000 }
const stores: Record<string, (t: Teardown) => Promise<Store>> = {
  'a folder': (t) => openDiskStore(scratch(t)),
  'a bucket': async (t) => await openS3TestStore(await startS3Server(t)),
}

for (const [name, open] of Object.entries(stores)) {
  void test(`${name}: a child process gets a file of its own, which is gone afterwards`, async (t) => {
    const store = await open(t)
    const copies = copiesOf(t)
    const bytes = randomBytes(100_000)
    const { key } = await store.put(inPieces(bytes), limits)

    const path = await withLocalFile({ store, key, signal }, (copy) => {
      t.ok(readFileSync(copy).equals(bytes))
      t.equal(statSync(copy).mode & 0o077, 0, 'nobody else may read it')
      t.equal(statSync(dirname(copy)).mode & 0o077, 0)
      return Promise.resolve(copy)
    })
    t.notOk(path.includes(key.slice(6)), 'its name says nothing')
    t.same(copies(), [])
  })

  void test(`${name}: the copy is gone when the work fails, is given up or finds no file`, async (t) => {
    const store = await open(t)
    const copies = copiesOf(t)
    const { key } = await store.put(inPieces(randomBytes(100_000)), limits)
    const fail = () => Promise.reject(new Error('cannot be read'))
    await t.rejects(withLocalFile({ store, key, signal }, fail), { message: 'cannot be read' })
    await t.rejects(withLocalFile({ store, key: newKey(), signal }, fail), { code: 'object_not_found' })
    const givenUp = AbortSignal.abort(new Error('given up'))
    await t.rejects(withLocalFile({ store, key, signal: givenUp }, fail), { message: 'given up' })
    t.same(copies(), [])
  })
}

void test('a connection that breaks half-way leaves no half of a copy', async (t) => {
  const server = await startS3Server(t)
  const store = await openS3TestStore(server)
  const copies = copiesOf(t)
  const { key } = await store.put(inPieces(randomBytes(900_000)), limits)
  server.fails('GetObject', 'cut')
  const unread = () => Promise.reject(new Error('half a file was handed on'))
  await t.rejects(withLocalFile({ store, key, signal }, unread), { code: 'ECONNRESET' })
  t.same(copies(), [])
})

/** Lets copies be made in a folder of this test, and tells which are there. */
function copiesOf(t: Teardown): () => string[] {
  const folder = scratch(t)
  const usual = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
  })
  return () => readdirSync(folder)
}

function scratch(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'exora-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

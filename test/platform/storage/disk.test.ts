import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import { openDiskStore } from '../../../platform/storage/disk.ts'
import { openStore } from '../../../platform/storage/index.ts'
import { newKey } from '../../../platform/storage/object-key.ts'
import { inPieces, storeContract } from '../../contracts/store.ts'
import type { Teardown } from '../../support/postgres.ts'

const limits = { maxBytes: 1_000_000 }

storeContract('a folder', async (t) => {
  const { store, root, files } = await newStore(t)
  return { store, everything: () => Promise.resolve(files()), leaveUnfinished: () => writeUnfinished(root, new Date()) }
})

test('a file still being written is not swept with those of dead processes', async (t) => {
  const { store, root, files } = await newStore(t)
  await writeUnfinished(root, new Date(0))
  await writeUnfinished(root, new Date())
  t.same(await store.sweepTemporary({ olderThanMs: 60_000 }), { removed: 1 })
  t.equal(files().length, 1)
})

test('what an earlier release stored one folder deeper is read, found and deleted', async (t) => {
  const { store, root, files } = await newStore(t)
  const id = newKey().slice(3)
  const key = `${id.slice(-2)}/${id.slice(-4, -2)}/${id}`
  mkdirSync(dirname(join(root, key)), { recursive: true })
  writeFileSync(join(root, key), 'letter')
  await store.put(inPieces(randomBytes(10)), limits)
  t.equal((await buffer((await store.open(key)).stream)).toString(), 'letter')
  const listed = await Array.fromAsync(store.list())
  t.ok(listed.length === 2 && listed.some((found) => found.key === key))
  await store.delete(key)
  t.equal(files().length, 1)
})

test('a key with dots reaches no file beside the folder', async (t) => {
  const { store, root } = await newStore(t)
  writeFileSync(join(dirname(root), 'secret'), 'x')
  await store.delete('../secret')
  t.ok(readdirSync(dirname(root)).includes('secret'))
})

test('the address of the store decides in which folder it is', async (t) => {
  const { root } = await newStore(t)
  const store = await openStore({ storageUrl: `file://${root}`, dataDir: '/nowhere' })
  await store.put(inPieces(randomBytes(10)), limits)
  t.equal(readdirSync(root).length, 1)
  await t.rejects(openStore({ storageUrl: 'gs://bucket', dataDir: '/nowhere' }), { name: 'ConfigurationError' })
})

async function newStore(t: Teardown) {
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

async function writeUnfinished(root: string, writtenAt: Date): Promise<void> {
  const path = join(root, `${newKey()}.part`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'x')
  utimesSync(path, writtenAt, writtenAt)
  await Promise.resolve()
}

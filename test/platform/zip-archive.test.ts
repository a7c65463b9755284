import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { zipArchive } from '../../platform/zip-archive.ts'
import type { ArchiveEntry } from '../../platform/zip-archive.ts'
import { readZipDirectory, unpackEntry } from '../../worker/pipeline/read/office/zip.ts'

const modifiedAt = new Date('2026-03-01T10:00:00Z')

test('an archive gives its entries back as they went in', async (t) => {
  const texts = { 'a/ümlaut.txt': 'grüezi', 'empty.txt': '', 'large.txt': 'word '.repeat(100_000) }
  const file = Buffer.concat(
    await Array.fromAsync(
      zipArchive(
        (async function* () {
          for (const [name, text] of Object.entries(texts)) yield entryOf(name, [text])
          yield { ...entryOf('stored.bin', ['as it is']), packing: 'store' as const }
        })(),
      ),
    ),
  )
  const directory = readZipDirectory(file) ?? []
  const read = directory.map((entry) => [entry.name, unpackEntry(file, entry, 1_000_000).toString()])
  t.same(Object.fromEntries(read), { ...texts, 'stored.bin': 'as it is' })
  t.ok(file.length < 10_000, 'text is packed')
})

test('no more is made than is being read', async (t) => {
  let chunksMade = 0
  async function* manyChunks() {
    for (; chunksMade < 5_000; chunksMade += 1) yield Buffer.alloc(64 * 1024, chunksMade)
  }
  const archive = zipArchive(
    (async function* () {
      yield { name: 'large.bin', modifiedAt, packing: 'store' as const, bytes: manyChunks() }
    })(),
  )
  await archive.next()
  await archive.next()
  for (let turn = 0; turn < 200; turn += 1) await nextTurn()
  t.ok(chunksMade < 50, `${chunksMade} of 5,000 chunks`)
  await archive.return(undefined)
})

test('whoever stops reading ends the entry under way and the source of entries', async (t) => {
  const ended: string[] = []
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(64 * 1024)
    } finally {
      ended.push('entry')
    }
  }
  async function* entries(): AsyncGenerator<ArchiveEntry> {
    try {
      yield { name: 'endless.bin', modifiedAt, packing: 'store', bytes: endless() }
      t.fail('the next entry is asked for')
    } finally {
      ended.push('entries')
    }
  }
  for await (const chunk of zipArchive(entries())) {
    t.ok(chunk.byteLength > 0)
    break
  }
  t.same(ended.toSorted(), ['entries', 'entry'])
})

test('an entry that breaks off breaks the archive off', async (t) => {
  async function* broken() {
    yield Buffer.from('half')
    throw new Error('the store went away')
  }
  const archive = zipArchive(
    (async function* () {
      yield { name: 'broken.bin', modifiedAt, packing: 'store' as const, bytes: broken() }
    })(),
  )
  await t.rejects(Array.fromAsync(archive), { message: 'the store went away' })

  const noEntries = zipArchive(
    (async function* (): AsyncGenerator<ArchiveEntry> {
      yield entryOf('first.txt', ['x'])
      throw new Error('no more rows')
    })(),
  )
  await t.rejects(Array.fromAsync(noEntries), { message: 'no more rows' })
})

function entryOf(name: string, texts: readonly string[]): ArchiveEntry {
  async function* bytes() {
    for (const text of texts) yield Buffer.from(text)
  }
  return { name, modifiedAt, packing: 'deflate', bytes: bytes() }
}

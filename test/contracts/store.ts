import { createHash, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import { newKey } from '../../platform/storage/object-key.ts'
import { fileTooLarge, objectNotFound } from '../../platform/storage/store.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { Teardown } from '../support/postgres.ts'

export type StoreUnderTest = {
  readonly store: Store
  /** The name of everything that takes up room there, unfinished things included. */
  readonly everything: () => Promise<readonly string[]>
  /** What a `put` leaves behind whose process died just now. */
  readonly leaveUnfinished: () => Promise<void>
}

const mebibyte = 1024 * 1024
// More than two of the parts in which a store over the network takes what is large.
const largeBytes = 11 * mebibyte + 3
const limits = { maxBytes: 16 * mebibyte }

/** What any store must do; `open` gives an empty one. */
export function storeContract(name: string, open: (t: Teardown) => Promise<StoreUnderTest>): void {
  void test(`${name}: what is put can be read back, under a key that says nothing`, async (t) => {
    const { store } = await open(t)
    for (const sizeBytes of [0, 1, 200_000, 5 * mebibyte, largeBytes]) {
      const bytes = randomBytes(sizeBytes)
      const put = await store.put(inPieces(bytes), limits)
      t.match(put.key, /^[0-9a-f]{2}\/[0-9a-f-]{36}$/)
      t.equal(put.sha256, hashOf(bytes))
      t.equal(put.sizeBytes, sizeBytes)

      const whole = await store.open(put.key)
      t.equal(whole.sizeBytes, sizeBytes)
      t.equal(hashOf(await buffer(whole.stream)), put.sha256, `${sizeBytes} bytes`)
      const head = await store.head(put.key)
      t.match(head, { key: put.key, sizeBytes })
      t.ok(Math.abs(Date.now() - (head?.modifiedAt.getTime() ?? 0)) < 60_000, 'written just now')
    }
  })

  void test(`${name}: whoever must know the place first names it, and can name no place but one of ours`, async (t) => {
    const { store } = await open(t)
    const key = newKey()
    t.match(await store.put(inPieces(Buffer.from('archive')), { ...limits, key }), { key })
    t.equal((await buffer((await store.open(key)).stream)).toString(), 'archive')
    await t.rejects(store.put(inPieces(Buffer.from('x')), { ...limits, key: '../../etc/passwd' }), TypeError)
  })

  void test(`${name}: a part of a file is read as asked, and never more than there is`, async (t) => {
    const { store } = await open(t)
    const bytes = randomBytes(1_000)
    const { key } = await store.put(inPieces(bytes), limits)
    for (const [start, end] of [
      [0, 0],
      [10, 19],
      [990, 5_000],
      [0, 999],
      [1_000, 1_001],
      [4_000, 5_000],
    ] as const) {
      const part = await store.open(key, { start, end })
      t.equal(part.sizeBytes, 1_000, 'the size is that of the whole')
      t.ok(bytes.subarray(start, end + 1).equals(await buffer(part.stream)), `${start} to ${end}`)
    }
  })

  void test(`${name}: a file that is too large leaves nothing behind, one that just fits is taken`, async (t) => {
    const { store, everything } = await open(t)
    for (const sizeBytes of [3_000, largeBytes]) {
      const source = watched(randomBytes(sizeBytes))
      const tooSmall = { maxBytes: sizeBytes - 1 }
      await t.rejects(store.put(source.bytes, tooSmall), { code: fileTooLarge.code, fields: tooSmall })
      t.ok(source.isClosed(), 'nobody goes on reading')
    }
    t.same(await everything(), [])
    const { sizeBytes } = await store.put(inPieces(randomBytes(3_000)), { maxBytes: 3_000 })
    t.equal(sizeBytes, 3_000)
  })

  void test(`${name}: a source that breaks off leaves nothing behind`, async (t) => {
    const { store, everything } = await open(t)
    const lost = new Error('connection lost')
    for (const sizeBytes of [0, 1_000, largeBytes]) {
      const put = store.put(
        inPieces(randomBytes(sizeBytes), () => Promise.reject(lost)),
        limits,
      )
      t.equal(await put.catch((error: unknown) => error), lost, `after ${sizeBytes} bytes`)
    }
    t.same(await everything(), [])
  })

  void test(`${name}: an upload that is given up leaves nothing behind, however late`, async (t) => {
    const { store, everything } = await open(t)
    const reason = new Error('given up')
    for (const sizeBytes of [1_000, largeBytes]) {
      const giveUp = new AbortController()
      const source = inPieces(randomBytes(sizeBytes), () => {
        giveUp.abort(reason)
        return Promise.resolve()
      })
      const put = store.put(source, { ...limits, signal: giveUp.signal })
      t.equal(await put.catch((error: unknown) => error), reason, `after ${sizeBytes} bytes`)
    }
    const before = store.put(inPieces(randomBytes(10)), { ...limits, signal: AbortSignal.abort(reason) })
    t.equal(await before.catch((error: unknown) => error), reason, 'before it began')
    t.same(await everything(), [])
  })

  void test(`${name}: nobody sees an object before it is whole`, async (t) => {
    const { store } = await open(t)
    for (const sizeBytes of [2_000, largeBytes]) {
      const earlier = (await Array.fromAsync(store.list())).length
      const source = inPieces(randomBytes(sizeBytes), async () => {
        t.equal((await Array.fromAsync(store.list())).length, earlier)
      })
      const { key } = await store.put(source, limits)
      t.match(
        (await Array.fromAsync(store.list())).filter((found) => found.key === key),
        [{ key, sizeBytes }],
      )
    }
  })

  void test(`${name}: many files at once keep apart, and each is listed once`, async (t) => {
    const { store } = await open(t)
    const files = Array.from({ length: 23 }, (_, index) => randomBytes(1_000 + index))
    const put = await Promise.all(files.map((bytes) => store.put(inPieces(bytes), limits)))
    t.same(
      put.map(({ sha256 }) => sha256),
      files.map(hashOf),
    )
    const listed = await Array.fromAsync(store.list())
    t.same(
      listed.map(({ key, sizeBytes }) => `${key} ${sizeBytes}`).toSorted(),
      put.map(({ key, sizeBytes }) => `${key} ${sizeBytes}`).toSorted(),
    )
    t.ok(listed.every(({ modifiedAt }) => Math.abs(Date.now() - modifiedAt.getTime()) < 60_000))
  })

  void test(`${name}: of two that are put under one key at once, one is there, and whole`, async (t) => {
    const { store } = await open(t)
    const key = newKey()
    const both = [randomBytes(largeBytes), randomBytes(largeBytes)]
    const puts = await Promise.allSettled(both.map((bytes) => store.put(inPieces(bytes), { ...limits, key })))
    const kept = puts.flatMap((put) => (put.status === 'fulfilled' ? [put.value.sha256] : []))
    t.ok(kept.includes(hashOf(await buffer((await store.open(key)).stream))))
  })

  void test(`${name}: deleting is final, and deleting again is no error`, async (t) => {
    const { store, everything } = await open(t)
    const { key } = await store.put(inPieces(randomBytes(10)), limits)
    await store.delete(key)
    await store.delete(key)
    t.equal(await store.head(key), null)
    await t.rejects(store.open(key), { code: objectNotFound.code })
    await t.rejects(store.open(key, { start: 0, end: 1 }), { code: objectNotFound.code })
    t.same(await everything(), [])
  })

  void test(`${name}: a key that was not allotted here reaches nothing`, async (t) => {
    const { store } = await open(t)
    for (const key of ['../secret', '/etc/passwd', 'aa/bb/../../../secret', '', 'aa/bb/x.part', 'aa/bb/x?uploads']) {
      await t.rejects(store.open(key), { code: objectNotFound.code }, key)
      t.equal(await store.head(key), null, key)
      await store.delete(key)
    }
  })

  void test(`${name}: left-overs of dead processes are swept once they are old, and nothing else is`, async (t) => {
    const { store, everything, leaveUnfinished } = await open(t)
    const { key } = await store.put(inPieces(randomBytes(10)), limits)
    for (const _ of Array.from({ length: 4 })) await leaveUnfinished()

    t.same(await store.sweepTemporary({ olderThanMs: 60_000 }), { removed: 0 }, 'they may still be written')
    t.equal((await everything()).length, 5)
    // All that is older than what comes in two seconds from now.
    t.same(await store.sweepTemporary({ olderThanMs: -2_000 }), { removed: 4 })
    t.equal((await everything()).length, 1)
    t.equal((await store.head(key))?.sizeBytes, 10)
  })
}

/** Then `last`, as part of the source. */
export async function* inPieces(bytes: Buffer, last?: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536)
  await last?.()
}

export function watched(bytes: Buffer): {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly isClosed: () => boolean
} {
  let isClosed = false
  async function* passing() {
    try {
      yield* inPieces(bytes)
    } finally {
      isClosed = true
    }
  }
  return { bytes: passing(), isClosed: () => isClosed }
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

import { ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { mock } from 'node:test'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import { serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'
import { anotherServer, piecesOf, placeOf } from '../support/resumable.ts'
import { eventually } from '../support/signals.ts'

test('how resumable uploads end', async (suite) => {
  const house = await startApp(suite)
  const parent = await house.account(randomUUID())

  await suite.test('a renewal that is under way when a request ends does not hold the upload afterwards', async (t) => {
    const { db, holdNext } = holdable(house.db)
    const client = piecesOf(parent, await anotherServer(t, { ...house, db }))
    const bytes = pdf('renewed')
    const place = placeOf(await client.create(bytes.byteLength))
    mock.timers.enable({ apis: ['setInterval'] })
    const stopped = Promise.withResolvers<void>()
    const { clearInterval: clear } = globalThis
    mock.method(globalThis, 'clearInterval', (timer: NodeJS.Timeout) => {
      clear(timer)
      stopped.resolve()
    })
    t.teardown(() => mock.reset())
    const sending = client.begin(place, 0, 20, bytes.subarray(0, 10))
    await eventually(async () => {
      const files = await readdir(house.config.dataDir, { recursive: true })
      ok(files.some((name) => name.endsWith('.part')))
    })

    const renewal = holdNext()
    const piecesCounted = 1
    mock.timers.tick(10_000)
    await renewal.begun
    sending.end(bytes.subarray(10, 20))
    await stopped.promise
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(renewal.othersBegun(), piecesCounted, 'it is not given back before the renewal has ended')
    renewal.letGo()
    const [answer] = await once(sending, 'response')
    await renewal.ended
    t.equal(answer.statusCode, 204)
    t.ok(await isFree(place))
    t.equal((await client.send(place, 20, bytes.subarray(20))).status, 204)
  })

  await suite.test('what cannot be cleaned up after a file is registered is no failure of its upload', async (t) => {
    const store = { ...house.store, delete: () => Promise.reject(new Error('the store is away')) }
    const client = piecesOf(parent, await anotherServer(t, { ...house, store }))
    const bytes = pdf('registered')
    const send = async () => {
      const place = placeOf(await client.create(bytes.byteLength))
      await client.send(place, 0, bytes.subarray(0, 5))
      return await client.send(place, 5, bytes.subarray(5))
    }
    const first = await send()
    t.equal(first.status, 204, first.text)
    const id = first.headers.get('x-shell-file-id')
    t.ok(id)
    const duplicate = await send()
    t.equal(duplicate.status, 204, duplicate.text)
    t.equal(duplicate.headers.get('x-shell-file-id'), id)
  })

  async function isFree(place: string): Promise<boolean> {
    const id = place.split('/').at(-1) ?? ''
    const [row] = await serve<{ free: boolean }>(
      house.db,
      sql`select locked_until is null as free from resumable_uploads where id = ${id}::uuid`,
    )
    return row?.free === true
  }
})

/** A database whose next transaction, once it is asked for, waits until it is let go; others do not wait for it. */
function holdable(db: Database) {
  let begin: (() => Promise<() => void>) | null = null
  let begun = 0
  const transaction: Database['drizzle']['transaction'] = async (work, config) => {
    begun += 1
    const mine = begin
    begin = null
    const end = await mine?.()
    return await db.drizzle.transaction(work, config).finally(end)
  }
  const holdNext = () => {
    const reached = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const before = begun
    begin = async () => {
      reached.resolve()
      await release.promise
      return ended.resolve
    }
    return {
      begun: reached.promise,
      letGo: release.resolve,
      ended: ended.promise,
      othersBegun: () => begun - before - 1,
    }
  }
  const held: Database = { ...db, drizzle: Object.assign(Object.create(db.drizzle), { transaction }) }
  return { db: held, holdNext }
}

import { ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import * as uploads from '../../db/queries/resumable-uploads.ts'
import { isKey } from '../../platform/storage/object-key.ts'
import { actorOf, ownerSql, refusal, serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'
import type { Teardown } from '../support/postgres.ts'
import { anotherServer, piecesOf, placeOf } from '../support/resumable.ts'
import { eventually } from '../support/signals.ts'

test('open resumable uploads', async (suite) => {
  const house = await startApp(suite, { env: { UPLOAD_MAX_MB: '20' } })

  await suite.test('an account has only so many uploads open', async (t) => {
    const url = await serverWith(t, house, { open: 2, openBytes: 20_000_000 })
    const client = piecesOf(await house.account(randomUUID()), url)
    const bytes = pdf('one of two')
    const [ended, cancelled] = [placeOf(await client.create(bytes.byteLength)), placeOf(await client.create(9))]
    const refused = await client.create(9)
    t.match(refused, { status: 429, body: { code: 'too_many_open_uploads' } })
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.equal((await piecesOf(await house.account(randomUUID()), url).create(9)).status, 201, 'others have their own')

    t.equal((await client.send(ended, 0, bytes)).status, 204)
    const over = placeOf(await client.create(9))
    t.equal((await client.create(9)).status, 429)
    t.equal((await client.remove(cancelled)).status, 204)
    t.equal((await client.create(9)).status, 201)
    await ownerSql(t, house.ownerUrl)`
      update resumable_uploads set expires_at = now() where id = ${over.split('/').at(-1) ?? ''}`
    t.equal((await client.create(9)).status, 201)
    t.equal((await client.create(9)).status, 429)
  })

  await suite.test('two that begin at once do not both take the last place', async (t) => {
    const url = await serverWith(t, house, { open: 1, openBytes: 20_000_000 })
    const person = await house.account(randomUUID())
    const { patientId, ...more } = { patientId: person.profileId, filename: 'x.pdf', fields: {}, keepSeconds: 60 }
    const most = { open: 1, openBytes: 20_000_000 }
    const begun = { uploadId: randomUUID(), patientId, sizeBytes: 9, duplicates: 'keep', most, ...more } as const
    const second = await asActor(house.db, actorOf(person.accountId), async (tx) => {
      await uploads.beginResumableUpload(tx, begun)
      const answer = piecesOf(person, url).create(9)
      await Promise.race([answer, waitingIn(house)])
      return { answer }
    })
    t.equal((await second.answer).status, 429)
  })

  await suite.test('nobody names the place of a piece, which could be where somebody else stored theirs', async (t) => {
    const person = await house.account(randomUUID())
    const place = placeOf(await piecesOf(person, house.url).create(9))
    const hold = { uploadId: place.split('/').at(-1) ?? '', lockToken: randomUUID() }
    const asPerson = <T>(work: (tx: Tx) => Promise<T>) => asActor(house.db, actorOf(person.accountId), work)
    const key = await asPerson((tx) => uploads.holdResumableUpload(tx, hold))
    t.ok(isKey(key ?? ''))
    const naming = sql`select public.add_resumable_piece(${hold.uploadId}, ${hold.lockToken}, 0, 5, 'of/somebody-else')`
    t.equal(await refusal(asPerson((tx) => tx.execute(naming))), '42883')
    const next = await asPerson((tx) => uploads.addResumablePiece(tx, hold, { offset: 0, sizeBytes: 5 }))
    t.ok(isKey(next) && next !== key)
    t.match(await asPerson((tx) => uploads.findResumableUpload(tx, hold.uploadId)), { pieces: [key] })
  })

  await suite.test('together they announce only so many bytes, one alone as many as a file may have', async (t) => {
    const url = await serverWith(t, house, { open: 50, openBytes: 10_000_000 })
    const one = piecesOf(await house.account(randomUUID()), url)
    t.equal((await one.create(20_000_000)).status, 201)
    t.match(await one.create(1), { status: 429, body: { code: 'too_many_open_uploads' } })
    const other = piecesOf(await house.account(randomUUID()), url)
    const statuses: number[] = []
    for (const megabytes of [6, 5, 4, 1]) statuses.push((await other.create(megabytes * 1_000_000)).status)
    t.same(statuses, [201, 429, 201, 429])
  })
})

const serverWith = (t: Teardown, house: TestApp, most: { open: number; openBytes: number }) => {
  const { uploads: limits } = house.config
  const limited = { ...limits, resumable: { ...limits.resumable, most } }
  return anotherServer(t, { ...house, config: { ...house.config, uploads: limited } })
}

/** Resolves once somebody waits for a lock. */
async function waitingIn({ db }: TestApp): Promise<void> {
  await eventually(async () => {
    const [row] = await serve<{ waits: boolean }>(
      db,
      sql`
        select exists (
          select from pg_locks join pg_database on pg_database.oid = pg_locks.database
          where datname = current_database() and locktype = 'advisory' and not granted
        ) as waits`,
    )
    ok(row?.waits)
  })
}

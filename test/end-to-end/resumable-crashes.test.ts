import { deepEqual as same } from 'node:assert/strict'
import { utimes } from 'node:fs/promises'
import t from 'tap'
import { asService } from '../../db/actor.ts'
import { openDiskStore } from '../../platform/storage/disk.ts'
import { sha256 } from '../support/multipart.ts'
import { pdfOfLines } from '../support/pdf.ts'
import { testDatabase } from '../support/postgres.ts'
import { offsetOf, pieceBytes, piecesOf, placeOf } from '../support/resumable.ts'
import { schedulesOver } from '../support/schedules.ts'
import { eventually } from '../support/signals.ts'
import { openSystem } from '../support/system.ts'
import { closePieces, closeUploads } from './gates.ts'

t.setTimeout(280_000)

void t.test('a server killed in the middle of a resumable upload, over a store that another shares', async (suite) => {
  const database = await testDatabase(suite)
  const { sql, startServer, introduce, storedFiles, storeFolder } = await openSystem(suite, database)
  // All at once: starting takes longer than anything else here.
  const [other, ...mortal] = await Promise.all([1, 2, 3, 4, 5].map(() => startServer()))
  if (other === undefined) throw new Error('no server')
  const nextServer = () => {
    const server = mortal.pop()
    if (server === undefined) throw new Error('no server is left')
    return server
  }
  const person = await introduce(other, { name: 'Robin Marsh', bornOn: '1961-02-03' })
  const client = piecesOf(person, other.address)

  /** An upload of one piece and a bit, begun at the server that lives. */
  const begin = async (word: string) => {
    const letter = pdfOfLines([[{ text: `Haemoglobin 131 g/L (${word})`, x: 72, y: 700 }]])
    const bytes = Buffer.concat([letter, Buffer.alloc(pieceBytes)])
    const place = placeOf(await client.create(bytes.byteLength))
    return { bytes, place, id: place.split('/').at(-1) ?? '' }
  }
  /** The dead request's hold runs out by itself in half a minute; here at once. */
  const waitForHold = async (id: string) => {
    const held = await client.send(`/documents/upload/resumable/${id}`, 0, Buffer.from('x'))
    suite.match(held, { status: 423, body: { code: 'upload_held' } }, 'the dead request still holds it')
    suite.ok(Number(held.headers.get('retry-after')) > 0)
    await sql`update resumable_uploads set locked_until = now() where id = ${id}`
  }
  /** Files, jobs and charges for it, all by what the database says. */
  const countsOf = async (bytes: Buffer) => {
    const [counted] = await sql`
      select
        count(distinct file.id)::int as files,
        count(distinct job.id)::int as jobs,
        count(distinct event.id)::int as charges
      from shell_files as file
      left join job_queue as job on job.shell_file_id = file.id
      left join usage_events as event on event.source_id = file.id::text and event.shell_files = 1
      where file.sha256 = ${sha256(bytes)}`
    return counted
  }
  const storedKeys = async () => (await storedFiles()).map((file) => file.slice(storeFolder.length + 1)).toSorted()
  const keysOfDocuments = async () => {
    const files = await sql<{ storage_key: string }[]>`select storage_key from shell_files`
    return files.map((file) => file.storage_key).toSorted()
  }
  /** As if a day had passed. */
  const sweep = async () => {
    for (const file of await storedFiles()) await utimes(file, new Date(0), new Date(0))
    const schedules = schedulesOver(await openDiskStore(storeFolder))
    for (const name of ['sweep_temporary_objects', 'delete_orphaned_objects', 'delete_erased_objects']) {
      const schedule = schedules.find((each) => each.name === name)
      await schedule?.run({
        inService: (work) => asService(database.db, {}, work),
        signal: new AbortController().signal,
      })
    }
  }
  const once = { files: 1, jobs: 1, charges: 1 }

  await suite.test('while a piece arrives: the other server goes on from the last that was counted', async (test) => {
    const { bytes, place, id } = await begin('arrives')
    const server = nextServer()
    const sending = piecesOf(person, server.address).begin(
      place,
      0,
      bytes.byteLength,
      bytes.subarray(0, pieceBytes + 9),
    )
    await eventually(async () => {
      if (!(await storedFiles()).some((file) => file.endsWith('.part'))) throw new Error('no second piece yet')
      if (offsetOf(await client.head(place)) !== pieceBytes) throw new Error('the first is not counted')
    })
    await server.kill()
    sending.destroy()
    test.equal(offsetOf(await client.head(place)), pieceBytes)
    await waitForHold(id)
    const last = await client.send(place, pieceBytes, bytes.subarray(pieceBytes))
    test.equal(last.status, 204, last.text)
    test.same(await countsOf(bytes), once)
  })

  await suite.test('while a piece is stored and not counted: it is sent again', async (test) => {
    const { bytes, place, id } = await begin('stored')
    const gates = await closePieces(test, sql)
    const server = nextServer()
    const sending = piecesOf(person, server.address).begin(place, 0, bytes.byteLength, bytes.subarray(0, pieceBytes))
    await gates.reached('piece')
    await server.kill()
    sending.destroy()
    await gates.breakOff('piece')
    await gates.open('piece')
    test.equal(offsetOf(await client.head(place)), 0)
    await waitForHold(id)
    test.equal((await client.send(place, 0, bytes)).status, 204)
    test.same(await countsOf(bytes), once)
    test.notSame(await storedKeys(), await keysOfDocuments())
    await sweep()
    test.same(await storedKeys(), await keysOfDocuments())
  })

  await suite.test(
    'while the whole is registered: the document is there, or the last piece is sent again',
    async (test) => {
      const { bytes, place, id } = await begin('registered')
      const gates = await closeUploads(test, sql)
      const first = nextServer()
      const unanswered = test.rejects(piecesOf(person, first.address).send(place, 0, bytes), 'no answer came')
      await gates.reached('upload')
      await first.kill()
      await unanswered
      await gates.breakOff('upload')
      test.equal(offsetOf(await client.head(place)), pieceBytes)
      test.same(await countsOf(bytes), { files: 0, jobs: 0, charges: 0 })
      await waitForHold(id)

      const second = nextServer()
      const last = bytes.subarray(pieceBytes)
      const lost = test.rejects(piecesOf(person, second.address).send(place, pieceBytes, last), 'no answer came')
      await gates.reached('upload')
      // Stopped, it cannot answer; the database goes on with the commit that it has been asked for.
      second.signal('SIGSTOP')
      await gates.open('upload')
      await eventually(async () => same(await countsOf(bytes), once))
      await second.kill()
      await lost
      const told = await client.head(place)
      test.equal(offsetOf(told), bytes.byteLength)
      test.match(told.headers.get('x-shell-file-id'), /^[0-9a-f-]{36}$/)
      test.equal((await client.send(place, pieceBytes, last)).status, 423)
      await sql`update resumable_uploads set locked_until = now() where id = ${id}`
      test.equal((await client.send(place, pieceBytes, last)).status, 409)
      test.same(await countsOf(bytes), once)
    },
  )

  await suite.test('what the dead requests left goes with the sweeps, and every document stays whole', async (test) => {
    await sweep()
    test.same(await storedKeys(), await keysOfDocuments())
    test.equal((await storedKeys()).length, 3)
  })
})

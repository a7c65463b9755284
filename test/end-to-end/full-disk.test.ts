import { randomUUID } from 'node:crypto'
import t from 'tap'
import { pdfOfLines } from '../support/pdf.ts'
import { offsetOf, piecesOf, placeOf } from '../support/resumable.ts'
import { openSystem } from '../support/system.ts'

const limitBytes = 1_048_576

t.setTimeout(280_000)

void t.test('a disk that is full in the middle of a file', async (suite) => {
  const { sql, startServer, introduce, storedFiles } = await openSystem(suite)
  // A large module would not fit into the cache of compiled ones either.
  const [full, other] = await Promise.all([
    startServer({ NODE_COMPILE_CACHE: '' }, { fileBytes: limitBytes }),
    startServer(),
  ])
  const person = await introduce(full, { name: 'Robin Marsh', bornOn: '1961-02-03' })
  const letter = pdfOfLines([[{ text: 'Haemoglobin 131 g/L', x: 72, y: 700 }]])
  const long = Buffer.concat([letter, Buffer.alloc(2 * limitBytes)])
  const counted = async () => {
    const [rows] = await sql`
      select
        (select count(*)::int from shell_files) as files,
        (select count(*)::int from job_queue where patient_id is not null) as jobs,
        (select count(*)::int from idempotency_keys where status = 'in_progress') as held`
    return { ...rows, stored: (await storedFiles()).length }
  }

  await suite.test('the upload is answered so that it is tried again, and nothing of it is left', async (test) => {
    const key = randomUUID()
    test.equal((await person.upload({ bytes: letter, filename: 'short.pdf' })).status, 201, 'what fits is taken')
    const refused = await person.upload({ bytes: long, key })
    test.match(refused, { status: 503, body: { code: 'storage_unavailable' } })
    test.ok(Number(refused.headers.get('retry-after')) > 0)
    test.same(await counted(), { files: 1, jobs: 1, held: 0, stored: 1 })

    test.equal((await person.at(other.address).upload({ bytes: long, key })).status, 201, 'where there is room')
    test.same(await counted(), { files: 2, jobs: 2, held: 0, stored: 2 })
  })

  await suite.test('an upload in pieces stays where it was, and goes on where there is room', async (test) => {
    const client = piecesOf(person, full.address)
    const bytes = Buffer.concat([pdfOfLines([[{ text: 'Sodium 140 mmol/L', x: 72, y: 700 }]]), long])
    const place = placeOf(await client.create(bytes.byteLength))
    test.equal((await client.send(place, 0, bytes.subarray(0, 1_000))).status, 204)
    const refused = await client.send(place, 1_000, bytes.subarray(1_000))
    test.match(refused, { status: 503, body: { code: 'storage_unavailable' } })
    test.equal(offsetOf(await client.head(place)), 1_000)
    test.same(await counted(), { files: 2, jobs: 2, held: 0, stored: 3 })

    const last = await piecesOf(person, other.address).send(place, 1_000, bytes.subarray(1_000))
    test.equal(last.status, 204, last.text)
    test.match(await counted(), { files: 3, jobs: 3, held: 0 })
  })

  const told = full.lines.filter(({ msg }) => msg === 'request failed').map(({ err }) => err)
  suite.match(told, [{ code: 'storage_unavailable', cause: { code: 'EFBIG' } }, { code: 'storage_unavailable' }])
})

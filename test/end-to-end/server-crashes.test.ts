import { request } from 'node:http'
import { utimes } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { encodeForm, formType, sha256 } from '../support/multipart.ts'
import { pdfOfLines } from '../support/pdf.ts'
import type { Person } from '../support/person.ts'
import { eventually } from '../support/signals.ts'
import { openSystem } from '../support/system.ts'
import type { TestSystem } from '../support/system.ts'
import { closeUploads } from './gates.ts'

const robin = { name: 'Robin Marsh', bornOn: '1961-02-03' }
const letter = (word: string) => pdfOfLines([[{ text: `Haemoglobin 131 g/L (${word})`, x: 72, y: 700 }]])

t.setTimeout(280_000)

void t.test('a server killed in the middle of an upload', async (test) => {
  const system = await openSystem(test)
  const { sql, startServer, startWorker, introduce, storedFiles } = system
  const server = await startServer()
  const person = await introduce(server, robin)
  const bytes = letter('half')
  const key = randomUUID()

  const broken = test.rejects(sendHalf(person, server.address, { bytes, key }), 'the connection broke')
  const [part = ''] = await eventually(async () => {
    const files = await storedFiles()
    if (!files.some((file) => file.endsWith('.part'))) throw new Error('no byte has been stored')
    return files
  })
  await server.kill()
  await broken
  test.same(await chargesOf(system, person), { files: 0, jobs: 0, charges: [], kept: [part] })

  const again = person.at((await startServer()).address)
  const early = await again.upload({ bytes, key })
  test.match(early, { status: 409, body: { code: 'idempotency_in_progress' } }, 'the dead attempt still holds its key')
  test.ok(Number(early.headers.get('retry-after')) > 0)
  await sql`update idempotency_keys set locked_until = now() where idempotency_key = ${key}`

  const first = await again.upload({ bytes, key })
  test.equal(first.status, 201)
  const replay = await again.upload({ bytes, key })
  test.equal(replay.headers.get('idempotent-replayed'), 'true')
  test.same(replay.body, first.body)
  test.match(await chargesOf(system, person), {
    files: 1,
    jobs: 1,
    charges: [{ shell_files: 1, storage_bytes: bytes.length }],
  })

  await test.test('what it left of the file goes with the sweep', async (sweeping) => {
    await utimes(part, new Date(0), new Date(0))
    const worker = await startWorker()
    await worker.heard(({ msg, event }) => msg === 'schedule ran' && event === 'sweep_temporary_objects')
    const files = await storedFiles()
    sweeping.notOk(files.includes(part))
    sweeping.equal(files.length, 1, 'and nothing else goes')
    await again.follow(String(first.body['shell_file_id']))
    sweeping.match(await again.get(`/documents/${String(first.body['shell_file_id'])}/content`), { status: 200 })
  })
})

void t.test('a server killed after the commit of an upload and before its answer', async (test) => {
  const system = await openSystem(test)
  const { sql, startServer, startWorker, introduce } = system
  const server = await startServer()
  const person = await introduce(server, robin)
  const gates = await closeUploads(test, sql)
  const bytes = letter('committed')
  const key = randomUUID()

  const unanswered = test.rejects(person.upload({ bytes, key }), 'no answer came')
  await gates.reached('upload')
  // Stopped, it cannot answer; the database goes on with the commit that it has been asked for.
  server.signal('SIGSTOP')
  await gates.open('upload')
  await eventually(async () => {
    const rows = await sql`select from shell_files where sha256 = ${sha256(bytes)}`
    if (rows.length === 0) throw new Error('not committed')
  })
  await server.kill()
  await unanswered

  const again = person.at((await startServer()).address)
  const retried = await again.upload({ bytes, key })
  test.equal(retried.status, 201)
  test.equal(retried.headers.get('idempotent-replayed'), 'true')
  test.match(await chargesOf(system, person), { files: 1, jobs: 1, charges: [{ shell_files: 1 }] })
  test.match(await again.upload({ bytes: letter('other'), key }), {
    status: 422,
    body: { code: 'idempotency_key_reused' },
  })
  test.match(await again.upload({ bytes }), { status: 200, body: { duplicate_of: retried.body['shell_file_id'] } })

  await startWorker()
  const told = await again.follow(String(retried.body['shell_file_id']))
  test.equal(told.at(-1)?.file_status, 'completed')
  const charges = await chargesOf(system, person)
  test.match(charges, { files: 1, jobs: 6, charges: [{ shell_files: 1 }] })
  test.equal(charges.kept.length, 1, 'one object is kept for one file')
})

async function chargesOf({ sql, storedFiles }: TestSystem, { profileId }: Person) {
  const [files] = await sql<{ n: number }[]>`select count(*)::int as n from shell_files where patient_id = ${profileId}`
  const [jobs] = await sql<{ n: number }[]>`select count(*)::int as n from job_queue where patient_id = ${profileId}`
  const charges = await sql<{ shell_files: number; storage_bytes: number }[]>`
    select shell_files, storage_bytes::int from user_usage_tracking where profile_id = ${profileId}`
  return { files: files?.n, jobs: jobs?.n, charges: [...charges], kept: await storedFiles() }
}

/** The first half of an upload; the other half never comes. */
async function sendHalf(
  person: Person,
  address: string,
  { bytes, key }: { readonly bytes: Uint8Array; readonly key: string },
): Promise<never> {
  const form = encodeForm([{ field: 'patient_id', value: person.profileId }, { file: bytes }])
  const { promise, reject } = Promise.withResolvers<never>()
  const sending = request(`${address}/documents/upload`, {
    method: 'POST',
    headers: {
      ...person.headers,
      'content-type': formType,
      'content-length': form.length,
      'idempotency-key': key,
    },
  })
  sending.once('error', reject)
  sending.write(form.subarray(0, form.length - Math.floor(bytes.length / 2)))
  return await promise
}

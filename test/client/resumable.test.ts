import { randomUUID } from 'node:crypto'
import { createClient } from 'exora/client'
import { test } from 'tap'
import { startApp } from '../support/app.ts'
import { pdf } from '../support/multipart.ts'

type Fetch = typeof globalThis.fetch
type Asked = { readonly method: string; readonly offset: string | null }
/** What happens to one request on its way. */
type Fate = 'cut in the middle' | 'answer lost'

const retries = { baseMs: 1, maxMs: 2 }
const resumable = { aboveBytes: 20, pieceBytes: 1_000 }

/** The way to the server, with an accident for some of the pieces, in their order. */
function badWay(fates: ReadonlyMap<number, Fate> = new Map()) {
  const asked: Asked[] = []
  let pieces = 0
  const way: Fetch = async (input, init = {}) => {
    const { method = 'GET' } = init
    asked.push({ method, offset: new Headers(init.headers).get('upload-offset') })
    if (method !== 'PATCH') return await fetch(input, init)
    pieces += 1
    const fate = fates.get(pieces)
    if (fate === 'cut in the middle') {
      const arrived = new Uint8Array(await new Response(init.body).arrayBuffer()).subarray(0, 300)
      await fetch(input, { ...init, body: arrived })
    } else {
      const answer = await fetch(input, init)
      if (fate === undefined) return answer
      await answer.text()
    }
    throw new TypeError('the connection broke')
  }
  return { asked, way, count: (method: string) => asked.filter((one) => one.method === method).length }
}

test('a large file goes piece by piece', async (group) => {
  const server = await startApp(group)
  const { profileId: patient_id, token } = await server.account(randomUUID())
  const clientOver = (way: Fetch) => createClient({ baseUrl: server.url, token, fetch: way, retries, resumable })
  const letter = (bytes = Buffer.concat([pdf(randomUUID()), Buffer.alloc(2_500)])) =>
    new File([new Uint8Array(bytes)], 'Größe.pdf')

  await group.test('it becomes a document with all that was said of it', async (t) => {
    const { way, count } = badWay()
    const { documents } = clientOver(way)
    const file = letter()
    const told: number[] = []
    const stored = await documents.upload(
      { patient_id, file, note: 'from the hospital', document_date: '2024-02-29' },
      { onProgress: ({ sentBytes }) => void told.push(sentBytes) },
    )
    t.match(stored, { status: 'enqueued', filename: 'Größe.pdf', size_bytes: file.size, duplicate_of: null })
    t.match(await documents.get(stored.shell_file_id), { note: 'from the hospital', document_date: '2024-02-29' })
    t.equal(count('POST'), 1)
    t.same(
      told,
      told.toSorted((a, b) => a - b),
    )
    t.equal(told.at(-1), file.size)
  })

  await group.test('nothing that arrived is sent again', async (t) => {
    const { way, asked, count } = badWay(new Map([[2, 'cut in the middle']]))
    const file = letter()
    t.match(await clientOver(way).documents.upload({ patient_id, file }), { size_bytes: file.size })
    t.equal(count('POST'), 1)
    t.same(asked.flatMap(({ method, offset }) => (method === 'PATCH' ? [offset] : [])).slice(0, 3), [
      '0',
      '1000',
      '1300',
    ])
  })

  await group.test('when the last answer was lost, the upload itself tells what it has become', async (t) => {
    const file = letter()
    const last = Math.ceil(file.size / resumable.pieceBytes)
    const { way, count } = badWay(new Map([[last, 'answer lost']]))
    const { documents } = clientOver(way)
    const stored = await documents.upload({ patient_id, file })
    t.match(stored, { status: 'enqueued', size_bytes: file.size })
    t.equal(count('PATCH'), last, 'and nothing is sent again')
    t.match(await documents.get(stored.shell_file_id), { id: stored.shell_file_id })
  })

  await group.test('the key of an earlier upload, in one go or in pieces, answers with its document', async (t) => {
    const file = letter()
    const key = { idempotencyKey: 'the same' }
    const inOneGo = createClient({ baseUrl: server.url, token, retries })
    const { shell_file_id: id } = await inOneGo.documents.upload({ patient_id, file }, key)
    const again = await clientOver(badWay().way).documents.upload({ patient_id, file }, key)
    t.equal(again.shell_file_id, id)
  })

  await group.test('a second copy is kept where that is wanted', async (t) => {
    const file = letter()
    const { documents } = clientOver(badWay().way)
    const first = await documents.upload({ patient_id, file })
    t.equal((await documents.upload({ patient_id, file })).duplicate_of, first.shell_file_id)
    t.not((await documents.upload({ patient_id, file, keep_both: true })).shell_file_id, first.shell_file_id)
  })
})

import { createClient } from 'exora/client'
import { test } from 'tap'

/** As much of tus 1.0 as the client speaks, in memory; the connection breaks in the middle of every second piece. */
function startTus() {
  const kept: number[] = []
  const asked: string[] = []
  let created = new Headers()
  let pieces = 0
  const answer = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { method = 'GET' } = init
    asked.push(method)
    const headers = new Headers(init.headers)
    if (headers.get('tus-resumable') !== '1.0.0') return new Response('', { status: 412 })
    if (method === 'POST') {
      created = headers
      return new Response('', { status: 201, headers: { location: '/documents/upload/resumable/1' } })
    }
    if (!new Request(input).url.endsWith('/documents/upload/resumable/1')) return new Response('', { status: 404 })
    if (method === 'HEAD') return new Response('', { headers: { 'upload-offset': String(kept.length) } })
    if (Number(headers.get('upload-offset')) !== kept.length) return new Response('', { status: 409 })
    const piece = new Uint8Array(await new Response(init.body).arrayBuffer())
    pieces += 1
    kept.push(...(pieces % 2 === 0 ? piece.subarray(0, 3) : piece))
    if (pieces % 2 === 0) throw new TypeError('the connection broke')
    const isWhole = kept.length === Number(created.get('upload-length'))
    return isWhole ? Response.json({ shell_file_id: 'whole' }) : new Response(null, { status: 204 })
  }
  return { answer, asked, kept, created: () => created }
}

const retries = { baseMs: 1, maxMs: 2 }

test('a large file goes piece by piece, and nothing that arrived is sent again', async (t) => {
  const tus = startTus()
  const resumable = { aboveBytes: 20, pieceBytes: 10 }
  const client = createClient({ baseUrl: 'http://x.test', token: 'x', fetch: tus.answer, retries, resumable })
  const file = new File(['abcdefghijklmnopqrstuvwxyz0123456789'], 'Größe.txt')
  const told: number[] = []
  const onProgress = ({ sentBytes }: { sentBytes: number }) => void told.push(sentBytes)
  const stored = await client.documents.upload({ patient_id: 'p', file }, { idempotencyKey: 'k', onProgress })
  t.match(stored, { shell_file_id: 'whole' })
  t.equal(Buffer.from(tus.kept).toString(), await file.text())
  t.equal(tus.asked.filter((method) => method === 'POST').length, 1)
  t.same(
    told,
    told.toSorted((a, b) => a - b),
  )
  t.equal(told.at(-1), file.size)
  t.equal(tus.created().get('idempotency-key'), 'k')
  t.match(tus.created().get('upload-metadata'), `filename ${Buffer.from('Größe.txt').toString('base64')}`)
})

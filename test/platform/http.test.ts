import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { fetchOnce } from '../../platform/http.ts'

const limits = { timeoutMs: 5_000, maxBytes: 1_000 }

test('an answer comes back whole, whatever its status', async (t) => {
  const url = await serve(t, (request, response) => {
    response.writeHead(429, { 'retry-after': '7' }).end(`${request.method} ${request.headers['x-key']}`)
  })
  const answer = await fetchOnce(url, { ...limits, method: 'POST', headers: { 'x-key': 'k' }, body: '{}' })
  t.equal(answer.status, 429)
  t.equal(answer.headers.get('retry-after'), '7')
  t.equal(answer.body.toString(), 'POST k')
})

test('a service that never answers, or stops half way, is given up in time', async (t) => {
  const silent = await serve(t, () => {})
  await t.rejects(fetchOnce(silent, { ...limits, timeoutMs: 20 }), { code: 'outbound_timeout' })
  const halting = await serve(t, (_request, response) => void response.writeHead(200).write('a'))
  await t.rejects(fetchOnce(halting, { ...limits, timeoutMs: 50 }), { code: 'outbound_timeout' })
})

test('an answer without end is cut off', async (t) => {
  const url = await serve(t, (_request, response) => {
    const flow = () => {
      while (!response.destroyed && response.write('x'.repeat(500)));
    }
    response.on('drain', flow).on('error', () => {})
    flow()
  })
  await t.rejects(fetchOnce(url, limits), { code: 'outbound_too_large' })
})

test('a redirect is not followed', async (t) => {
  const target = await serve(t, (_request, response) => void response.end('secret'))
  const url = await serve(t, (_request, response) => void response.writeHead(302, { location: target }).end())
  await t.rejects(fetchOnce(url, limits), { code: 'outbound_unreachable' })
})

test('who gives up is told its own reason; nobody there is an error of ours', async (t) => {
  const url = await serve(t, () => {})
  const stop = new AbortController()
  const asking = fetchOnce(url, { ...limits, signal: stop.signal })
  stop.abort(new Error('lease lost'))
  await t.rejects(asking, { message: 'lease lost' })
  await t.rejects(fetchOnce('http://127.0.0.1:1/', limits), { code: 'outbound_unreachable' })
})

async function serve(t: { teardown(work: () => unknown): unknown }, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/`
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from './postgres.ts'

export type Told = { readonly headers: IncomingHttpHeaders; readonly body: string }
export type Behaviour = 'takes' | 'fails' | 'redirects' | 'resets' | 'says_nothing'

/** A receiver of webhooks on the loopback, which behaves as it was told, in turn; then it takes everything. */
export async function startWebhookServer(t: Teardown, ...behaviours: readonly Behaviour[]) {
  const told: Told[] = []
  const left = [...behaviours]
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      told.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
      server.emit('told')
      behave(left.shift() ?? 'takes', response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/alerts`, told, nextTold: async () => void (await once(server, 'told')) }
}

function behave(behaviour: Behaviour, response: ServerResponse): void {
  if (behaviour === 'takes') response.writeHead(204).end()
  else if (behaviour === 'fails') response.writeHead(500).end('no')
  else if (behaviour === 'redirects') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
  else if (behaviour === 'resets') response.destroy()
}

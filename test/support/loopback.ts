import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Teardown } from './postgres.ts'

export type Asked = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }

/** The far side of the network, on the loopback and gone with the test; asked for whole requests. */
export async function startLoopback(
  t: Teardown,
  answer: (asked: Asked, response: ServerResponse, server: Server) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { headers, url: path = '' } = request
      answer({ path, headers, body: Buffer.concat(parts).toString() }, response, server)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server }
}

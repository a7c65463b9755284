import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Teardown } from './postgres.ts'

export type BadLine = {
  /** Leads to the same server as the address that it was made for. */
  readonly url: string
  /** What happens to the next connection that carries more than so many bytes to the server: once, then all is well. */
  readonly failAfter: (bytes: number, fate: 'cut' | 'stall', onFailed?: () => void) => void
  /** All connections of now break. */
  readonly cutAll: () => void
}

/** A way to a server that breaks in the middle of requests. */
export async function startBadLine(t: Teardown, targetUrl: string): Promise<BadLine> {
  const target = new URL(targetUrl)
  const open = new Set<Socket>()
  let failing: { readonly bytes: number; readonly fate: 'cut' | 'stall'; readonly onFailed: () => void } | null = null

  const listening = createServer((client) => {
    const server = connect(Number(target.port), target.hostname)
    let carried = 0
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    client.on('data', (chunk: Buffer) => {
      carried += chunk.byteLength
      if (failing === null || carried <= failing.bytes) {
        if (!server.write(chunk)) client.pause()
        return
      }
      const { fate, onFailed } = failing
      failing = null
      if (fate === 'cut') client.destroy()
      else client.pause().removeAllListeners('data')
      onFailed()
    })
    server.on('drain', () => client.resume())
    server.pipe(client)
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const cutAll = () => {
    for (const socket of open) socket.destroy()
  }
  t.teardown(() => {
    cutAll()
    listening.close()
  })
  const { port } = listening.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    failAfter: (bytes, fate, onFailed = () => {}) => {
      failing = { bytes, fate, onFailed }
    },
    cutAll,
  }
}

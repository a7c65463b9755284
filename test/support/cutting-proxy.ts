import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Teardown } from './postgres.ts'

export type CuttingProxy = {
  readonly url: string
  /** So many of the next connections break once so many bytes have gone this way. */
  readonly cut: (way: 'sent' | 'answered', limits: { afterBytes: number; connections: number }) => void
  readonly cuts: () => number
}

type Plan = { way: 'sent' | 'answered'; afterBytes: number; left: number }

/** A way to a server over HTTP that breaks in the middle, as networks do. */
export async function startCuttingProxy(t: Teardown, target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let plan: Plan = { way: 'sent', afterBytes: 0, left: 0 }
  let cuts = 0
  const listening = createServer((client) => {
    const server = connect(Number(port), hostname)
    const passed = { sent: 0, answered: 0 }
    const both = [client, server]
    const pass = (way: Plan['way'], to: Socket) => (bytes: Buffer) => {
      passed[way] += bytes.length
      to.write(bytes)
      if (plan.left === 0 || plan.way !== way || passed[way] < plan.afterBytes) return
      plan.left -= 1
      cuts += 1
      for (const socket of both) socket.destroy()
    }
    client.on('data', pass('sent', server))
    server.on('data', pass('answered', client))
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    listening.close()
  })
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    cut: (way, { afterBytes, connections }) => {
      plan = { way, afterBytes, left: connections }
    },
    cuts: () => cuts,
  }
}

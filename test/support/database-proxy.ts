import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Teardown } from './postgres.ts'
import { forEachMessage } from './wire-messages.ts'

export type DatabaseProxy = {
  /** Leads to the same database as the address that it was made for. */
  readonly url: string
  /** Connections made through it so far. */
  readonly made: () => number
  /** From now on the server's notifications do not come through; everything else does. */
  readonly mute: () => void
  readonly unmute: () => void
  /** The connections of now stay open and carry nothing any more, as when a route dies; new ones work. */
  readonly swallow: () => void
  /** So do new ones. */
  readonly swallowAll: () => void
  /** New connections are taken and closed at once, as by a balancer with nothing behind it; those of now too. */
  readonly refuse: () => void
  readonly recover: () => void
  /** As PgBouncer does: no session may ask for a role when it begins. */
  readonly refuseRoles: () => void
}

type Passage = { readonly sockets: readonly Socket[]; isSwallowed: boolean }

/** A way to the database that can fail as networks do. Reads enough of the protocol to know a notification. */
export async function startDatabaseProxy(t: Teardown, targetUrl: string): Promise<DatabaseProxy> {
  const target = new URL(targetUrl)
  const passages = new Set<Passage>()
  let made = 0
  let isMute = false
  let refusesRoles = false
  let mode: 'forward' | 'swallow' | 'refuse' = 'forward'

  function pass(client: Socket): void {
    made += 1
    client.on('error', () => {})
    if (mode === 'refuse') {
      client.end()
      return
    }
    const server = connect({ host: target.hostname, port: Number(target.port) })
    const passage: Passage = { sockets: [client, server], isSwallowed: mode === 'swallow' }
    passages.add(passage)
    client.once('data', (startup: Buffer) => {
      if (refusesRoles && startup.includes('\0role\0')) client.end(refusal)
    })
    client.on('data', (bytes: Buffer) => {
      if (!passage.isSwallowed) server.write(bytes)
    })
    const fromServer = forEachMessage((type, message) => {
      if (!passage.isSwallowed && !(isMute && type === 'A')) client.write(message)
    })
    server.on('data', fromServer)
    server.on('error', () => {})
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const)
      from.on('close', () => {
        if (!passage.isSwallowed) to.destroy()
      })
  }

  const listening = createServer(pass).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const cutAll = () => {
    for (const { sockets } of passages) for (const socket of sockets) socket.destroy()
    passages.clear()
  }
  t.teardown(() => {
    cutAll()
    listening.close()
  })
  const url = new URL(targetUrl)
  url.hostname = '127.0.0.1'
  url.port = String(portOf(listening.address()))
  const swallow = () => {
    for (const passage of passages) passage.isSwallowed = true
  }
  return {
    url: url.href,
    made: () => made,
    mute: () => {
      isMute = true
    },
    unmute: () => {
      isMute = false
    },
    swallow,
    swallowAll: () => {
      mode = 'swallow'
      swallow()
    },
    refuse: () => {
      mode = 'refuse'
      cutAll()
    },
    recover: () => {
      mode = 'forward'
    },
    refuseRoles: () => {
      refusesRoles = true
    },
  }
}

const refusalFields = Buffer.from('SFATAL\0C08P01\0Munsupported startup parameter: role\0\0')
const refusal = Buffer.concat([Buffer.from([0x45, 0, 0, 0, 4 + refusalFields.length]), refusalFields])

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not a TCP address')
  return address.port
}

import { connect } from 'node:net'
import type { Socket } from 'node:net'

// What the server has to say to a goodbye, it says at once.
const goodbyeMs = 1_000

type Address = { readonly host: readonly string[]; readonly port: readonly number[]; readonly path: string | false }

/**
 * A connection that the other side ends has failed. postgres.js 3.4.9 takes one that is ended before the server has
 * said anything, as balancers and container proxies do with nothing behind them, for one to be made again at once: it
 * tried 430 times a second, for ever, and whoever waited for the statement was never told.
 *
 * One that it ends itself it leaves half open until the other side has ended it too, which a server that no longer
 * answers never does: such sockets would pile up, and keep a process that wants to end.
 */
export function openSocket({ host: [host = ''], port: [port = 0], path }: Address): Socket {
  const socket = path ? connect({ path }) : connect({ host, port })
  socket.once('end', () => {
    socket.destroy(Object.assign(new Error('the server ended the connection'), { code: 'CONNECTION_CLOSED' }))
  })
  socket.once('finish', () => setTimeout(() => socket.destroy(), goodbyeMs).unref())
  // By this name the driver verifies a certificate.
  return Object.assign(socket, { host })
}

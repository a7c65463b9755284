import { connect } from 'node:net'
import type { Socket } from 'node:net'

type Address = { readonly host: readonly string[]; readonly port: readonly number[]; readonly path: string | false }

/**
 * A connection that the other side ends has failed. postgres.js 3.4.9 takes one that is ended before the server has
 * said anything, as balancers and container proxies do with nothing behind them, for one to be made again at once: it
 * tried 430 times a second, for ever, and whoever waited for the statement was never told.
 */
export function openSocket({ host: [host = ''], port: [port = 0], path }: Address): Socket {
  const socket = path ? connect({ path }) : connect({ host, port })
  socket.once('end', () => {
    socket.destroy(Object.assign(new Error('the server ended the connection'), { code: 'CONNECTION_CLOSED' }))
  })
  // By this name the driver verifies a certificate.
  return Object.assign(socket, { host })
}

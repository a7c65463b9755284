import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Server } from '../types.ts'
import { headersTooLarge, invalidRequest } from './errors.ts'
import { asAppError, problemOf } from './problems.ts'

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }

/** Of each connection, what is being answered on it; more than one where requests came in one breath. */
const exchanges = new WeakMap<Socket, Set<Exchange>>()

export function addExchanges(app: Server): void {
  app.server.on('request', (request, response) => {
    const ofSocket = exchanges.get(request.socket) ?? new Set()
    exchanges.set(request.socket, ofSocket)
    const exchange = { request, response }
    ofSocket.add(exchange)
    response.once('close', () => ofSocket.delete(exchange))
  })
}

/** What Node's parser refuses never becomes a request; it is answered in the same form all the same. */
export function answerClientError(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy()
    return
  }
  const open = [...(exchanges.get(socket) ?? [])]
  const last = open.at(-1)
  // What stands behind a whole request is not its answer's business: that is given, and then the connection closes.
  if (last !== undefined && last.request.complete) {
    last.response.once('close', () => socket.destroySoon())
    return
  }
  // The answer would stand in the place of an earlier one, or in the middle of its own.
  if (open.length > 1 || last?.response.headersSent === true) {
    socket.destroy()
    return
  }
  const told = asAppError(error)
  const shown = told.status === 500 ? invalidRequest({ detail: 'This is not a request that HTTP knows.' }) : told
  const correlationId = randomUUID()
  const body = JSON.stringify(problemOf(shown, correlationId))
  socket.end(
    [
      `HTTP/1.1 ${shown.status} ${STATUS_CODES[shown.status] ?? 'Error'}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-correlation-id: ${correlationId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

/** Node drops what is above its limit without a word, which may be what counts: more than `max` are refused. */
export function limitHeaders(app: Server, max: number): void {
  app.server.maxHeadersCount = max + 1
  app.addHook('onRequest', async (request) => {
    if (request.raw.rawHeaders.length > 2 * max) throw headersTooLarge()
  })
}

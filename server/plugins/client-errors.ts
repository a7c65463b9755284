import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { invalidRequest } from './errors.ts'
import { asAppError, problemOf } from './problems.ts'

/** What Node's parser refuses never becomes a request; it is answered in the same form all the same. */
export function answerClientError(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
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

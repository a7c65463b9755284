import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Server } from '../types.ts'

export const correlationHeader = 'x-correlation-id'

const acceptable = /^[A-Za-z0-9._-]{1,64}$/

/** The caller's id where it is safe to log, store and send back; else one of ours. */
export function correlationIdOf(request: IncomingMessage): string {
  const given = request.headers[correlationHeader]
  return typeof given === 'string' && acceptable.test(given) ? given : randomUUID()
}

/** Every answer names the id that follows its work through log, database, job and audit. */
export function addCorrelation(app: Server): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(correlationHeader, request.id)
  })
}

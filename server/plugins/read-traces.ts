import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { asService, inetOf } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { recordReads } from '../../db/queries/read-traces.ts'
import type { ReadGround, ReadTrace, ReadView } from '../../db/queries/read-traces.ts'
import type { Logger } from '../../platform/log.ts'
import type { Server } from '../types.ts'
import { actorOf } from './authentication/authentication.ts'
import { unauthenticated } from './errors.ts'
import { createTraceBuffer } from './trace-buffer.ts'
import type { TraceBuffer } from './trace-buffer.ts'

/**
 * Whoever is shown a person's data leaves a trace, before the answer leaves us. A route that reads notes what it read
 * (`noteRead`); here it is recorded once the answer is known to be one: 200, 206 and 304, to GET and HEAD alike. Problems
 * show nothing and leave nothing.
 */
export function addReadTraces(app: Server, traces: TraceBuffer): void {
  app.decorateRequest('readTrace', null)
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.readTrace === null || reply.statusCode >= 400) return payload
    try {
      await traces.record(request.readTrace)
    } catch (error) {
      if (payload instanceof Readable) payload.destroy()
      throw error
    }
    return payload
  })
  app.addHook('onClose', () => traces.stop())
}

export type Seen = {
  readonly patientId: string
  readonly view: ReadView
  /** Of the document; with the page behind a slash where it is one page; of the person where it is a list. */
  readonly recordId: string
  readonly ground: ReadGround
}

/** For routes that have read a person's data; the last one noted is what is recorded. */
export function noteRead(request: FastifyRequest, { patientId, view, recordId, ground }: Seen): ReadTrace {
  const actor = actorOf(request)
  if (actor.accountId === null) throw unauthenticated()
  const { trace_id, read_at, basis, grant_id } = ground
  request.readTrace = {
    trace_id,
    read_at,
    basis,
    grant_id,
    view,
    account_id: actor.accountId,
    patient_id: patientId,
    record_id: recordId,
    correlation_id: actor.correlationId,
    client_address: inetOf(request.ip) || null,
    count: 1,
  }
  return request.readTrace
}

export function createReadTraces(db: Database, log: Logger): TraceBuffer {
  return createTraceBuffer(async (traces) => {
    const refused = await asService(db, {}, (tx) => recordReads(tx, traces))
    if (refused > 0) log.error({ event: 'read_traces_refused', count: refused }, 'the log refused traces of reading')
  }, log)
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What was read for this answer; null where nothing of a person's data was. */
    readTrace: ReadTrace | null
  }
}

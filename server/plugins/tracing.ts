import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { Span } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'
import { uploadedFile } from '../../jobs/trace-names.ts'
import type { Tracing } from '../../platform/tracing.ts'
import type { Server } from '../types.ts'
import { routeOf } from './request-log.ts'

// Asked every few seconds by machines.
const untraced = new Set(['/health', '/ready', '/metrics'])

/** One span for each request, and within it one for a file that it put into the queue. Nothing at all without tracing. */
export function addTracing(app: Server, tracing: Tracing | null): void {
  app.decorateRequest('enqueuedFileId', null)
  if (tracing === null) return
  const open = new WeakMap<FastifyRequest, Span>()

  app.addHook('onRequest', async (request) => {
    const route = routeOf(request)
    if (untraced.has(route)) return
    const attributes = {
      'http.request.method': request.method,
      'http.route': route,
      'exora.correlation_id': request.id,
    }
    const place = { kind: SpanKind.SERVER, correlationId: request.id, within: null }
    open.set(request, tracing.start(`${request.method} ${route}`, place, attributes))
  })
  app.addHook('onResponse', async (request, reply) => {
    const span = open.get(request)
    if (span === undefined) return
    if (request.enqueuedFileId !== null) tellOfFile(tracing, span, request, request.enqueuedFileId)
    span.setAttribute('http.response.status_code', reply.statusCode)
    if (request.errorCode !== null) span.setAttribute('error.type', request.errorCode)
    if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  })
}

function tellOfFile(tracing: Tracing, within: Span, request: FastifyRequest, shellFileId: string): void {
  const place = { kind: SpanKind.PRODUCER, correlationId: request.id, within, knownAs: uploadedFile(shellFileId) }
  tracing.start('enqueue', place, { 'exora.shell_file_id': shellFileId }).end()
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The file that this request has just put into the queue. */
    enqueuedFileId: string | null
  }
}

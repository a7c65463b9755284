import multipart from '@fastify/multipart'
import Fastify, { LogController } from 'fastify'
import type { FastifyBaseLogger } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { addExchanges, answerClientError, limitHeaders } from './plugins/client-errors.ts'
import { addCorrelation, correlationHeader, correlationIdOf } from './plugins/correlation.ts'
import { addDrain } from './plugins/drain.ts'
import { addExpectations } from './plugins/expectations.ts'
import { createFileEvents } from './plugins/file-events.ts'
import { warnOfForwarding } from './plugins/forwarded.ts'
import { addMetrics } from './plugins/metrics.ts'
import { addOpenApi } from './plugins/openapi.ts'
import { addOverload, createOverloadGauge } from './plugins/overload.ts'
import { addProblems, answerProblem, asAppError } from './plugins/problems.ts'
import { addReadTraces, createReadTraces } from './plugins/read-traces.ts'
import { createRealtime } from './plugins/realtime/realtime.ts'
import { createRequestLimiter, limitAddresses } from './plugins/request-limits/request-limits.ts'
import { addRequestLog } from './plugins/request-log.ts'
import { addSecurity } from './plugins/security.ts'
import { addSlowBodies } from './plugins/slow-bodies.ts'
import { addTracing } from './plugins/tracing.ts'
import { authenticationOf } from './plugins/authentication/authentication-of.ts'
import { createKeptPictures } from './routes/documents/kept-pictures.ts'
import { createPagePictures } from './routes/documents/page-pictures.ts'
import { addRoutes } from './routes/index.ts'
import { createUploadGate } from './routes/uploads/gate.ts'
import type { Server, ServerDeps } from './types.ts'

const limits = {
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  headers: 100,
  // How often Node looks for connections whose time is over.
  checkEveryMs: 5_000,
}

/** The whole server but for listening: `listen` or `inject` as you like. */
export async function buildApp(deps: ServerDeps): Promise<Server> {
  const { patience } = deps.config.protection
  const loggerInstance: FastifyBaseLogger = deps.log
  const app: Server = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlation_id' }),
    genReqId: correlationIdOf,
    bodyLimit: limits.bodyBytes,
    requestTimeout: patience.requestMs,
    // Nothing read and nothing written: also who asks for a file and then does not take it. Streams of events have a beat.
    connectionTimeout: patience.requestMs,
    keepAliveTimeout: patience.keepAliveMs,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: patience.headersMs,
      connectionsCheckingInterval: Math.min(limits.checkEveryMs, patience.headersMs),
    },
    trustProxy: (_address, hop) => hop < deps.config.trustedProxies,
    forceCloseConnections: 'idle',
    // The framework's own answer is no problem document, and loses what had been sent.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    // Raised before there is a route, hence before any hook that would have named the request.
    frameworkErrors: (error, request, reply) => {
      reply.header(correlationHeader, request.id)
      answerProblem(reply, asAppError(error), request)
    },
  })
  const fileEvents = createFileEvents(deps.db, deps.log)
  const realtime = createRealtime(deps.db, deps.log, deps.metrics, deps.config.eventStreams)
  const uploadGate = createUploadGate(deps.config.uploads)
  const traces = createReadTraces(deps.db, deps.log)
  const limiter = createRequestLimiter(deps.db, deps.config.protection, deps.log)
  const overload = createOverloadGauge(deps.db, deps.config.protection.overload)
  const pictures = createPagePictures(deps.store, createKeptPictures(deps), deps.renderPage)

  addCorrelation(app)
  addProblems(app)
  addSecurity(app, deps.config)
  addRequestLog(app)
  warnOfForwarding(app, deps.config.trustedProxies)
  addMetrics(app, deps.metrics, { uploads: uploadGate, events: realtime.streams, traces })
  addTracing(app, deps.tracing)
  addReadTraces(app, traces)
  addDrain(app)
  addExchanges(app)
  addSlowBodies(app, patience, 2 * deps.config.uploads.maxBytes)
  addExpectations(app)
  // After CORS, so that a page may read why it was refused.
  app.after(() => {
    addOverload(app, overload, deps.metrics)
    limitAddresses(app, limiter)
  })
  addOpenApi(app)
  app.register(multipart)
  limitHeaders(app, limits.headers)
  app.register(async (scope) => {
    // In a scope of its own: plugins with plain JSON schemas would not get along with zod's compilers.
    scope.setValidatorCompiler(validatorCompiler)
    scope.setSerializerCompiler(serializerCompiler)
    addRoutes(
      scope.withTypeProvider<ZodTypeProvider>(),
      { ...deps, fileEvents, realtime, traces, uploadGate, limiter, overload, pictures },
      authenticationOf(deps),
    )
  })

  app.addHook('onReady', async () => {
    await Promise.all([fileEvents.start(), realtime.start()])
  })
  app.addHook('preClose', async () => realtime.streams.end())
  app.addHook('onClose', async () => {
    await Promise.all([fileEvents.stop(), realtime.stop()])
  })
  await app.ready()
  return app
}

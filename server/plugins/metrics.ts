import type { Metrics } from '../../platform/telemetry.ts'
import type { UploadGate } from '../routes/uploads/gate.ts'
import type { Server } from '../types.ts'
import type { EventStreams } from './realtime/event-streams.ts'
import type { TraceBuffer } from './trace-buffer.ts'
import { routeOf } from './request-log.ts'

type Open = { readonly uploads: UploadGate; readonly events: EventStreams; readonly traces: TraceBuffer }

/** Counts and times requests by route pattern; what is open right now is read when somebody asks. */
export function addMetrics(app: Server, metrics: Metrics, open: Open): void {
  const duration = metrics.histogram('exora_http_request_duration_seconds', 'Time to answer, by route', [
    'method',
    'route',
    'status',
  ])
  const problemsAnswered = metrics.counter('exora_http_problems_total', 'Problems answered, by code', ['code'])
  const uploads = metrics.gauge('exora_uploads', 'Uploads being read or waiting to be', ['state'])
  const streams = metrics.gauge('exora_event_streams', 'Open event streams')
  const traces = metrics.gauge('exora_read_traces_waiting', 'Traces of reading on their way to the audit log')

  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: routeOf(request), status: String(reply.statusCode) }
    duration.observe(labels, reply.elapsedTime / 1000)
    if (request.errorCode !== null) problemsAnswered.inc({ code: request.errorCode })
  })
  app.addHook('onRequest', async (request) => {
    if (routeOf(request) !== '/metrics') return
    uploads.set({ state: 'active' }, open.uploads.active())
    uploads.set({ state: 'waiting' }, open.uploads.waiting())
    streams.set(open.events.count())
    traces.set(open.traces.waiting())
  })
}

import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import type { Context } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { SpanProcessor } from '@opentelemetry/sdk-trace'
import { ownVersion } from './own-version.ts'
import { spanIdOf, traceIdOf } from './tracing.ts'
import type { SpanPlace, TracedService, Tracing, TracingConfig } from './tracing.ts'

const exportTimeoutMs = 5_000

export function exportTraces(config: TracingConfig, service: TracedService): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${config.endpoint}/v1/traces`,
    headers: { ...config.headers },
    timeoutMillis: exportTimeoutMs,
  })
  // Bounded: while nobody takes them, spans are dropped, and jobs go on.
  const processor = new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMs })
  return createTracing(processor, { ratio: config.ratio, service })
}

export function createTracing(
  processor: SpanProcessor,
  options: { readonly ratio: number; readonly service: TracedService },
): Tracing {
  const ids = createIds()
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service.name,
      'service.version': ownVersion(),
      'deployment.environment.name': options.service.environment,
    }),
    // By trace id, which all processes compute alike: a trace is sent whole or not at all.
    sampler: new TraceIdRatioBasedSampler(options.ratio),
    idGenerator: ids,
    spanProcessors: [processor],
  })
  const tracer = provider.getTracer('exora')
  return {
    start: (name, place, attributes) => {
      ids.nextIs(place)
      return tracer.startSpan(name, { kind: place.kind, attributes }, contextOf(place))
    },
    close: () => provider.shutdown(),
  }
}

function contextOf({ within, correlationId }: SpanPlace): Context {
  if (within === null) return ROOT_CONTEXT
  if (typeof within !== 'string') return trace.setSpan(ROOT_CONTEXT, within)
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(correlationId),
    spanId: spanIdOf(correlationId, within),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}

/** The SDK asks for ids while a span starts; which they are to be is said right before. */
function createIds() {
  const random = new RandomIdGenerator()
  let next: SpanPlace | null = null
  return {
    nextIs: (place: SpanPlace) => {
      next = place
    },
    generateTraceId: () => (next === null ? random.generateTraceId() : traceIdOf(next.correlationId)),
    generateSpanId: () =>
      next?.knownAs === undefined ? random.generateSpanId() : spanIdOf(next.correlationId, next.knownAs),
  }
}

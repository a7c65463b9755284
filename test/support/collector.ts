import { z } from 'zod'
import { startLoopback } from './loopback.ts'
import type { Asked } from './loopback.ts'
import type { Teardown } from './postgres.ts'

const anyValue = z.record(z.string(), z.unknown()).transform((value) => String(Object.values(value)[0]))
const attributes = z
  .array(z.object({ key: z.string(), value: anyValue }))
  .transform((pairs) => new Map(pairs.map(({ key, value }) => [key, value])))

const otlpSpan = z.object({
  name: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  attributes,
})

const otlpRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(otlpSpan) })),
    }),
  ),
})

export type SentSpan = z.infer<typeof otlpSpan> & { readonly service: string }

/** Takes traces as an OpenTelemetry collector does: OTLP over HTTP, in JSON. */
export async function startCollector(t: Teardown) {
  const spans: SentSpan[] = []
  const requests: Asked[] = []
  const { url } = await startLoopback(t, (asked, response) => {
    requests.push(asked)
    for (const { resource, scopeSpans } of otlpRequest.parse(JSON.parse(asked.body)).resourceSpans)
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({ ...span, service: resource.attributes.get('service.name') ?? '' })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  return { endpoint: url, spans, requests }
}

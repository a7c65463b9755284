import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const media = z.object({ schema: z.record(z.string(), z.unknown()).optional() })
const operation = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()).optional() }))
    .default([]),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), media).default({}) })).default({}),
})
const description = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) })
type Operation = z.output<typeof operation>

export type Asked = {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}
export type Request = {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: string
  readonly token?: string
  readonly json?: unknown
  readonly body?: FormData | Buffer<ArrayBuffer> | ReadableStream<Uint8Array> | string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks a server by the templates of its own description, and notes where its answers are not what that declares. */
export type ApiRecorder = {
  readonly operations: ReadonlyMap<string, Operation>
  readonly breaches: readonly string[]
  /** `GET /documents/{id} 404`, for each that came. */
  readonly seen: ReadonlySet<string>
  readonly ask: (name: string, request?: Request) => Promise<Asked>
}

export function recordApi(url: string, described: unknown): ApiRecorder {
  const operations = operationsOf(described)
  const breaches: string[] = []
  const seen = new Set<string>()
  return {
    operations,
    breaches,
    seen,
    ask: async (name, request = {}) => {
      const declared = operations.get(name)
      if (declared === undefined) throw new Error(`${name} is not described`)
      const answer = await send(url, name, request)
      seen.add(`${name} ${answer.status}`)
      breaches.push(...breachesOf(declared, answer).map((breach) => `${name} ${answer.status}: ${breach}`))
      return { status: answer.status, headers: answer.headers, body: objectOf(answer.text, answer.type) }
    },
  }
}

type Sent = { readonly status: number; readonly headers: Headers; readonly type: string; readonly text: string }

async function send(url: string, name: string, request: Request): Promise<Sent> {
  const [method = 'GET', template = ''] = name.split(' ')
  const path = template.replaceAll(/\{(\w+)\}/g, (_all, field: string) => request.path?.[field] ?? '-')
  const controller = new AbortController()
  const answer = await fetch(url + path + (request.query ?? ''), {
    method,
    signal: controller.signal,
    headers: {
      ...(request.token === undefined ? {} : { authorization: `Bearer ${request.token}` }),
      ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
    ...(request.body === undefined ? {} : { body: request.body, duplex: 'half' as const }),
  })
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  // Events go on.
  if (type === 'text/event-stream') await answer.body?.cancel()
  const text = type === 'text/event-stream' ? '' : await answer.text()
  return { status: answer.status, headers: answer.headers, type, text }
}

function breachesOf({ responses }: Operation, { status, type, text, headers }: Sent): string[] {
  const response = responses[String(status)]
  if (response === undefined) return ['this status is not declared']
  if (status >= 400 && type === 'application/problem+json') {
    const { code, correlation_id: id } = objectOf(text, type)
    const isKnown = typeof code === 'string' && documentedCodes.has(`${code} ${status}`)
    return [
      ...(isKnown ? [] : [`docs/errors.md does not know ${code}`]),
      ...(id === headers.get('x-correlation-id') ? [] : ['names another correlation id than its header']),
      ...invalid(response.content[type]?.schema, text),
    ]
  }
  // 503 of /ready is an answer, not an error.
  const json = response.content['application/json']
  if (status >= 400 && json === undefined) return [`${type} is no problem`]
  return type === 'application/json' ? invalid(json?.schema, text) : []
}

function invalid(schema: Readonly<Record<string, unknown>> | undefined, text: string): string[] {
  if (schema === undefined) return ['its body has no schema']
  const shape = shapes.get(schema) ?? z.fromJSONSchema(schema)
  shapes.set(schema, shape)
  const read = shape.safeParse(JSON.parse(text))
  return read.success ? [] : [z.prettifyError(read.error)]
}

function operationsOf(described: unknown): Map<string, Operation> {
  const { paths } = description.parse(described)
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${path}`, one] as const),
    ),
  )
}

const shapes = new WeakMap<object, z.ZodType>()
const anything = z.record(z.string(), z.unknown())
const objectOf = (text: string, type: string) =>
  /json/.test(type) ? (anything.safeParse(JSON.parse(text)).data ?? {}) : {}

const documentedCodes = new Set(
  [
    ...readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8').matchAll(
      /^\| `([a-z_]+)` \| (\d{3}) \|/gm,
    ),
  ].map(([, code, status]) => `${code} ${status}`),
)

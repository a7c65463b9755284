import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { jobs } from '../../jobs/index.ts'
import { openTracing } from '../../platform/open-tracing.ts'
import { traceIdOf } from '../../platform/tracing.ts'
import type { Tracing } from '../../platform/tracing.ts'
import { done } from '../../worker/engine/handler.ts'
import type { Handler } from '../../worker/engine/handler.ts'
import { traceHandler } from '../../worker/traced-handler.ts'
import { startApp } from '../support/app.ts'
import { startCollector } from '../support/collector.ts'
import { pdf } from '../support/multipart.ts'
import { startEngine } from '../support/worker.ts'

const model = { provider: 'openai', endpoint: 'gpt-4o-mini' }

async function open(endpoint: string, service: string, ratio = 1): Promise<Tracing> {
  const config = { endpoint, headers: { 'x-key': 'secret' }, ratio }
  const tracing = await openTracing(config, { name: service, environment: 'test' })
  if (tracing === null) throw new Error('tracing was asked for')
  return tracing
}

const asking: Handler = {
  job: jobs.security_scan,
  run: async (_payload, { withCapacity, read }) => {
    await read(async () => {})
    await withCapacity({ ...model, estimatedTokens: 10, consent: null }, async () => ({ value: 1, tokensUsed: 42 }))
    return done(async () => undefined)
  },
}

test('an upload, the jobs of its document and their outside calls are one trace', async (t) => {
  const collector = await startCollector(t)
  const [server, worker] = [await open(collector.endpoint, 'server'), await open(collector.endpoint, 'worker')]
  const app = await startApp(t, { tracing: server })
  const parent = await app.account(randomUUID())
  const answer = await parent.upload({ bytes: pdf('a letter about Jane Citizen'), fields: { note: 'from the ward' } })
  const correlationId = answer.headers.get('x-correlation-id') ?? ''
  const fileId = String(answer.body['shell_file_id'])
  const { watched } = await startEngine(t, app, {
    handlers: [traceHandler(asking, worker)],
    laneEndpoints: { fast_queue: [model] },
  })
  await watched.waitForEnded('completed')
  await Promise.all([app.app.close().then(() => server.close()), worker.close()])

  const ours = collector.spans.filter((span) => span.traceId === traceIdOf(correlationId))
  const named = (name: string) => {
    const span = ours.find((each) => each.name === name)
    if (span === undefined) throw new Error(`no span ${name} among ${ours.map((each) => each.name).join(', ')}`)
    return span
  }
  const request = named('POST /documents/upload')
  const attempt = named('attempt security_scan')
  t.equal(request.parentSpanId ?? '', '', 'the request is the top')
  t.equal(named('enqueue').parentSpanId, request.spanId)
  t.equal(attempt.parentSpanId, named('enqueue').spanId, 'across processes')
  t.equal(named('call openai').parentSpanId, attempt.spanId)
  t.equal(named('write results').parentSpanId, attempt.spanId)
  t.same(
    new Set(ours.map((span) => span.service)),
    new Set(['server', 'worker']),
    'both processes have their part in it',
  )
  t.match(Object.fromEntries(attempt.attributes), {
    'exora.job_type': 'security_scan',
    'exora.lane': 'fast_queue',
    'exora.attempt': '1',
    'exora.outcome': 'done',
    'exora.shell_file_id': fileId,
  })
  t.match(Object.fromEntries(named('call openai').attributes), {
    'exora.provider': 'openai',
    'exora.model': 'gpt-4o-mini',
    'exora.tokens': '42',
  })
  t.equal(request.attributes.get('http.response.status_code'), '201')
  for (const { path, headers, body } of collector.requests) {
    t.equal(path, '/v1/traces')
    t.equal(headers['x-key'], 'secret')
    t.notMatch(body, /Jane|Citizen|ward|letter/, 'nothing of the document, its name or its note')
  }
})

test('of the share that is sent, every trace is whole', async (t) => {
  const collector = await startCollector(t)
  const [one, other] = [await open(collector.endpoint, 'one', 0.5), await open(collector.endpoint, 'other', 0.5)]
  const ids = Array.from({ length: 64 }, (_, n) => `c-${n}`)
  for (const correlationId of ids) {
    one.start('request', { kind: 1, correlationId, within: null, knownAs: 'top' }, {}).end()
    other.start('attempt', { kind: 4, correlationId, within: 'top' }, {}).end()
  }
  await Promise.all([one.close(), other.close()])
  const traces = Map.groupBy(collector.spans, (span) => span.traceId)
  t.ok(traces.size > 10 && traces.size < 54, `${traces.size} of 64`)
  t.ok([...traces.values()].every((spans) => spans.length === 2))
})

test('a collector that is away costs no request and no job', async (t) => {
  const tracing = await open('http://127.0.0.1:9', 'server')
  const app = await startApp(t, { tracing })
  const parent = await app.account(randomUUID())
  t.equal((await parent.upload({ bytes: pdf('a letter') })).status, 201)
  await tracing.close().catch(() => {})
})

test('without an endpoint nothing of the SDK is even loaded', async (t) => {
  t.equal(await openTracing(null, { name: 'x', environment: 'test' }), null)
  const root = join(import.meta.dirname, '../..')
  const sources = ['platform', 'db', 'jobs', 'clinical', 'server', 'worker'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  const naming = (text: RegExp) => sources.filter((path) => text.test(readFileSync(join(root, path), 'utf8')))
  t.same(naming(/@opentelemetry\/(?!api')/), ['platform/tracing-export.ts'])
  t.same(naming(/tracing-export/), ['platform/open-tracing.ts'])
  t.match(readFileSync(join(root, 'platform/open-tracing.ts'), 'utf8'), "await import('./tracing-export.ts')")
})

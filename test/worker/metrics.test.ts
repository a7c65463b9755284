import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { jobs } from '../../jobs/index.ts'
import { defineError } from '../../platform/errors.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import type { Metrics } from '../../platform/telemetry.ts'
import { createCallMetrics, meterCalls } from '../../worker/call-metrics.ts'
import { createEngineMetrics } from '../../worker/engine/metrics.ts'
import { done } from '../../worker/engine/handler.ts'
import type { Handler } from '../../worker/engine/handler.ts'
import { addQueueMetrics } from '../../worker/queue-metrics.ts'
import { startApp } from '../support/app.ts'
import { testDatabase } from '../support/postgres.ts'
import { claim, enqueueJob, serviceSql } from '../support/queue.ts'
import { evaluateMinutes } from '../support/slos.ts'
import { startEngine } from '../support/worker.ts'

const closedLabels = new Set(
  'lane state slo job_type outcome to reason provider endpoint model method route status code'.split(' '),
)

const newMetrics = () => createMetrics({ service: 'test', runtime: 'leave_out' })
const exposed = async (metrics: Metrics) => (await metrics.expose()).body
const namesIn = (text: string) => new Set([...text.matchAll(/^# TYPE (exora_\w+)/gm)].map(([, name = '']) => name))

test('every metric says what it is, has labels of closed lists, and stands in the guide for operators', async (t) => {
  const { db, url } = await startApp(t)
  const metrics = newMetrics()
  createEngineMetrics(metrics)
  createCallMetrics(metrics)
  addQueueMetrics(metrics, db)
  const texts = [await exposed(metrics), await (await fetch(`${url}/metrics`)).text()]
  const guide = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')
  const names = texts.flatMap((text) => [...namesIn(text)])
  t.ok(names.length >= 24, `${names.length} metrics`)
  for (const text of texts)
    for (const [, name = '', help = ''] of text.matchAll(/^# HELP (exora_\w+) (.*)$/gm))
      t.ok(help.length > 10, `${name} has help`)
  for (const name of names) t.ok(guide.includes(`\`${name}\``), `${name} is in docs/operations.md`)
  for (const [, name = ''] of guide.matchAll(/`(exora_[a-z_]+)`/g)) {
    if (name !== 'exora_app' && name !== 'exora_internal') t.ok(names.includes(name), `${name} of the guide exists`)
  }
  for (const metric of metrics.registry.getMetricsAsArray()) {
    const labels = 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames : []
    for (const label of labels) t.ok(closedLabels.has(String(label)), `${metric.name}: ${String(label)}`)
  }
})

test('what waits, runs and was given up is counted by lane, and an open alert shows', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const metrics = newMetrics()
  addQueueMetrics(metrics, database.db)
  for (const type of ['ocr', 'ocr', 'pass1_find']) await enqueueJob(sql, { type })
  await claim(sql, 'w', { lanes: ['fast_queue'] })
  await evaluateMinutes(sql, 1, 2)
  const text = await exposed(metrics)
  const says = (line: string) => t.ok(text.includes(line), line)
  says('exora_queue_jobs{lane="fast_queue",state="due",service="test"} 1')
  says('exora_queue_jobs{lane="fast_queue",state="processing",service="test"} 1')
  says('exora_queue_jobs{lane="ai_queue",state="due",service="test"} 1')
  says('exora_queue_jobs{lane="background",state="due",service="test"} 0')
  says('exora_alerts_firing{slo="unclaimable_job_types",lane="ai_queue",service="test"} 1')
  t.match(text, /exora_queue_oldest_due_seconds\{lane="ai_queue",service="test"\} \d/)
  await enqueueJob(sql)
  t.ok((await exposed(metrics)).includes('{lane="fast_queue",state="due",service="test"} 1'), 'not asked again at once')
})

test('metrics are answered while the database is not', async (t) => {
  const { db } = await testDatabase(t)
  const metrics = newMetrics()
  addQueueMetrics(metrics, db)
  metrics.counter('exora_something_total', 'Something that this process has counted.').inc()
  await db.close()
  t.match(await exposed(metrics), /exora_something_total\{service="test"\} 1/)
})

const model = { provider: 'openai', endpoint: 'gpt-4o-mini' }
const busy = defineError('test_busy', 429, 'Not now.')

test('outside calls are counted with their tokens and cost, and how they failed', async (t) => {
  const database = await testDatabase(t)
  const sql = serviceSql(t, database.appUrl)
  const metrics = newMetrics()
  const answers = [
    async () => ({ value: 1, tokensUsed: 1_000, costUsd: 0.25 }),
    async () => ({ value: 2 }),
    async () => Promise.reject(busy({ retryAfterMs: 1 })),
  ]
  const asking: Handler = {
    job: jobs.security_scan,
    run: async (_payload, { withCapacity }) => {
      for (const answer of answers) await withCapacity({ ...model, estimatedTokens: 10, consent: null }, answer)
      return done()
    },
  }
  await enqueueJob(sql, { type: 'security_scan' })
  const { watched } = await startEngine(t, database, {
    handlers: [meterCalls(asking, createCallMetrics(metrics))],
    laneEndpoints: { fast_queue: [model] },
  })
  await watched.waitForEnded('snoozed')
  const text = await exposed(metrics)
  const labels = 'provider="openai",model="gpt-4o-mini"'
  for (const line of [
    `exora_provider_calls_total{${labels},outcome="answered",service="test"} 2`,
    `exora_provider_calls_total{${labels},outcome="busy",service="test"} 1`,
    `exora_provider_tokens_total{${labels},service="test"} 1000`,
    `exora_provider_cost_usd_total{${labels},service="test"} 0.25`,
    `exora_provider_call_seconds_count{service="test",${labels}} 3`,
  ])
    t.ok(text.includes(line), line)
})

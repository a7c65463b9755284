import { test } from 'tap'
import { createMetrics } from '../../platform/telemetry.ts'

test('two sets of metrics in one process know nothing of each other', async (t) => {
  const [one, two] = [
    createMetrics({ service: 'a', runtime: 'leave_out' }),
    createMetrics({ service: 'b', runtime: 'leave_out' }),
  ]
  one.counter('jobs_total', 'Jobs by lane.', ['lane']).inc({ lane: 'fast' }, 3)
  two.counter('jobs_total', 'Jobs by lane.', ['lane'])
  t.match((await one.expose()).body, 'jobs_total{lane="fast",service="a"} 3')
  t.notMatch((await two.expose()).body, 'fast')
})

test('the metrics of the runtime are there when asked for', async (t) => {
  const { body } = await createMetrics({ service: 'a', runtime: 'collect' }).expose()
  t.match(body, 'nodejs_eventloop_lag')
})

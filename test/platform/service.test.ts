import { EventEmitter } from 'node:events'
import { test } from 'tap'
import { startAll } from '../../platform/service.ts'
import type { Service } from '../../platform/service.ts'
import { listenForStop } from '../../platform/stop-signal.ts'

const limits = { startMs: 1_000, graceMs: 1_000 }

test('services start in order and stop in the reverse order', async (t) => {
  const events: string[] = []
  const running = await startAll([service('a', events), service('b', events)], limits)
  t.same(await running.stop({ graceMs: 1_000 }), [])
  t.same(events, ['start a', 'start b', 'stop b', 'stop a'])
})

test('when one cannot start, those before it are stopped and its error is told', async (t) => {
  const events: string[] = []
  const failing = { ...service('b', events), start: () => Promise.reject(new Error('port taken')) }
  await t.rejects(startAll([service('a', events), failing, service('c', events)], limits), { message: 'port taken' })
  t.same(events, ['start a', 'stop b', 'stop a'])
})

test('one that hangs at the start is given up', async (t) => {
  const hanging = { ...service('a', []), start: () => new Promise<void>(() => {}) }
  await t.rejects(startAll([hanging], { startMs: 5, graceMs: 5 }), { message: /a did not start within 5 ms/ })
})

test('one that hangs or fails while stopping is named, and the others still stop', async (t) => {
  const events: string[] = []
  const failing = { ...service('b', events), stop: () => Promise.reject(new Error('lost')) }
  const hanging = { ...service('c', events), stop: () => new Promise<void>(() => {}) }
  const running = await startAll([service('a', events), failing, hanging], limits)
  const failures = await running.stop({ graceMs: 5 })
  t.match(failures, [{ service: 'c' }, { service: 'b', error: { message: 'lost' } }])
  t.equal(events.at(-1), 'stop a')
})

test('the first signal asks, the second insists, and it is the insisting that ends the grace', async (t) => {
  const source = new EventEmitter()
  const signals = listenForStop(source)
  const stopping = Promise.withResolvers<void>()
  const patient: Service = {
    name: 'patient',
    start: async () => {},
    stop: (signal) => {
      signal.addEventListener('abort', () => stopping.resolve())
      return stopping.promise
    },
  }
  const running = await startAll([patient], limits)
  source.emit('SIGTERM', 'SIGTERM')
  t.ok(signals.asked.aborted)
  t.notOk(signals.insisted.aborted)
  const stopped = running.stop({ graceMs: 60_000, insisted: signals.insisted })
  source.emit('SIGINT', 'SIGINT')
  t.same(await stopped, [])
  signals.dispose()
  t.equal(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT'), 0)
})

function service(name: string, events: string[]): Service {
  return {
    name,
    start: async () => void events.push(`start ${name}`),
    stop: async () => void events.push(`stop ${name}`),
  }
}
